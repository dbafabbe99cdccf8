"""How figures look: sizes for print, colours that the colour-blind tell apart, line styles that grey print keeps."""

import importlib.util
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hpms.errors import UserError
from hpms.machine import files

WIDTH = 7.2  # inches, between the margins of an A4 page
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = (  # Okabe and Ito
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FIELD, SIGNED = "viridis", "PuOr"
_REST = {"color": "0.4", "linestyle": (0, (4, 2)), "linewidth": 0.9, "zorder": 1.5}
_DPI, _LEGEND_LINE = 200, 10.6  # points
_BAR = (1.04, 0.0, 0.06, 1.0)  # of a colour bar, in units of its panel
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 9,
    "figure.titlesize": 9,
    "legend.fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.limits": (-3, 4),
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "savefig.dpi": _DPI,
}


def require_matplotlib() -> None:
    """Raises `UserError` where Matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UserError("figures need Matplotlib, which is not installed: pip install 'hpms[plot]' brings it.")


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib with these settings; raises `UserError` where it is not installed."""
    require_matplotlib()
    from matplotlib import rc_context

    fonts = logging.getLogger("fontTools")  # it tells the root logger about each table of each font
    level = fonts.level
    fonts.setLevel(logging.WARNING)
    try:
        with rc_context(_SETTINGS):
            yield
    finally:
        fonts.setLevel(level)


def new_figure(height: float, width: float = WIDTH) -> Any:
    """An empty figure of a size in inches, without pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Any, folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Writes `folder/name.FORMAT` for each format."""
    paths = [folder / f"{name}.{suffix}" for suffix in formats]
    for path in paths:
        undated = {"metadata": {"CreationDate": None}} if path.suffix == ".pdf" else {}
        buffer = io.BytesIO()
        figure.savefig(buffer, format=path.suffix[1:], **undated)
        files.replace(path, buffer.getvalue())
    return paths


def headed(axes: Any, title: str, columns: int = 2) -> None:
    """The title of a panel and between it and the data, where it covers none, the legend of its labelled lines."""
    lines = axes.get_legend_handles_labels()[0]
    rows = -(-len(lines) // columns)
    axes.set_title(title, loc="left", pad=6 + _LEGEND_LINE * rows)
    if lines:
        legend = axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=columns,
            frameon=False,
            borderaxespad=0.1,
            borderpad=0.1,
            labelspacing=0.25,
            handlelength=2.2,
            columnspacing=1.0,
        )
        legend.set_in_layout(False)  # the title makes room for it, and none has to shrink for its width


def plain(axes: Any) -> None:
    """Light grid, no box."""
    axes.grid(which="major", color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def along_iterations(axes: Any) -> None:
    """Iterations on the x axis: whole numbers with room for them."""
    axes.set_xlabel("iteration")
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=5)
    axes.xaxis.set_major_formatter("{x:,g}")


def bar(part: Any, drawn: Any, axes: Any, label: str = "") -> None:
    """A colour bar to the right of a panel, as high as this."""
    part.colorbar(drawn, cax=axes.inset_axes(_BAR), label=label)


def draw_positive(axes: Any, x: np.ndarray, y: np.ndarray, **style: Any) -> None:
    """A line of what is positive, as on a logarithmic axis; nothing where nothing is."""
    y = np.where(np.isfinite(y) & (y > 0), y, np.nan)
    if np.isfinite(y).any():
        axes.plot(x, y, **({"marker": "o"} if len(y) == 1 else {}), **style)
        axes.set_yscale("log")


def draw_level(axes: Any, value: float, **style: Any) -> None:
    """A horizontal line for a number that stands beside a curve; none for NaN."""
    if np.isfinite(value):
        axes.axhline(value, **_REST | style)


def epsilon(value: float) -> str:
    """ε for a title: of what has no short decimals 1/15."""
    short, inverse = f"{value:.4g}", 1 / value
    is_unit = float(short) != value and abs(inverse - round(inverse)) < 1e-9 * inverse
    return f"$\\varepsilon$ = {f'1/{inverse:.0f}' if is_unit else short}"


def seconds(value: float) -> str:
    """A time for a legend."""
    return f"{value:.1g} s" if value < 1 else f"{value:.3g} s"
