"""The table at the end of a run: the network's errors, and those of the classical methods beside them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hpms.bound.found import TOO_FEW
from hpms.config.config import Config
from hpms.config.registry import option
from hpms.results.table import scientific, table

_DIGITS = "₁₂₃₄₅₆"
_OUTFLOW = "outflow_"
_CLEARLY = 0.95
_NOTABLE = 0.1  # of an error, the reference's own


def report(summary: Mapping[str, Any], config: Config) -> str:
    """From the attributes of `summary` in `run.h5` or `evaluation.h5`."""
    coupling = config.names["coupling"]
    method = "PINN" if coupling == "none" else coupling
    measured = "reference_method" in summary
    columns = [_network(summary, f"{method} {config.names['network']}")]
    if measured:
        kinds = {"fem": "fine FEM", "corrector": "homogenisation"}
        columns += [_classical(summary, key, name) for key, name in kinds.items() if f"{key}_method" in summary]
        columns.append(_reference(summary))
    cells = not config.upscaling.is_constant
    size = np.asarray(summary.get("upscaled_coefficient", np.eye(1))).shape[-1]
    entries = [(i, j) for i in range(size) for j in range(i if config.upscaling.is_stiffness else 0, size)]
    entries = [(0, 0)] if config.names["upscaling"] == "isotropic" or cells else entries
    entries = [] if config.names["upscaling"] == "none" else entries
    rows = [[label, *(column[key] for column in columns)] for label, key in _ERRORS if measured]
    for i, j in entries:
        label = f"upscaled {config.law.symbol}{_DIGITS[i]}{_DIGITS[j]}" if cells or entries[1:] else "upscaled K̃"
        rows.append([label, *(_entry(column["upscaled"], i, j) for column in columns)])
    rows += [[label, *(column[key] for column in columns)] for label, key in _REST]
    return (
        table(["", *(column["name"] for column in columns)], rows)
        + _each(summary, config)
        + _bound(summary, config)
        + _balance(summary)
        + _least(summary)
        + _gap(summary, coupling)
    )


_ERRORS = (("relative L² error", "l2"), ("relative H¹ error", "h1"))
_REST = (("seconds", "seconds"), ("how", "how"), ("", "size"))  # two lines of what takes much place


def _network(summary: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "name": name,
        "l2": _error(summary, "relative_l2"),
        "h1": _error(summary, "relative_h1"),
        "upscaled": summary.get("upscaled_coefficient"),
        "seconds": f"{summary['wall_seconds']:.1f}" if "wall_seconds" in summary else "-",
        **_how(_iteration(summary)),
    }


def _classical(summary: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    """The column of the attributes `key`_..."""
    whole = None if "reference_cell_coefficient" in summary else summary.get(f"{key}_upscaled_coefficient")
    return {
        "name": name,
        "l2": _error(summary, f"{key}_relative_l2"),
        "h1": _error(summary, f"{key}_relative_h1"),
        "upscaled": whole,
        "seconds": f"{summary[f'{key}_seconds']:.3f}",
        **_how(str(summary[f"{key}_method"])),
    }


def _reference(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": "reference",
        "l2": f"own {scientific(summary['reference_own_l2'])}",
        "h1": f"own {scientific(summary['reference_own_h1'])}",
        "upscaled": summary.get("reference_cell_coefficient", summary.get("reference_upscaled_coefficient")),
        "seconds": f"{summary['reference_seconds']:.3f}",
        **_how(str(summary["reference_method"])),
    }


def _how(text: str) -> dict[str, str]:
    """What was done, and how large it was."""
    how, _, size = text.rpartition(", ")
    return {"how": how or size, "size": size if how else ""}


def _entry(found: Any, i: int, j: int) -> str:
    """An entry of K̃ or C̃, or what it goes through where there is one in each cell."""
    if found is None or i >= np.asarray(found).shape[-2]:
        return "-"
    values = np.asarray(found)[..., i, j]
    if values.ndim == 0:
        return f"{values:.6f}"
    return f"{values.min():.4f} to {values.max():.4f} in {values.size} cells"


def _each(summary: Mapping[str, Any], config: Config) -> str:
    """The errors of each lifted problem or component, where there are several."""
    if "lifted_l2" not in summary:
        return ""
    l2, h1 = (", ".join(scientific(float(e)) for e in summary[key]) for key in ("lifted_l2", "lifted_h1"))
    several = "lifted problems w_i = x_i"
    if config.law.components(config.problem.dim) > 1:
        several = "components of all w_l" if config.upscaling.is_stiffness else "components of w"
    return f"\n\nErrors are those of all {several} together; of each: L² {l2}; H¹ {h1}."


def _least(summary: Mapping[str, Any]) -> str:
    """What only one who knows the solution could have chosen, where that is clearly less."""
    if not summary.get("least_relative_l2", np.nan) < _CLEARLY * summary.get("relative_l2", np.nan):
        return ""
    return (
        f"\n\nThe residual chose iteration {summary['iteration']}; the least L² error, "
        f"{scientific(summary['least_relative_l2'])}, was that of iteration {summary['least_iteration']}."
    )


def _bound(summary: Mapping[str, Any], config: Config) -> str:
    """What is known of the error without the reference, and whether it is what was asked for."""
    if why := config.law.lacks_bound(config.problem):
        text = f"There is no bound of the error: {why}."
        if "relative_energy_error" in summary:
            text += (
                f" Against the reference the relative energy error is {scientific(summary['relative_energy_error'])}."
            )
        return f"\n\n{text}"
    if "relative_error_bound" not in summary:
        return ""
    found, accuracy = summary["relative_error_bound"], config.training.accuracy
    lacks = "" if summary["error_bound_resolved"] else summary.get("error_bound_lacks", TOO_FEW)
    kind = f"about ({lacks})" if lacks else "at most"
    how = f"{summary['error_bound_points']:,} points, {summary['error_bound_seconds']:.1f} s, no reference"
    text = f"The relative energy error is {kind} {scientific(found)}: {how}."
    if not found <= 1:
        most = f"is {kind} {scientific(found)}" if np.isfinite(found) else "may be 1 and more"
        text = (
            f"The relative energy error {most}, and |||w* - w||| is {kind} {scientific(summary['error_bound'])}: {how}."
        )
    if "relative_energy_error" in summary:
        own, error = summary["reference_own_h1"], summary["relative_energy_error"]
        how_known = f", whose own H¹ error is {scientific(own)}," if own > _NOTABLE * error else ""
        text += f" Against the reference{how_known} it is {scientific(error)}."
    if accuracy is not None and not found <= accuracy:
        text += f" That is above training.accuracy={accuracy:g}: more iterations, points or parameters are needed."
    elif accuracy is not None and lacks == TOO_FEW:
        text += " For a bound training.bound_points has to be larger."
    elif accuracy is not None and lacks:
        text += " No number of points makes a bound of it."
    return f"\n\n{text}"


def _balance(summary: Mapping[str, Any]) -> str:
    """How well mass is kept in the cells of a coarse grid."""
    if "balance_cells" not in summary:
        return ""
    faces = [f"{key.removeprefix(_OUTFLOW)} {summary[key]:.4g}" for key in summary if key.startswith(_OUTFLOW)]
    mean, most = (scientific(summary[f"balance_{kind}"]) for kind in ("mean", "most"))
    return (
        f"\n\nMass in {summary['balance_cells']} cells is kept to {mean} of what flows through Ω (root mean square; at "
        f"most {most}). Outflow: {', '.join(faces)}."
    )


def _gap(summary: Mapping[str, Any], coupling: str) -> str:
    if coupling == "none" or "coupling_gap" not in summary:
        return ""
    formula = option("coupling", coupling).gap_formula
    gap = f"{formula} = {summary['coupling_gap']:.3g}"
    return f"\n\nThe coupling's own error, what it leaves of the exact solution u: {gap} (0 would be none)."


def _error(summary: Mapping[str, Any], key: str) -> str:
    return scientific(summary[key]) if key in summary else "-"


def _iteration(summary: Mapping[str, Any]) -> str:
    if "iteration" not in summary:
        return "-"
    return f"iteration {summary['iteration']}, J_res {scientific(summary['residual_loss'])}"
