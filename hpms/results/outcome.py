"""How a run ended, for a reader."""

import math

from hpms.results.collection import TRAPPED, Run

KINDS = ("finished", "trapped", "failed", "running")


def kind(run: Run) -> str:
    """One of `KINDS`."""
    if run.finished:
        return "trapped" if run.failed else "finished"
    return "running" if run.running else "failed"


def reason(run: Run) -> str:
    """Why a run counts as failed."""
    if run.finished:
        error = run.number("relative_l2")
        return "its errors are not finite" if math.isnan(error) else f"relative L² error {error:.3g} above {TRAPPED:g}"
    said = str(run.summary.get("reason", "")) or "it is still at work, or was killed"
    return f"{said} (after {run.summary.get('iterations_done', 0)} iterations)"
