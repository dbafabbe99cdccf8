"""The figure of `hpms plot coefficient`: K over Ω, and one feature of it with the collocation points in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hpms.figures.medium_view import MediumView, Plane, planes, zoomed
from hpms.figures.style import BLUE, FIELD, SIGNED, VERMILLION, drawing, new_figure, plain, save

NAME, FORMATS = "coefficient", ("png", "pdf")
_LINES, _ROW = 2.6, 2.7  # inches
_LOGARITHMIC = 30  # contrast
_SAMPLES, _LONGEST = 2_000, 100_000  # along a line
_SLENDER = 5


def plot_medium(view: MediumView, folder: Path) -> list[Path]:
    """Writes `coefficient.png` and `coefficient.pdf`; raises `UserError` where Matplotlib is missing."""
    with drawing():
        return save(_lines(view) if len(view.sides) == 1 else _maps(view), folder, NAME, FORMATS)


def _lines(view: MediumView) -> Any:
    figure = new_figure(_LINES)
    figure.get_layout_engine().set(wspace=0.06)
    figure.suptitle(view.heading)
    whole, closer = figure.subplots(1, 2, width_ratios=(5, 3), sharey=True)
    width = view.high[0] - view.low[0]
    count = int(np.clip(40 * view.sides[0] / width, _SAMPLES, _LONGEST))
    thin = 1.2 if view.sides[0] < 50 * width else 0.4
    for axes, low, high, title in (
        (whole, 0.0, view.sides[0], r"(a) $K$ over $\Omega$"),
        (closer, view.low[0], view.high[0], f"(b) {view.title}"),
    ):
        x = np.linspace(low, high, count if axes is whole else _SAMPLES)
        if axes is whole and count == _LONGEST:  # equal steps may beat with the features
            x = np.sort(np.random.default_rng(0).uniform(low, high, count))
        axes.plot(x, view.coefficient(x[:, None]), color=BLUE, linewidth=thin if axes is whole else 1.2)
        axes.set(xlabel="$x_1$", xlim=(low, high))
        axes.set_title(title, loc="left")
        plain(axes)
    if len(view.few):  # the layout fails on an empty line
        k, size = view.coefficient(view.few), _size(view)
        closer.plot(view.few[:, 0], k, "o", color=VERMILLION, markersize=size, clip_on=False)
    whole.axvspan(view.low[0], view.high[0], color=VERMILLION, alpha=0.25, linewidth=0.8)
    _tick(closer.xaxis, view.low[0], view.high[0])
    whole.set_ylabel("$K$")
    if view.most > _LOGARITHMIC * view.least:
        whole.set_yscale("log")
    return figure


def _maps(view: MediumView) -> Any:
    shown, larger = planes(view), zoomed(view)
    is_tensor = shown[0].values.ndim == 4
    scale = _colours(view.least, view.most)
    panels = _entries(shown[0]) if is_tensor else [("$K$", scale, plane) for plane in shown]
    framed = len(panels)
    panels += [_first(panels, plane) for plane in larger]
    rows = -(-len(panels) // 2)
    figure = new_figure(_height(view) * rows + 0.3)
    figure.suptitle(view.heading)
    places = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes in places[len(panels) :]:
        axes.set_axis_off()
    drawn = None
    for letter, axes, (symbol, style, plane) in zip("abcdefghi", places, panels, strict=False):
        drawn = _map(axes, plane, style)
        axes.set_title(f"({letter}) {symbol}{plane.title}", loc="left")
        if is_tensor:
            _bar(figure, drawn, ax=axes, aspect=18, shrink=0.85, pad=0.03)
    if not is_tensor:
        _bar(figure, drawn, ax=list(places), label="$K$", aspect=18 * rows, shrink=0.85, pad=0.02)
    for i, (_, _, plane) in enumerate(panels[:-1]):
        _frame(places[i], plane.axes, larger[max(i - framed + 1, 0)])
    if len(view.few):
        style = {"color": "white", "markeredgecolor": "black", "markeredgewidth": 0.5, "markersize": _size(view) + 0.5}
        places[len(panels) - 1].plot(view.few[:, 0], view.few[:, 1], "o", clip_on=False, **style)
    return figure


def _size(view: MediumView) -> float:
    """Of a point's mark."""
    return 3.0 if len(view.few) < 200 else 1.8


