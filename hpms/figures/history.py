"""Panels of what a run logged: loss terms, weights, the upscaled coefficient and errors."""

from typing import Any

import numpy as np

from hpms.figures.record import Record
from hpms.figures.style import (
    BLACK,
    BLUE,
    DASHES,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    along_iterations,
    draw_level,
    draw_positive,
    headed,
    plain,
    seconds,
)

_STYLES = {"residual": (BLUE, DASHES[0]), "coupling": (VERMILLION, DASHES[2])}
_OTHERS = ((GREEN, DASHES[1]), (PURPLE, DASHES[3]), (ORANGE, DASHES[1]), (SKY, DASHES[2]))
ERRORS = {
    "l2": ("$L^2$", "relative $L^2$ error", {"color": BLUE, "linestyle": DASHES[0]}),
    "h1": ("$H^1$", "relative $H^1$ error", {"color": VERMILLION, "linestyle": DASHES[3]}),
}


def _styles(terms: list[str]) -> dict[str, dict[str, Any]]:
    others = [name for name in terms if name not in _STYLES]
    found = _STYLES | {name: _OTHERS[i % len(_OTHERS)] for i, name in enumerate(others)}
    return {name: {"color": found[name][0], "linestyle": found[name][1]} for name in terms}


def draw_terms(axes: Any, run: Record, title: str) -> None:
    """Unweighted terms of the loss and the weighted sum."""
    styles = _styles(run.terms)
    for name in run.terms:
        draw_positive(axes, run.iterations, run.column(name), label=name, **styles[name])
    draw_positive(axes, run.iterations, run.column("loss"), label="weighted sum", color=BLACK, linewidth=0.6)
    axes.set_ylabel("loss term")
    along_iterations(axes)
    plain(axes)
    headed(axes, title, columns=3)


def draw_weights(axes: Any, run: Record, title: str) -> None:
    """τ_kλ_k, with the schedule's factor: the weighted terms by the terms."""
    styles = _styles(run.terms)
    for name in run.terms:
        term, weighted = run.column(name), run.column(f"weighted_{name}")
        ratio = np.divide(weighted, term, out=np.full_like(term, np.nan), where=term != 0)
        draw_positive(axes, run.iterations, ratio, label=name, **styles[name])
    axes.set_ylabel(r"weight $\tau_k\lambda_k$")
    along_iterations(axes)
    plain(axes)
    headed(axes, title, columns=3)


def draw_upscaled(axes: Any, run: Record, title: str) -> None:
    """K̃₁₁, or C̃₁₁, of the network and of the reference, with the last entry of the diagonal where both come from
    several lifted problems; of cells their mean, and what they go through.
    """
    found, exact = run.column("upscaled_coefficient"), run.summary.get("reference_upscaled_coefficient")
    mean = ""
    if found.ndim == 4:
        cells = run.summary.get("reference_cell_coefficient")
        exact = None if cells is None else np.mean(cells, axis=0)
        ends = (f(found[..., 0, 0], axis=1) for f in (np.min, np.max))
        axes.fill_between(run.iterations, *ends, color=BLUE, alpha=0.2)
        found, mean = found.mean(axis=1), "mean "
    tensor = run.has_lifted
    size = found.shape[-1] if found.size else run.dim
    entries = {"11": (0, BLUE), **({f"{size}{size}": (size - 1, VERMILLION)} if tensor else {})}
    for name, (i, color) in entries.items():
        if found.size:
            axes.plot(
                run.iterations, found[:, i, i], color=color, label=f"{mean}{name}, network" if tensor else "network"
            )
        if exact is not None:
            style = {"color": color, "label": f"{mean}{name}, reference"} if tensor else {"label": "reference"}
            draw_level(axes, float(np.asarray(exact)[i, i]), **style)
    axes.set_ylabel(rf"$\tilde {run.upscaled_letter}_{{{'ii' if tensor else '11'}}}$")
    along_iterations(axes)
    plain(axes)
    headed(axes, title)


def draw_errors(axes: Any, run: Record, title: str, against: str) -> None:
    """Both relative errors against iterations or seconds, beside those of the fine FEM, and what bounds the energy
    error."""
    x = run.iterations if against == "iteration" else run.seconds
    for key, (name, _, style) in ERRORS.items():
        draw_positive(axes, x, run.column(f"relative_{key}"), label=name, **style)
    times = {"l2": f", {seconds(run.number('fem_seconds'))}", "h1": ""}  # one and the same
    for key, (name, _, style) in ERRORS.items():
        label = f"{name}, fine FEM{times[key]}"
        draw_level(axes, run.number(f"fem_relative_{key}"), color=style["color"], label=label)
    _draw_bounds(axes, run, x)
    axes.set(xlabel=against, ylabel="relative error", yscale="log")
    if against == "iteration":
        along_iterations(axes)
    plain(axes)
    headed(axes, title)


def _draw_bounds(axes: Any, run: Record, x: np.ndarray) -> None:
    """The bounds that were logged, estimates without a dot, and at the best iteration the last one beside the energy
    error.
    """
    logged = run.column("relative_error_bound")
    known = np.isfinite(logged)
    kind = "bound" if run.number("error_bound_resolved") == 1 else "estimate"
    if known.any():
        axes.plot(x[known], logged[known], color=GREEN, linewidth=0.6)
        is_bound = known & (
            run.column("error_bound_resolved") == 1 if run.column("error_bound_resolved").size else known
        )
        axes.plot(x[is_bound], logged[is_bound], ".", color=GREEN, markersize=4)
    here = x[run.iterations == run.number("iteration")]
    last = {f"energy, {kind}": ("relative_error_bound", "v"), "energy": ("relative_energy_error", "x")}
    for label, (name, marker) in last.items():
        if here.size and np.isfinite(value := run.number(name)):
            axes.plot(here, value, marker, color=GREEN, markersize=5, label=label, linestyle="none")
