"""The gradient of the reduced objective θ -> J(y(θ), θ), by Taylor remainders and finite differences."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.base import AbstractCoarseSide, AbstractCouplingState
from hpms.coupling.upscaling import isotropic
from hpms.training.objective import COUPLING, Evaluation, Objective
from hpms.training.state import evaluate, objective_gradient
from hpms.verification.check import Check, small

_HALVINGS = 4
_NONLINEAR = 0.02  # the largest remainder, relative to the first-order change, at which Taylor's test begins
_PROBE = 1e-5


class Reduced:
    """J(θ) = Σ_k λ_k ‖r_k(θ, y(θ))‖² where y solves the coarse problem for K̃[v_θ] anew at each θ, from `record`."""

    def __init__(self, objective: Objective, coarse: AbstractCoarseSide | None, record: Any, weights: np.ndarray):
        self.objective, self.coarse, self.record = objective, coarse, record
        self.weights = jnp.asarray(weights, jnp.float64)

    def is_admissible(self, theta: Float[Array, " p"]) -> bool:
        """Whether K̃[v_θ] admits a coarse state."""
        return self.coarse is None or self._update(theta)[1].updates > 0

    def value(self, theta: Float[Array, " p"]) -> float:
        found, state = self._solve(theta)
        terms = found.terms
        if self.objective.coupling is not None and state is not None and found.means is not None:
            residual = self.objective.coupling.residual(found.means, state)
            terms = terms.at[self.objective.names.index(COUPLING)].set(jnp.sum(residual**2))
        return float(self.weights @ terms)

    def gradient(self, theta: Float[Array, " p"]) -> Float[np.ndarray, " p"]:
        _, state = self._solve(theta)
        return np.asarray(objective_gradient(self.objective, theta, self.weights, state))

    def state(self, theta: Float[Array, " p"]) -> AbstractCouplingState | None:
        """The coarse state y(θ) as the jitted side sees it."""
        return self._solve(theta)[1]

    def _solve(self, theta: Float[Array, " p"]) -> tuple[Evaluation, AbstractCouplingState | None]:
        """All terms but the coupling's, and the coarse state for θ."""
        if self.coarse is None:
            return evaluate(self.objective, theta, None), None
        found, record = self._update(theta)
        return found, self.coarse.state(record)

    def _update(self, theta: Float[Array, " p"]) -> tuple[Evaluation, Any]:
        assert self.coarse is not None
        found = evaluate(self.objective, theta, self.coarse.state(self.record))
        upscaled = np.asarray(isotropic(found.mean_flux, self.coarse.nodes.shape[1]))
        return found, self.coarse.update(self.record, upscaled, np.asarray(found.means))


def check_gradient(name: str, reduced: Reduced, theta: Float[Array, " p"], seed: int) -> list[Check]:
    """Taylor remainders of J along d: rate 1 without the gradient, 2 with it; and central differences.

    Directions d are random, of the norm of θ, each with a part along the gradient so that J changes.
    """
    random = np.random.default_rng(seed)
    gradient = reduced.gradient(theta)

    def direction() -> np.ndarray:
        noise = random.standard_normal(theta.size)
        both = noise / np.linalg.norm(noise) + gradient / np.linalg.norm(gradient)
        return both * float(jnp.linalg.norm(theta))

    d = direction()
    step = _first_step(lambda h: reduced.value(theta + h * d), float(gradient @ d))
    steps = step / 2.0 ** np.arange(_HALVINGS + 1)
    change = np.array([reduced.value(theta + h * d) for h in steps]) - reduced.value(theta)
    without, remainder = np.abs(change), np.abs(change - steps * (gradient @ d))
    errors = []
    for _ in range(3):
        d, h = direction(), steps[-1]
        difference = (reduced.value(theta + h * d) - reduced.value(theta - h * d)) / (2 * h)
        errors.append(abs(difference - gradient @ d) / abs(gradient @ d))
    return [
        Check(f"{name}: Taylor rate without the gradient", _rate(steps, without), 0.9, 1.1),
        Check(f"{name}: Taylor rate with the gradient", _rate(steps, remainder), 1.9, 2.1),
        small(f"{name}: finite differences, 3 directions", max(errors), 1e-5),
    ]


def _first_step(value: Callable[[float], float], slope: float) -> float:
    """The step at which J departs from its tangent by a few per cent, by its curvature at 0; no rate shows beyond."""
    start = value(0.0)
    curvature = abs(value(_PROBE) - start - _PROBE * slope) / _PROBE**2
    step = min(1.0, _NONLINEAR * abs(slope) / max(curvature, 1e-300))
    while abs(value(step) - start - step * slope) > 2 * _NONLINEAR * abs(step * slope) and step > _PROBE**2:
        step /= 4
    return step


def _rate(steps: np.ndarray, remainders: np.ndarray) -> float:
    return float(np.polyfit(np.log(steps), np.log(np.maximum(remainders, 1e-300)), 1)[0])