def _bar(figure: Any, drawn: Any, **where: Any) -> None:
    """A colour bar; a logarithmic one has plain numbers."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, NullFormatter

    if not isinstance(drawn.norm, LogNorm):
        figure.colorbar(drawn, **where)
        return
    least, most = drawn.get_clim()
    subs = (1, 2, 5) if most < 1e3 * least else (1,)
    bar = figure.colorbar(drawn, ticks=LogLocator(subs=subs), format="%g", **where)
    bar.ax.yaxis.set_minor_formatter(NullFormatter())


def _entries(plane: Plane) -> list[tuple[str, dict[str, Any], Plane]]:
    """A panel with a scale of its own for each entry of a tensor that is not 0."""
    found = []
    for i in range(plane.values.shape[2]):
        for j in range(i, plane.values.shape[2]):
            values = plane.values[..., i, j]
            if i == j or values.any():
                entry = Plane(plane.title, plane.axes, plane.low, plane.high, values)
                found.append((f"$k_{{{i + 1}{j + 1}}}$", _colours(float(values.min()), float(values.max())), entry))
    return found


def _first(panels: Sequence[tuple[str, dict[str, Any], Plane]], plane: Plane) -> tuple[str, dict[str, Any], Plane]:
    """Another plane as the first panel shows its own."""
    symbol, style, _ = panels[0]
    values = plane.values if plane.values.ndim == 2 else plane.values[..., 0, 0]
    return symbol, style, Plane(plane.title, plane.axes, plane.low, plane.high, values)


def _colours(least: float, most: float) -> dict[str, Any]:
    """A colour map and its scale: logarithmic where the contrast is large, centred on 0 where signs differ."""
    from matplotlib.colors import LogNorm, Normalize

    if least < 0:
        reach = max(-least, most)
        return {"cmap": SIGNED, "norm": Normalize(-reach, reach)}
    if 0 < least < most / _LOGARITHMIC:
        return {"cmap": FIELD, "norm": LogNorm(least, most)}
    if most - least <= 1e-9 * most:
        least, most = 0.9 * least, 1.1 * most
    return {"cmap": FIELD, "norm": Normalize(least, most)}


def _map(axes: Any, plane: Plane, style: dict[str, Any]) -> Any:
    a, b = plane.axes
    lows, highs = plane.low[[a, b]], plane.high[[a, b]]
    extent = highs - lows
    slender = extent.max() > _SLENDER * extent.min()
    edges = [np.linspace(low, high, n + 1) for low, high, n in zip(lows, highs, plane.values.shape, strict=True)]
    axes.set(aspect="auto" if slender else "equal", xlabel=f"$x_{a + 1}$", ylabel=f"$x_{b + 1}$")
    drawn = axes.pcolormesh(*edges, plane.values.T, rasterized=True, **style)
    axes.set(xlim=(lows[0], highs[0]), ylim=(lows[1], highs[1]))
    _tick(axes.xaxis, lows[0], highs[0])
    _tick(axes.yaxis, lows[1], highs[1])
    return drawn


def _tick(axis: Any, low: float, high: float) -> None:
    ticks, digits = (low, (low + high) / 2, high), max(4, int(np.log10(high / (high - low))) + 3)
    axis.set_ticks(ticks, labels=[f"{tick:.{digits}g}" for tick in ticks])


def _frame(axes: Any, along: tuple[int, int], plane: Plane) -> None:
    """Where a larger drawing lies."""
    from matplotlib.patches import Rectangle

    corner, size = plane.low[list(along)], (plane.high - plane.low)[list(along)]
    axes.add_patch(Rectangle(tuple(corner), *size, fill=False, color=VERMILLION, linewidth=1.2))


def _height(view: MediumView) -> float:
    """Of a row: lower where Ω and its feature are wide."""
    sizes = view.sides[:2], (view.high - view.low)[:2]
    return max(_ROW * max(min(size[1] / size[0], 1.2) for size in sizes) + 0.5, 1.6)
