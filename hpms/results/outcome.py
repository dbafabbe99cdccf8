"""How a run ended, for a reader."""

import math

from hpms.results.collection import TRAPPED, Run
from hpms.training.session import INTERRUPTED, RUNNING

KINDS = ("finished", "trapped", "failed", "interrupted", "running")


def kind(run: Run) -> str:
    """One of `KINDS`."""
    status = run.stored.status
    if status in (INTERRUPTED, RUNNING):
        return status
    if not run.failed:
        return "finished"
    return "trapped" if run.finished and run.number("relative_l2") > TRAPPED else "failed"


def reason(run: Run) -> str:
    """Why a run counts as failed."""
    if run.finished:
        error = run.number("relative_l2")
        return "its errors are not finite" if math.isnan(error) else f"relative L² error {error:.3g} above {TRAPPED:g}"
    said = str(run.summary.get("reason", "")) or "it is still at work, or was killed"
    return f"{said} (after {run.summary.get('iterations_done', 0)} iterations)"
