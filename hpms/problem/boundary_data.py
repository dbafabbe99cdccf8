"""Whether conditions of one's own are sound: finite, coercive, and the same at both ends of a periodic axis."""

import logging
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.conditions import AbstractConditions, FaceCondition
from hpms.problem.domain import AbstractDomain
from hpms.problem.law.semilinear import Semilinear
from hpms.problem.lifted import LiftedProblem, on_host

KEY = "problem.conditions"
_SAME, _BALANCED = 1e-6, 1e-4
log = logging.getLogger(__name__)


def check_conditions(problem: LiftedProblem, points: np.ndarray) -> None:
    """Raises `UserError` where data are not finite on their face, a rate is negative, or nothing fixes w, and where K,
    ∇K or ℓ, ∇ℓ differ at the ends of an axis along which w is to be periodic: there the `points` of Ω (M, d) are moved.
    """
    conditions = problem.conditions
    assert conditions is not None
    held = [_check_face(each, problem.domain) for each in conditions.faces]
    if problem.floats:
        _check_balance(problem)
    elif not any(held) and not _reacts(problem, points):
        raise UserError(
            f"{KEY} leaves w open by a constant: give a value, or a rate that is not 0, on some part"
            f"{'.' if isinstance(problem.law, Semilinear) else ', or a law.reaction that is not 0 everywhere.'}"
        )
    for axis in conditions.periodic:
        low, high = (_moved(points, axis, end * problem.domain.sides[axis]) for end in (0, 1))
        ends = {"the coefficient": tuple(_scaled_jet(problem, each) for each in (low, high))}
        first, second = problem.lifted(low), problem.lifted(high)
        given = [np.hstack([value, slope[:, 0]]) for value, slope in (first, second)]
        ends["what is given on other parts"] = (given[0], given[1])
        for name, (here, there) in ends.items():
            if not np.abs(there - here).max() <= _SAME * max(np.abs(here).max(), np.abs(there).max()):
                raise UserError(
                    f"along x{axis + 1} w is to be periodic, but {name} is not the same, with its slope, at both ends: "
                    f"choose another side, formula or condition."
                )


def check_faces(conditions: AbstractConditions, boundary: np.ndarray, hard: bool) -> None:
    """Raises `UserError` where a face whose condition is a term of the loss holds none of the points on ∂Ω (M, d)."""
    for each in conditions.faces:
        found = np.asarray(conditions.places.on(jnp.asarray(boundary), each.face))
        if not found.any() and (each.is_flux or not hard):
            raise UserError(
                f"none of the collocation.boundary_points={len(boundary)} points lies on {each.part}, whose "
                f"condition would be lost: give more of them."
            )


def _reacts(problem: LiftedProblem, points: np.ndarray) -> bool:
    """Whether there is a reaction, and it is not 0 at all of the points."""
    reaction = problem.reaction_at()
    return reaction is not None and bool(reaction(points).max() > 0)


def _check_balance(problem: LiftedProblem) -> None:
    """Raises `UserError` unless ∫ q + ∫_∂Ω g = 0, without which there is no w where only fluxes are given."""
    conditions, domain = problem.conditions, problem.domain
    assert conditions is not None
    points, weights = domain.measuring_points()
    values, measures = [problem.source_at()(points)], [weights]
    for each in conditions.faces:
        points, weights = domain.face_points(each.face)
        values.append(on_host(each.value, domain.dim)(points))
        measures.append(weights)
    total = sum(m @ v for m, v in zip(measures, values, strict=True))
    size = sum(m @ np.abs(v) for m, v in zip(measures, values, strict=True))
    if abs(total) > _BALANCED * size:
        raise UserError(
            f"{KEY} gives fluxes alone, and with the source they leave {total:.4g} over: ∫q + ∫g has to vanish where "
            f"nothing holds w; change one of them, or give a value or a rate on some part."
        )
    log.info("all conditions are for fluxes: the constant in w is fixed by ∫w = 0")


def _check_face(each: FaceCondition, domain: AbstractDomain) -> bool:
    """Whether the condition fixes w."""
    dim, (there, _) = domain.dim, domain.face_points(each.face)
    fields: dict[str, Any] = {"value": each.value} | ({} if each.rate is None else {"rate": each.rate})
    found = {name: on_host(field, dim)(there) for name, field in fields.items()}
    for name, values in found.items():
        if not np.isfinite(values).all():
            place = ", ".join(f"{x:.4g}" for x in there[np.argmax(~np.isfinite(values))])
            raise UserError(f"{KEY}.{each.part}: its {name} must be finite, but at ({place}) it is not.")
    if each.rate is None:
        return True
    if (rate := found["rate"]).min() < 0:
        raise UserError(f"{KEY}.{each.part}: its rate must not be negative, as {rate.min():.4g} is.")
    return bool(rate.max() > 0)


def _scaled_jet(problem: LiftedProblem, points: np.ndarray) -> np.ndarray:
    """K and ε∇K, which are of one size (M, n)."""
    value, slope = _jet(problem.coefficient, jnp.asarray(points))
    return np.hstack([np.reshape(each, (len(points), -1)) for each in (value, problem.domain.eps * slope)])


@eqx.filter_jit
def _jet(coefficient: AbstractCoefficient, points: Float[Array, "m d"]) -> tuple[Array, Array]:
    return jax.vmap(coefficient.value)(points), jax.vmap(coefficient.gradient)(points)


def _moved(points: np.ndarray, axis: int, to: float) -> np.ndarray:
    moved = points.copy()
    moved[:, axis] = to
    return moved
