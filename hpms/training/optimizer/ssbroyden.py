"""Self-scaled Broyden with a dense inverse Hessian."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from hpms.errors import UserError
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport
from hpms.training.optimizer.tree import all_finite, select, settled

_MOST_PARAMETERS = 10_000  # their inverse Hessian has 800 MB


class SsbroydenState(eqx.Module):
    """θ and the inverse Hessian H in float64, the line search's value and gradient at θ, and whether H = I."""

    point: Float[Array, " p"]
    inverse: Float[Array, "p p"]
    search: optax.ScaleByZoomLinesearchState
    fresh: Bool[Array, ""]


class Ssbroyden(AbstractOptimizer):
    """The self-scaled Broyden method of Urbán, Stefanou and Pons, JCP 523 (2025) 113656, with Optax's line search.

    It iterates in float64 even on a float32 network: an iterate in float32 stalls a hundred times higher. The package
    ssbroyden-optimistix does not accept float32 parameters, and never says that its line search failed.
    """

    trials: int = eqx.field(static=True)
    stall: ClassVar[str] = "the line search finds no lower loss"

    def init(self, theta: Float[Array, " p"]) -> SsbroydenState:
        point = theta.astype(jnp.float64)
        search = settled(self._search().init(point), point.dtype)
        return SsbroydenState(point, jnp.eye(point.size, dtype=point.dtype), search, jnp.array(True))

    def renew(self, theta: Float[Array, " p"], optimizer_state: SsbroydenState) -> SsbroydenState:
        return self.init(theta)

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: SsbroydenState,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], SsbroydenState, StepReport]:
        point = optimizer_state.point

        def function(wide: Array) -> Array:
            return loss.value(wide.astype(theta.dtype)).astype(wide.dtype)

        with jax.numpy_dtype_promotion("standard"):  # optax mixes integer counts with floats
            gradient: Any
            updates: Any
            value, gradient = optax.value_and_grad_from_state(function)(point, state=optimizer_state.search)
            direction = -(optimizer_state.inverse @ gradient)
            updates, search = self._search().update(
                direction, optimizer_state.search, point, value=value, grad=gradient, value_fn=function
            )
        search = settled(search, point.dtype)
        moved = point + updates
        after = moved.astype(theta.dtype)
        stalled = jnp.isfinite(value) & ~((search.value < value) & jnp.any(after != theta))
        inverse, updated = _updated(optimizer_state, updates, search.grad - gradient, gradient, search.learning_rate)
        finite = all_finite(value, gradient) & (stalled | all_finite(moved, search.grad))
        new = SsbroydenState(moved, inverse, search, optimizer_state.fresh & ~updated)
        report = StepReport(loss.squares(loss.residuals(theta)), finite, stalled)
        return after, select(stalled, optimizer_state, new), report

    def metrics(self, optimizer_state: SsbroydenState, iteration: int) -> dict[str, float]:
        return {"step_length": float(jnp.asarray(optimizer_state.search.learning_rate))}

    def _search(self) -> optax.GradientTransformationExtraArgs:
        return optax.scale_by_zoom_linesearch(self.trials, initial_guess_strategy="one")


def _updated(
    state: SsbroydenState, s: Float[Array, " p"], y: Float[Array, " p"], gradient: Float[Array, " p"], length: Array
) -> tuple[Float[Array, "p p"], Bool[Array, ""]]:
    """H <- (H - Hy y^T H/y^T Hy + φ y^T Hy v v^T)/τ + ρ s s^T, v = ρ s - Hy/y^T Hy, ρ = 1/y^T s, as one rank-2 update.

    H stays as it is, and the second output is false, where y^T s is not positive or the numbers are not finite.
    """
    image = state.inverse @ y
    inner, curvature = y @ s, y @ image
    rho = 1 / inner
    h, b = curvature * rho, -length * rho * (s @ gradient)  # B s = -length ∇J, as s = -length H ∇J
    a = b * h - 1
    bound = jnp.minimum(1, h * (1 - jnp.sqrt(jnp.abs(a / (1 + a)))))
    theta = jnp.maximum((bound - 1) / a, jnp.minimum(1 / bound, (1 - b) / b))
    sigma = 1 + theta * a
    power, smaller = jnp.abs(sigma) ** (1 / (1 - s.size)), jnp.minimum(1, 1 / b)
    tau = jnp.where(theta <= 0, jnp.minimum(smaller * power, sigma), smaller * jnp.minimum(power, 1 / theta))
    tau = jnp.where(state.fresh, h / sigma, tau)
    phi = (1 - theta) / sigma
    found = jnp.stack([1 / tau, (phi - 1) / (curvature * tau), -phi * rho / tau, phi * curvature * rho**2 / tau + rho])
    good = (inner > 0) & jnp.isfinite(found).all()
    scale, p, q, r = jnp.where(good, found, jnp.array([1, 0, 0, 0], found.dtype))
    inverse = scale * state.inverse + jnp.outer(image, p * image + q * s) + jnp.outer(s, q * image + r * s)
    return inverse, good


def check_matrix(parameters: int) -> None:
    """Raises `UserError` where the inverse Hessian of so many parameters is too large."""
    if parameters > _MOST_PARAMETERS:
        raise UserError(
            f"optimizer=ssbroyden keeps a dense matrix of {parameters} x {parameters} numbers for this network, "
            f"{8e-9 * parameters**2:.1f} GB: take a network of at most {_MOST_PARAMETERS} parameters."
        )
