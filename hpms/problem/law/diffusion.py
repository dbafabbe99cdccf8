"""Diffusion, with a scalar or a tensor, and a reaction."""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.fem.sample import check_coefficient
from hpms.fem.tensors import applied
from hpms.jet import Forms, Jet
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.conditions import AbstractConditions, Conditions, FluxData
from hpms.problem.law.base import AbstractLaw, AbstractMedium
from hpms.problem.lift import AbstractLift
from hpms.problem.source.base import AbstractSource


class Medium(AbstractMedium):
    """K (M,), or symmetric tensors (M, d, d), with ∇K or the ∇·K = Σ_a ∂_aK_ab (M, d); f_i (M, l); and c (M,), None
    for 0.
    """

    coefficient: Float[Array, "*k"]
    divergence: Float[Array, "*m d"]
    forcing: Float[Array, "*m l"] | None = None
    reaction: Float[Array, "*m"] | None = None

    def operator(self, jet: Jet) -> Float[Array, "m l"]:
        """-K : ∇²v_i - (∇·K)·∇v_i + c v_i, where K : ∇² = KΔ for a scalar."""
        advection: Array = reduce(jnp.add, (self.divergence[:, a : a + 1] * g for a, g in enumerate(jet.gradient)))
        if jet.forms is None:
            principal: Array = self.coefficient[:, None] * jet.laplacian
        else:
            places = [form[0][:2] for form in jet.forms]
            entries = (self.coefficient[:, i, j, None] * s for (i, j), s in zip(places, jet.second, strict=True))
            principal = reduce(jnp.add, entries)
        found = -(principal + advection)
        return found if self.reaction is None else found + self.reaction[:, None] * jet.value

    def stress(self, strains: tuple[Float[Array, "m l"], ...]) -> tuple[Float[Array, "m l"], ...]:
        if self.coefficient.ndim == 1:
            return tuple(self.coefficient[:, None] * s for s in strains)
        axes = range(len(strains))
        return tuple(reduce(jnp.add, (self.coefficient[:, b, a, None] * strains[a] for a in axes)) for b in axes)

    def check(self, points: Float[np.ndarray, "m d"]) -> None:
        check_coefficient(points, np.asarray(self.coefficient, np.float64))
        _refuse(points, np.isfinite(self.divergence).all(axis=1), "the coefficient must have a finite gradient")
        if self.reaction is not None:
            rate = np.asarray(self.reaction)
            _refuse(points, np.isfinite(rate) & (rate >= 0), "law.reaction must be finite and not negative")
        if self.forcing is not None:
            _refuse(points, np.isfinite(self.forcing).all(axis=1), "the source must be finite")


class Diffusion(AbstractLaw):
    """A w = -∇·(K∇w) + c w, with K > 0 a number or a symmetric tensor, and a `reaction` c >= 0, None for 0."""

    coefficient: AbstractCoefficient
    reaction: AbstractSource | None = None

    @property
    def forms(self) -> Forms | None:
        return self.coefficient.forms

    @property
    def spectrum(self) -> AbstractCoefficient:
        return self.coefficient

    def at(self, points: Float[Array, "m d"]) -> Medium:
        value, slope = jax.vmap(self.coefficient.value)(points), jax.vmap(self.coefficient.gradient)(points)
        divergence: Any = slope if value.ndim == 1 else jnp.einsum("maba->mb", slope)
        reaction = None if self.reaction is None else jax.vmap(self.reaction.value)(points)
        return Medium(coefficient=value, divergence=divergence, reaction=reaction)

    def flux_data(self, points: Float[Array, "b d"], conditions: AbstractConditions, lift: AbstractLift) -> FluxData:
        """K∇v·n + a v = g - K∇ℓ·n - aℓ."""
        assert isinstance(conditions, Conditions)
        slope = conormal(jax.vmap(self.coefficient.value)(points), conditions.normal(points))
        rate, given = conditions.at(points)
        on = conditions.where(points, flux=True)
        jet = lift.jet(points)
        known = sum(slope[:, a : a + 1] * g for a, g in enumerate(jet.gradient))
        target = given[:, None] - known - rate[:, None] * jet.value
        return FluxData(slope, rate, jnp.where(on[:, None], target, 0))

    def stress(
        self, values: Float[np.ndarray, " m *t"], slopes: Float[np.ndarray, "m l d"]
    ) -> Float[np.ndarray, "m l d"]:
        return applied(values, slopes)

    def fields(self, values: Float[np.ndarray, " m *t"], slopes: Float[np.ndarray, "m l d"]) -> dict[str, np.ndarray]:
        """-K∇w."""
        return {"flux": -applied(values, slopes)}


def _refuse(points: np.ndarray, sound: Any, what: str) -> None:
    if (bad := ~np.asarray(sound)).any():
        where = ", ".join(f"{x:.4g}" for x in points[int(np.argmax(bad))])
        raise UserError(f"{what}, but at ({where}) it is not.")


def conormal(value: Float[Array, " m *t"], normal: Float[Array, "m d"]) -> Float[Array, "m d"]:
    """K n, so that K∇v·n = (Kn)·∇v."""
    return value[:, None] * normal if value.ndim == 1 else jnp.einsum("mab,mb->ma", value, normal)
