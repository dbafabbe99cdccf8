"""Whether a coefficient is as smooth as the strong residual needs it."""

import logging

import numpy as np
from jaxtyping import Float

from hpms.fem.tensors import eigenvalues
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.lifted import LiftedProblem, on_host

log = logging.getLogger(__name__)
_LINES, _PER_LINE, _PER_ZOOM, _ZOOMS = 8, 1000, 17, 16
_JUMP, _CONTRAST = 1e-3, 1e6


def warn_of_roughness(
    coefficient: AbstractCoefficient, sides: tuple[float, ...], single: bool, start: tuple[float, ...] | None = None
) -> None:
    """Logs what training would pass over in silence: a jump or a pole of K^ε between neighbouring points, where the
    residual -∇·(K∇u) - q leaves the jump out; a kink by the functions of its formula; and, in single precision, a
    contrast above 1e6.
    """
    size, jump, place = _probe(coefficient, sides, start)
    contrast = size[1] / size[0] if size[0] > 0 else np.inf
    if jump > _JUMP:
        log.warning(
            "the coefficient jumps near (%s): the residual at points leaves a jump out, so the network solves another "
            "problem; smooth it, as coefficient=layered does",
            ", ".join(f"{x:.4g}" for x in place),
        )
    elif rough := getattr(coefficient, "rough", None):
        log.warning(
            "the coefficient's formula uses %s of x: where that jumps or has a kink the residual at points leaves it "
            "out; smooth it, as coefficient=layered does",
            ", ".join(rough),
        )
    if single and contrast > _CONTRAST:
        log.warning("the coefficient's contrast is %.1g, too much for float32: add runtime.precision=float64", contrast)


def roughness(problem: LiftedProblem) -> str:
    """What of the warnings below keeps the residual at points from being that of the equation, or nothing."""
    _, jump, _ = _probe(problem.law.spectrum, problem.domain.sides, problem.domain.low)
    if jump > _JUMP:
        return "the coefficient jumps"
    if getattr(problem.coefficient, "rough", None):
        return "the coefficient's formula may have jumps or kinks"
    if problem.lift.meets:
        return "given values differ on faces that meet"
    return "given values may have kinks" if _rough_data(problem) else ""


def warn_of_rough_data(problem: LiftedProblem) -> None:
    """Logs where a value that is given may have a kink: its extension into Ω has it, too, and the residual does not."""
    for formula, rough in _rough_data(problem):
        log.warning(
            "problem.conditions: the value %s uses %s of x; its extension into the domain has a kink, which the "
            "residual at points leaves out: the network may solve another problem",
            formula,
            ", ".join(rough),
        )


def _rough_data(problem: LiftedProblem) -> list[tuple[str, list[str]]]:
    """Formulas of given values, with the functions in them that may have kinks."""
    faces = problem.conditions.faces if problem.conditions else ()
    formulas = [getattr(each.value, "formula", None) for each in faces if not each.is_flux]
    found = [(each.text, each.kinks(["x1", "x2", "x3"])) for each in formulas if each is not None]
    return [(text, rough) for text, rough in found if rough]


def _probe(
    coefficient: AbstractCoefficient, sides: tuple[float, ...], start: tuple[float, ...] | None = None
) -> tuple[tuple[float, float], float, Float[np.ndarray, " d"]]:
    """Least and greatest K on lines along the axes, how much of a difference, relative to K there, is left in the
    steepest piece of one of them when it is 1e-14 long, and where: a jump does not shrink, however steep the rest is.

    Each line is taken twice, as K may be steepest by its differences in one place, and by relative ones in another.
    """
    dim = len(sides)
    axes = np.tile(np.arange(dim).repeat(_LINES), 2)
    sampled = on_host(coefficient, dim)
    base = np.tile(np.random.default_rng(1).random((len(axes) // 2, 1, dim)), (2, 1, 1))
    is_relative = np.repeat([False, True], len(axes) // 2)[:, None]
    low, high = np.zeros(len(axes)), np.ones(len(axes))
    mix = np.random.default_rng(2).random(dim * dim)  # of a tensor's entries, any of which may jump
    count, size = _PER_LINE, (np.inf, -np.inf)
    for _ in range(_ZOOMS):
        along = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count)
        points = np.broadcast_to(base, (len(axes), count, dim)).copy()
        np.put_along_axis(points, np.broadcast_to(axes[:, None, None], (len(axes), count, 1)), along[..., None], axis=2)
        points = points * np.array(sides) + np.array(start or (0.0,) * dim)
        found = sampled(points.reshape(-1, dim))
        values = (found if found.ndim == 1 else found.reshape(len(found), -1) @ mix).reshape(len(axes), count)
        own = eigenvalues(found).reshape(*values.shape, -1)
        size = min(size[0], float(np.nanmin(own))), max(size[1], float(np.nanmax(own)))
        scale = np.abs(own[..., 0])  # the least eigenvalue
        with np.errstate(invalid="ignore", divide="ignore"):  # of a pole
            steps = np.abs(np.diff(values, axis=1))
            steps = np.where(is_relative, steps / np.maximum(scale[:, 1:], scale[:, :-1]), steps)
        steepest = steps.argmax(axis=1)
        rows = np.arange(len(axes))
        low, high = along[rows, np.maximum(steepest - 1, 0)], along[rows, np.minimum(steepest + 2, count - 1)]
        count = _PER_ZOOM
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.nan_to_num(np.ptp(values, axis=1) / scale.max(axis=1), nan=np.inf, posinf=np.inf)
    most = int(spread.argmax())
    return size, float(spread[most]), points[most, 0]
