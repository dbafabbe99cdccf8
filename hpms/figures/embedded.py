"""Figures as PNG in memory, for a page that carries them; where one cannot be drawn, the reason."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from hpms.errors import UserError
from hpms.figures.comparison import columns, comparison_figure
from hpms.figures.record import record
from hpms.figures.run import run_figure
from hpms.figures.style import drawing
from hpms.results.beside import best_run
from hpms.results.collection import Group, Run
from hpms.results.page import Picture
from hpms.results.settings import label

_DPI = 150
_OVERVIEW = "Median of each group over its seeds, with a band from the least to the greatest."


def overview(runs: Sequence[Run], by: Sequence[str] | None) -> Picture:
    """The errors of all groups over their seeds."""
    if not any(run.stored.history() for run in runs):
        return Picture(_OVERVIEW, reason="There is nothing to draw yet: no run has logged an iteration.")
    return _drawn(_OVERVIEW, lambda: comparison_figure(columns(runs, by)))


def of_group(keys: Sequence[str], g: Group) -> Picture:
    """The group's run of smallest residual loss."""
    name, best = label(keys, g), best_run(g.runs)
    if best is None:
        return Picture(name, reason="There is nothing to draw yet: no run of this group has logged an iteration.")
    return _drawn(f"{name}: best run, seed {best.keys['seed']}", lambda: run_figure(record(best.stored)))


def _drawn(caption: str, draw: Callable[[], Any]) -> Picture:
    """Whatever is wrong with the numbers or texts of a run file costs one figure and not the page."""
    buffer = io.BytesIO()
    try:
        with drawing():
            draw().savefig(buffer, format="png", dpi=_DPI)
    except UserError as error:
        return Picture(caption, reason=f"There is no figure here: {error}")
    except Exception as error:
        return Picture(caption, reason=f"This figure could not be drawn ({type(error).__name__}: {error}).")
    return Picture(caption, png=buffer.getvalue())
