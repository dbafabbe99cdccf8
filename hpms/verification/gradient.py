"""The gradient of the reduced objective θ -> J(y(θ), θ), by Taylor remainders and finite differences."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.base import AbstractCoarseSolver, CoarseRecord, CoarseView
from hpms.training.loss import Loss
from hpms.training.state import evaluate, gradient
from hpms.verification.check import Check, small

_HALVINGS = 4
_NONLINEAR = 0.02  # the largest remainder, relative to the first-order change, at which Taylor's test begins
_PROBE = 1e-5


class Reduced:
    """J(θ) = Σ_k λ_k ‖r_k(θ, y(θ))‖² where y solves the coarse problem for κ[v_θ] anew at each θ."""

    def __init__(self, loss: Loss, solver: AbstractCoarseSolver | None, weights: np.ndarray):
        self.loss, self.solver = loss, solver
        self.weights = jnp.asarray(weights, jnp.float64)

    def is_admissible(self, theta: Float[Array, " p"]) -> bool:
        """Whether κ[v_θ] admits a coarse state."""
        return self.solver is None or self._record(self.solver, theta).updates > 0

    def value(self, theta: Float[Array, " p"]) -> float:
        return float(self.weights @ evaluate(self.loss, theta, self.view(theta)).terms)

    def gradient(self, theta: Float[Array, " p"]) -> Float[np.ndarray, " p"]:
        return np.asarray(gradient(self.loss, theta, self.weights, self.view(theta)))

    def fresh(self, theta: Float[Array, " p"]) -> Loss:
        """The loss with the coarse state y(θ)."""
        return self.loss.weighted(self.weights, self.view(theta))

    def view(self, theta: Float[Array, " p"]) -> CoarseView | None:
        """The coarse state y(θ) as the jitted side sees it."""
        return None if self.solver is None else self.solver.view(self._record(self.solver, theta))

    def _record(self, solver: AbstractCoarseSolver, theta: Float[Array, " p"]) -> CoarseRecord:
        start = solver.initial()
        return solver.update(start, evaluate(self.loss, theta, solver.view(start)))


def check_gradient(name: str, reduced: Reduced, theta: Float[Array, " p"], seed: int) -> list[Check]:
    """Taylor remainders of J along d: rate 1 without the gradient, 2 with it; and central differences.

    Directions d are random, of the norm of θ, each with a part along the gradient so that J changes.
    """
    random = np.random.default_rng(seed)
    slope = reduced.gradient(theta)

    def direction() -> np.ndarray:
        noise = random.standard_normal(theta.size)
        both = noise / np.linalg.norm(noise) + slope / np.linalg.norm(slope)
        return both * float(jnp.linalg.norm(theta))

    d = direction()
    step = _first_step(lambda h: reduced.value(theta + h * d), float(slope @ d))
    steps = step / 2.0 ** np.arange(_HALVINGS + 1)
    change = np.array([reduced.value(theta + h * d) for h in steps]) - reduced.value(theta)
    without, remainder = np.abs(change), np.abs(change - steps * (slope @ d))
    errors = []
    for _ in range(3):
        d, h = direction(), steps[-1]
        difference = (reduced.value(theta + h * d) - reduced.value(theta - h * d)) / (2 * h)
        errors.append(abs(difference - slope @ d) / abs(slope @ d))
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
