"""The lifted fine-scale problem."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.fem.faces import Face
from hpms.jet import Jet
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.conditions import AbstractConditions, AbstractFluxData
from hpms.problem.digest import digest, earlier_digest
from hpms.problem.domain import AbstractDomain
from hpms.problem.law.base import AbstractLaw, AbstractMedium
from hpms.problem.lift import AbstractLift
from hpms.problem.source.base import AbstractSource

_CHUNK = 20_000


class LiftedProblem(eqx.Module):
    """With w_i = u_i + x_i: A^ε u_i = -∇·(K^ε ∇u_i) = f_i^ε = q + ∂_iK^ε in Ω, u_i = 0 on ∂Ω, i = 1..l, Eq. (4.11).

    A is that of the `law`, and so is ℓ in the place of x_i. l = `lifts` is 1, or d where all entries of an upscaled
    tensor are wanted, times the number of the components of w. With `conditions` of one's own there is one w, and
    `own_lift` takes the place of x_1: w = u + ℓ and f = q - Aℓ. Where w `floats`, as nothing but fluxes is given,
    ∫ w = 0.
    """

    domain: AbstractDomain = eqx.field(static=True)
    law: AbstractLaw
    source: AbstractSource
    lifts: int = eqx.field(static=True, default=1)
    own_lift: AbstractLift | None = None
    conditions: AbstractConditions | None = None
    floats: bool = eqx.field(static=True, default=False)

    @property
    def coefficient(self) -> AbstractCoefficient:
        """K^ε."""
        return self.law.coefficient

    @property
    def given(self) -> tuple[Face, ...]:
        """The faces on which w is given."""
        if self.conditions is None:
            return tuple((axis, end) for axis in range(self.domain.dim) for end in (0, 1))
        return tuple(c.face for c in self.conditions.faces if not c.is_flux and not isinstance(c.face, str))

    @property
    def fluxes(self) -> tuple[Face, ...]:
        """The faces with a condition for the flux."""
        faces = () if self.conditions is None else self.conditions.faces
        found = (each.face for each in faces if each.is_flux and not isinstance(each.face, str))
        return tuple(dict.fromkeys(found))

    @property
    def flux_parts(self) -> tuple[str, ...]:
        """The names of the parts of ∂Ω with a condition for the flux."""
        return () if self.conditions is None else tuple(each.part for each in self.conditions.faces if each.is_flux)

    @property
    def lift(self) -> AbstractLift:
        """ℓ_i, with w_i = u_i + ℓ_i."""
        return self.law.lift(self.lifts) if self.own_lift is None else self.own_lift

    @eqx.filter_jit
    def medium(self, points: Float[Array, "m d"]) -> AbstractMedium:
        """K, ∇·K, c and f_i^ε at the points, in float64."""
        points = jnp.asarray(points, dtype=jnp.float64)
        medium, source = self.law.at(points), jax.vmap(self.source.value)(points)
        lift = self.lift.jet(points, self.law.forms)
        return replace(medium.about(lift.value), forcing=self.each(source) - medium.operator(lift))

    def each(self, source: Float[Array, " m *c"]) -> Float[Array, "m l"]:
        """q in the columns of all lifted problems."""
        columns = source.reshape(len(source), -1)
        return jnp.tile(columns, (1, self.lifts // columns.shape[1]))

    @eqx.filter_jit
    def flux_data(self, points: Float[Array, "b d"]) -> AbstractFluxData:
        """What the conditions for the flux ask of v at points of ∂Ω."""
        assert self.conditions is not None and self.own_lift is not None
        return self.law.flux_data(jnp.asarray(points, dtype=jnp.float64), self.conditions, self.own_lift)

    @cached_property
    def digest(self) -> str:
        """What tells K, q, c and Ω apart from others, `hpms.problem.digest.digest`."""
        found = digest((self.coefficient, self.source, *self.law.terms), self.domain.sides, self.domain.low)
        shape = self.domain.digest
        return hashlib.sha256(f"{found} {shape}".encode()).hexdigest()[:12] if shape else found

    def earlier_digest(self) -> str:
        """What earlier run files have in its place."""
        return earlier_digest((self.coefficient, self.source), self.domain.sides)

    def unlifted(
        self, points: Float[np.ndarray, "m d"], value: Float[np.ndarray, "m l"], gradient: Float[np.ndarray, "m l d"]
    ) -> tuple[Float[np.ndarray, "m l"], Float[np.ndarray, "m l d"]]:
        """w_i = u_i + ℓ_i and its flux -K^ε∇w_i at M points, from u_i and ∇u_i."""
        lift, slope = self.lifted(points)
        return value + lift, -self.law.stress(self.coefficient_at()(points), gradient + slope)

    def fields(
        self, points: Float[np.ndarray, "m d"], value: Float[np.ndarray, "m l"], gradient: Float[np.ndarray, "m l d"]
    ) -> dict[str, np.ndarray]:
        """w_i and what the law keeps of it at M points, by name, from u_i and ∇u_i."""
        lift, slope = self.lifted(points)
        return {"w": value + lift, **self.law.fields(self.coefficient_at()(points), gradient + slope)}

    def lifted(self, points: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, "m l"], Float[np.ndarray, "m l d"]]:
        """ℓ_i and ∇ℓ_i at M points."""
        jet = _lift(self.lift, jnp.asarray(points))
        return np.asarray(jet.value), np.stack([np.asarray(g) for g in jet.gradient], axis=2)

    def coefficient_at(self) -> Callable[[np.ndarray], np.ndarray]:
        """K as a NumPy function of points (M, d), for the finite element side: (M,), or (M, d, d)."""
        return on_host(self.coefficient, self.domain.dim)

    def reaction_at(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """c as a NumPy function of points (M, d), None for 0."""
        return None if self.law.reaction is None else on_host(self.law.reaction, self.domain.dim)

    def source_at(self) -> Callable[[np.ndarray], np.ndarray]:
        """q as a NumPy function of points (M, d), for the finite element side."""
        return on_host(self.source, self.domain.dim)


def on_host(field: AbstractCoefficient | AbstractSource, dim: int) -> Callable[[np.ndarray], np.ndarray]:
    """The field as a NumPy function of points (M, d), in chunks of one length, for which it is compiled here."""
    shape = _values(field, jnp.zeros((_CHUNK, dim))).block_until_ready().shape[1:]

    def evaluate(points: np.ndarray) -> np.ndarray:
        values = np.empty((len(points), *shape))
        for start in range(0, len(points), _CHUNK):
            chunk = points[start : start + _CHUNK]
            padded = np.concatenate([chunk, np.repeat(chunk[-1:], _CHUNK - len(chunk), axis=0)])
            values[start : start + _CHUNK] = np.asarray(_values(field, jnp.asarray(padded)))[: len(chunk)]
        return values

    return evaluate


@eqx.filter_jit
def _lift(lift: AbstractLift, points: Float[Array, "m d"]) -> Jet:
    return lift.jet(points)


@eqx.filter_jit
def _values(field: AbstractCoefficient | AbstractSource, points: Float[Array, "m d"]) -> Float[Array, " m *t"]:
    return jax.vmap(field.value)(points)


def strains(jet: Jet) -> tuple[Float[Array, "m l"], ...]:
    """∂_a w_i of w_i = v_i + x_i along each axis a."""
    problems = jnp.arange(jet.value.shape[1])
    return tuple(g + (problems == axis).astype(g.dtype) for axis, g in enumerate(jet.gradient))


def alone(array: np.ndarray) -> np.ndarray:
    """Without the axis of the lifted problems, the second, where there is one."""
    return array[:, 0] if array.ndim > 1 and array.shape[1] == 1 else array
