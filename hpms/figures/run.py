"""The figure of one run: its fields beside the reference, and its history."""

from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from hpms.figures.flow import draw_flow_maps, has_flow
from hpms.figures.history import draw_errors, draw_terms, draw_upscaled, draw_weights
from hpms.figures.lines import draw_bound, draw_coarse, draw_error, draw_solution
from hpms.figures.maps import draw_bound_maps, draw_coarse_maps, draw_solution_maps, draw_stress_maps
from hpms.figures.record import Record, record
from hpms.figures.style import drawing, epsilon, new_figure, save
from hpms.results.run import StoredRun

NAME, FORMATS = "figure", ("png", "pdf")
FIGURE = f"{NAME}.{FORMATS[0]}"
_ROW, _LOW_ROW, _ERROR_ROW = 2.3, 2.0, 2.4  # inches
_MAP, _AROUND, _SLENDER = 1.75, 0.7, 1.4  # how wide a map is, what stands above and below it, the highest by its width
_WIDTHS = {draw_coarse_maps: 1.45, draw_flow_maps: 2.7}
Panel = tuple[str, Callable[[Any, Record, str], None]]

_HISTORY: tuple[Panel, ...] = (
    ("loss terms", draw_terms),
    ("weights", draw_weights),
    ("upscaled coefficient", draw_upscaled),
)
_ERRORS: tuple[Panel, ...] = (
    ("errors", lambda axes, run, title: draw_errors(axes, run, title, "iteration")),
    ("errors", lambda axes, run, title: draw_errors(axes, run, title, "seconds")),
)


def plot_run(stored: StoredRun, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes `figure.png` and `figure.pdf` of a run as its file has it."""
    return write_run_figure(record(stored), folder, formats)


def write_run_figure(run: Record, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Writes the figure of a run; raises `UserError` where Matplotlib is missing."""
    with drawing():
        return save(run_figure(run), folder, NAME, formats)


def run_figure(run: Record) -> Any:
    """Fields, where there are any, above the history; inside `drawing()`."""
    return _with_lines(run) if run.dim == 1 or not run.fields else _with_maps(run)


def _with_lines(run: Record) -> Any:
    """Two panels a row; the first takes a whole one where their number is odd."""
    panels: list[Panel] = []
    if run.fields:
        panels += [("solution", draw_solution), *([("pointwise error", draw_error)] if run.has_reference else [])]
        panels += [("bound of the error", draw_bound)] if "error_bound" in run.fields else []
        panels += [("coarse state and averages", draw_coarse)] if run.coarse else []
    panels += history(run)
    rows = (len(panels) + 1) // 2
    figure = new_figure(_ROW * rows + 0.4)
    figure.suptitle(heading(run))
    cells = figure.add_gridspec(rows, 2)
    places = [cells[i // 2, i % 2] for i in range(2 * rows)]
    if len(panels) % 2:
        places[:2] = [cells[0, :]]
    _draw(figure, places, panels, run, letters=True)
    return figure


def _with_maps(run: Record) -> Any:
    """Rows of maps, then the history in rows of one or two panels."""
    panels = history(run)
    logged = len(panels) - (len(_ERRORS) if run.has_errors else 0)
    first = logged % 2 or 2
    rows = [part for part in (panels[:first], panels[first:logged], panels[logged:]) if part]
    maps = [draw_solution_maps, *([draw_bound_maps] if run.has_reference and "error_bound" in run.fields else [])]
    maps += [draw_flow_maps] if has_flow(run) else []
    maps += [draw_stress_maps] if "von_mises" in run.fields else []
    maps += [draw_coarse_maps] if run.coarse else []
    heights = [_height(run, draw) for draw in maps]
    heights += [_ERROR_ROW if part[0] in _ERRORS else _LOW_ROW for part in rows]
    figure = new_figure(sum(heights) + 0.4)
    figure.suptitle(heading(run))
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    for part, draw in zip(parts, maps, strict=False):
        draw(part, run)
    for part, panels in zip(parts[-len(rows) :], rows, strict=True):
        _draw(part, part.add_gridspec(1, len(panels)), panels, run)
    return figure


def _height(run: Record, draw: Any) -> float:
    """Of a row of maps."""
    points = run.fields["points"]
    width, height, *_ = points.max(axis=0) - points.min(axis=0)
    return _WIDTHS.get(draw, _MAP) * min(height / width, _SLENDER) + _AROUND


def history(run: Record) -> tuple[Panel, ...]:
    """Panels of what was logged."""
    found = [panel for panel in _HISTORY if panel[1] is not draw_upscaled or run.column("upscaled_coefficient").size]
    return (*found, *(_ERRORS if run.has_errors else ()))


def _draw(part: Any, places: Any, panels: Sequence[Panel], run: Record, letters: bool = False) -> None:
    for i, (title, draw) in enumerate(panels):
        draw(part.add_subplot(places[i]), run, f"({ascii_lowercase[i]}) {title}" if letters else title)


def heading(run: Record) -> str:
    """Which run it is, how far it came, and how good its best iteration is."""
    values, summary = run.stored.values, run.summary
    names = ", ".join(values[group]["name"] for group in ("coupling", "network", "optimizer"))
    done = int(max(run.iterations[-1] if run.iterations.size else 0, summary.get("iterations_done", 0)))
    first = f"{run.stored.experiment}, {epsilon(values['problem']['eps'])}: {names}, seed {values['seed']}"
    if run.has_lifted and run.fields:
        first += ", fields of the first component of $w_1$" if run.upscaled_letter == "C" else ", fields of $w_1$"
    second = f"{run.stored.status} after {done} iterations"
    if "iteration" in summary:
        second += f"; smallest residual loss at {summary['iteration']}"
    if "relative_l2" in summary:
        second += f": $L^2$ error {summary['relative_l2']:.2g}, $H^1$ error {summary['relative_h1']:.2g}"
    return f"{first}\n{second}"
