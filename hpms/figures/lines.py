"""Panels of a 1-D run: solution, error and coarse quantities over x."""

from typing import Any

import numpy as np

from hpms.figures.record import Record
from hpms.figures.style import BLUE, DASHES, GREEN, VERMILLION, draw_positive, headed, plain

_BENEATH = {"linewidth": 3.0, "zorder": 1.8}


def draw_solution(axes: Any, run: Record, title: str) -> None:
    """u of the network on that of the reference, or w."""
    x, own = run.fields["points"][:, 0], run.has_own_conditions
    if run.has_reference:
        label = "reference $w$" if own else "reference $u$"
        axes.plot(x, run.fields["reference_value"], color="0.75", label=label, **_BENEATH)
    axes.plot(x, run.fields["value"], color=BLUE, linewidth=1.0, label="network $w$" if own else "network $v$")
    axes.set(xlabel="$x_1$", ylabel="$w$" if own else "$u = w - x_1$", xlim=(0, run.sides[0]))
    plain(axes)
    headed(axes, title)


def draw_error(axes: Any, run: Record, title: str) -> None:
    """|v - u|."""
    error = np.abs(run.fields["value"] - run.fields["reference_value"])
    draw_positive(axes, run.fields["points"][:, 0], error, color=BLUE, linewidth=1.0)
    axes.set(xlabel="$x_1$", ylabel="error of $w$" if run.has_own_conditions else "$|v - u|$", xlim=(0, run.sides[0]))
    plain(axes)
    headed(axes, title)


def draw_bound(axes: Any, run: Record, title: str) -> None:
    """The bound of K^{1/2}|(v - u)'|, in boxes, and |v' - u'| where there is a reference."""
    x = run.fields["points"][:, 0]
    if run.has_reference:
        error = np.abs(run.fields["gradient"] - run.fields["reference_gradient"])[:, 0]
        draw_positive(axes, x, error, color="0.6", linewidth=0.8, label="$|v' - u'|$")
    draw_positive(axes, x, run.fields["error_bound"], color=GREEN, linewidth=1.0, label="bound, energy")
    axes.set(xlabel="$x_1$", ylabel="per length", xlim=(0, run.sides[0]))
    plain(axes)
    headed(axes, title)


def draw_coarse(axes: Any, run: Record, title: str) -> None:
    """y_h and Q̄_δv at the coarse nodes on their counterparts of the reference, where the file has them."""
    found = run.coarse
    x = found["nodes"][:, 0]
    lines = [
        ("reference_coarse_state", "reference $y$", {"color": "0.75", **_BENEATH}),
        ("coarse_state", "$y_h$", {"color": BLUE, "linestyle": DASHES[0]}),
        ("reference_averages", r"reference $\bar Q_\delta u$", {"color": "0.5", "linestyle": DASHES[2], **_BENEATH}),
        ("averages", r"$\bar Q_\delta v$", {"color": VERMILLION, "linestyle": DASHES[1]}),
    ]
    for name, label, style in lines:
        if name in found and np.isfinite(found[name]).any():
            axes.plot(x, found[name], label=label, **style)
    axes.set(xlabel="$x_1$", ylabel="coarse quantities", xlim=(0, 1))
    plain(axes)
    headed(axes, title)
