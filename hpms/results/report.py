"""The table at the end of a run: the network's errors, and the fine finite element method's beside them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hpms.config import Config
from hpms.results.table import scientific, table


def report(summary: Mapping[str, Any], config: Config) -> str:
    """From the attributes of `summary` in `run.h5` or `evaluation.h5`."""
    coupling = config.names["coupling"]
    method = "PINN" if coupling == "none" else coupling
    rows = [
        ["", f"{method} {config.names['network']}"],
        ["relative L² error", _error(summary, "relative_l2")],
        ["relative H¹ error", _error(summary, "relative_h1")],
        ["upscaled K̃", _upscaled(summary, "upscaled_coefficient")],
        ["seconds", f"{summary['wall_seconds']:.1f}" if "wall_seconds" in summary else "-"],
        ["how", _iteration(summary)],
    ]
    if "reference_method" in summary:
        beside = zip(_fem(summary), _reference(summary), strict=True)
        rows = [[*row, *cells] for row, cells in zip(rows, beside, strict=True)]
    header, *rows = rows if "reference_method" in summary else [rows[0], *rows[3:]]
    gap = ""
    if coupling != "none" and "coupling_gap" in summary:
        gap = f"\n\nThe exact solution itself misses the coupling: ‖Q̄u - y‖/‖u‖ = {summary['coupling_gap']:.3g}."
    return table(header, rows) + gap


def _fem(summary: Mapping[str, Any]) -> list[str]:
    """The column of the fine FEM."""
    return [
        "fine FEM",
        _error(summary, "fem_relative_l2"),
        _error(summary, "fem_relative_h1"),
        _upscaled(summary, "fem_upscaled_coefficient"),
        f"{summary['fem_seconds']:.3f}",
        str(summary["fem_method"]),
    ]


def _reference(summary: Mapping[str, Any]) -> list[str]:
    """The column of the reference."""
    return [
        "reference",
        f"own error {scientific(summary['reference_own_l2'])}",
        f"own error {scientific(summary['reference_own_h1'])}",
        _upscaled(summary, "reference_upscaled_coefficient"),
        f"{summary['reference_seconds']:.3f}",
        str(summary["reference_method"]),
    ]


def _error(summary: Mapping[str, Any], key: str) -> str:
    return scientific(summary[key]) if key in summary else "-"


def _upscaled(summary: Mapping[str, Any], key: str) -> str:
    """K̃₁₁, which is what the network's isotropic K̃ is compared by."""
    return f"{np.asarray(summary[key])[0, 0]:.6f}" if key in summary else "-"


def _iteration(summary: Mapping[str, Any]) -> str:
    if "iteration" not in summary:
        return "-"
    return f"iteration {summary['iteration']}, residual loss {scientific(summary['residual_loss'])}"
