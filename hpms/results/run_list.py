"""One row per run, with the keys in which the runs differ."""

from collections.abc import Sequence

from hpms.results.collection import Run, telling
from hpms.results.summary_table import text
from hpms.results.table import scientific

OUTCOME = ("status", "relative L²", "relative H¹", "iteration", "seconds")
_SHOWN = ("experiment", "coupling", "network")
_NUMBERS = ("relative_l2", "relative_h1", "residual_loss", "iteration", "iterations_done", "wall_seconds")
_NUMBERS += ("ensemble_members",)


def run_list(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Header and rows for a reader."""
    keys = [*_SHOWN, *(key for key in telling(runs) if key not in _SHOWN), "seed"]
    rows = []
    for run in runs:
        values = [text(run.keys.get(key, "")) for key in keys]
        rows.append([*values, *outcome(run), str(run.directory)])
    return [*keys, *OUTCOME, "run"], rows


def outcome(run: Run) -> list[str]:
    """The cells below `OUTCOME`."""
    if "iteration" not in run.summary:
        return [run.stored.status, *["-"] * (len(OUTCOME) - 1)]
    errors = [scientific(run.number(key)) if key in run.summary else "-" for key in ("relative_l2", "relative_h1")]
    return [run.stored.status, *errors, str(run.summary["iteration"]), f"{run.seconds:.1f}"]


def long_list(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """The same for a program: every key of the configurations, all digits."""
    keys = list(dict.fromkeys(key for run in runs for key in run.keys))
    rows = []
    for run in runs:
        values = [str(run.keys.get(key, "")) for key in keys]
        numbers = [repr(run.number(key)) if key in run.summary else "" for key in _NUMBERS]
        fem = [repr(run.number(key)) for key in ("fem_relative_l2", "fem_relative_h1", "fem_seconds")]
        rows.append([*values, run.stored.status, str(run.summary["reason"]), *numbers, *fem, str(run.directory)])
    return [*keys, "status", "reason", *_NUMBERS, "fem_relative_l2", "fem_relative_h1", "fem_seconds", "run"], rows
