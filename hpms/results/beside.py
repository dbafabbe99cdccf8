"""The best network of each group beside the fine finite element method and the reference, for each problem."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hpms.results.collection import Group, Run, is_problem, varying
from hpms.results.settings import label, shown
from hpms.results.table import scientific

_HEADER = ["", "relative L²", "relative H¹", "upscaled {}₁₁", "seconds", "residual loss", "coupling gap", "how"]
Beside = tuple[str, list[str], list[list[str]], list[str]]


def best_run(runs: Sequence[Run]) -> Run | None:
    """The run of smallest residual loss; None where no run has logged one."""
    found = [run for run in runs if np.isfinite(run.number("residual_loss"))]
    return min(found, key=lambda run: run.number("residual_loss"), default=None)


def beside(runs: Sequence[Run], keys: Sequence[str], groups: Sequence[Group]) -> Iterator[Beside]:
    """Title (empty where there is one problem), header, rows, and a class for each row."""
    told = [key for key in varying(runs) if is_problem(key) or key.partition(".")[0] == "reference"]
    problems: dict[str, list[Run]] = {}
    for run in runs:
        title = ", ".join(f"{key} = {shown(run.keys.get(key))}" for key in told)
        problems.setdefault(title, []).append(run)
    for title, members in problems.items():
        rows = [_network(label(keys, g), found) for g in groups if (found := best_run(_both(g, members)))]
        summary = members[0].summary
        known = [_classical(summary, "corrector", "homogenisation")] if "corrector_method" in summary else []
        known += [_classical(summary, "fem", "fine FEM"), _reference(summary)]
        symbol = "C̃" if members[0].keys.get("upscaling") == "stiffness" else "K̃"
        header, classes = [each.format(symbol) for each in _HEADER], [*[""] * len(rows), *["beside"] * len(known)]
        yield title, header, rows + known, classes


def _both(g: Group, members: Sequence[Run]) -> list[Run]:
    return [run for run in g.runs if any(run is member for member in members)]


def _network(name: str, run: Run) -> list[str]:
    gap = "" if run.keys["coupling"] == "none" else _form(run.summary, "coupling_gap", "{:.3g}")
    how = f"iteration {run.summary['iteration']}, seed {run.keys['seed']}"
    return [name, *_errors(run.summary), f"{run.seconds:.1f}", scientific(run.number("residual_loss")), gap, how]


def _classical(summary: Mapping[str, Any], key: str, name: str) -> list[str]:
    """A row of the attributes `key`_..."""
    seconds = _form(summary, f"{key}_seconds", "{:.3f}")
    return [name, *_errors(summary, f"{key}_"), seconds, "", "", str(summary.get(f"{key}_method", ""))]


def _reference(summary: Mapping[str, Any]) -> list[str]:
    own = [f"own {_form(summary, key, '{:.2e}')}" for key in ("reference_own_l2", "reference_own_h1")]
    upscaled, seconds = _upscaled(summary, "reference_"), _form(summary, "reference_seconds", "{:.3f}")
    return ["reference", *own, upscaled, seconds, "", "", str(summary.get("reference_method", ""))]


def _errors(summary: Mapping[str, Any], prefix: str = "") -> list[str]:
    both = (_form(summary, f"{prefix}{key}", "{:.2e}") for key in ("relative_l2", "relative_h1"))
    return [*both, _upscaled(summary, prefix)]


def _upscaled(summary: Mapping[str, Any], prefix: str) -> str:
    found = summary.get(f"{prefix}upscaled_coefficient")
    return "-" if found is None or np.ndim(found) > 2 else f"{np.asarray(found).flat[0]:.6f}"


def _form(summary: Mapping[str, Any], key: str, form: str) -> str:
    return form.format(float(summary[key])) if key in summary else "-"
