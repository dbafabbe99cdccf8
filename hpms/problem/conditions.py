"""Values and fluxes on the parts of the boundary, at points of ∂Ω."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from hpms.fem.faces import Face, part
from hpms.jet import Jet
from hpms.problem.source.base import AbstractSource

_AT = 1e-12  # of a side: how far from a face a point of ∂Ω may lie


class FaceCondition(eqx.Module):
    """w = g, or where there is a `rate` a, which may be 0, K∇w·n + a w = g on a face of a box, or on a named part."""

    face: Face | str = eqx.field(static=True)
    value: AbstractSource
    rate: AbstractSource | None = None

    @property
    def part(self) -> str:
        """Its name."""
        return self.face if isinstance(self.face, str) else part(self.face)

    @property
    def is_flux(self) -> bool:
        """Whether it is one for the flux."""
        return self.rate is not None


class AbstractFluxData(eqx.Module):
    """What the conditions for the flux need at points of ∂Ω."""

    @abc.abstractmethod
    def density(self, jet: Jet) -> Float[Array, "m l"]:
        """What is left of them, from the jet of v."""


class FluxData(AbstractFluxData):
    """What K∇v·n + a v = h needs at M points: Kn (M, d), a (M,) and h (M, 1)."""

    conormal: Float[Array, "*m d"]
    rate: Float[Array, "*m"]
    target: Float[Array, "*m 1"]

    def density(self, jet: Jet) -> Float[Array, "m 1"]:
        slope = sum(self.conormal[:, a : a + 1] * g for a, g in enumerate(jet.gradient))
        return slope + self.rate[:, None] * jet.value - self.target


class AbstractPlaces(eqx.Module):
    """Where the parts of ∂Ω lie."""

    @abc.abstractmethod
    def on(self, points: Float[Array, "m d"], face: Face | str) -> Bool[Array, " m"]:
        """Whether points of ∂Ω lie there."""

    @abc.abstractmethod
    def normal(self, points: Float[Array, "m d"], face: Face | str) -> Float[Array, "*m d"]:
        """The outward unit normals, of one row where it is the same everywhere."""


class BoxFaces(AbstractPlaces):
    """Those of the box with these `sides`."""

    sides: tuple[float, ...] = eqx.field(static=True)

    def on(self, points: Float[Array, "m d"], face: Face | str) -> Bool[Array, " m"]:
        assert not isinstance(face, str)
        axis, end = face
        return jnp.abs(points[:, axis] - end * self.sides[axis]) < _AT * self.sides[axis]

    def normal(self, points: Float[Array, "m d"], face: Face | str) -> Float[Array, "*m d"]:
        assert not isinstance(face, str)
        axis, end = face
        return (2 * end - 1) * jax.nn.one_hot(axis, points.shape[1], dtype=points.dtype)


class AbstractConditions(eqx.Module):
    """All `faces` with their conditions, the `places` of these, and the `periodic` axes of a box."""

    faces: eqx.AbstractVar[tuple[FaceCondition, ...]]
    places: eqx.AbstractVar[AbstractPlaces]
    periodic: eqx.AbstractVar[tuple[int, ...]]

    @property
    def has_flux(self) -> bool:
        """Whether one of them is for the flux."""
        return any(each.is_flux for each in self.faces)

    @abc.abstractmethod
    def where(self, points: Float[Array, "m d"], flux: bool) -> Bool[Array, " m"]:
        """Whether the points of ∂Ω lie on a face whose condition is for the flux, or on one of the others."""

    @abc.abstractmethod
    def normal(self, points: Float[Array, "m d"]) -> Float[Array, "m d"]:
        """The outward unit normals."""

    @abc.abstractmethod
    def at(self, points: Float[Array, "m d"]) -> tuple[Float[Array, " m *l"], Float[Array, " m *l"]]:
        """a and g of the conditions for the flux, 0 elsewhere; of a vector in d columns."""


class Conditions(AbstractConditions):
    """One for each part of ∂Ω, but those across the `periodic` axes of a box."""

    faces: tuple[FaceCondition, ...]
    places: AbstractPlaces
    periodic: tuple[int, ...] = eqx.field(static=True, default=())

    def where(self, points: Float[Array, "m d"], flux: bool) -> Bool[Array, " m"]:
        found = [self.places.on(points, each.face) for each in self.faces if each.is_flux == flux]
        return jnp.any(jnp.stack(found), axis=0) if found else jnp.zeros(len(points), bool)

    def normal(self, points: Float[Array, "m d"]) -> Float[Array, "m d"]:
        total = jnp.zeros_like(points)
        for each in self.faces:
            on = self.places.on(points, each.face)
            total = jnp.where(on[:, None], self.places.normal(points, each.face), total)
        return total

    def at(self, points: Float[Array, "m d"]) -> tuple[Float[Array, " m"], Float[Array, " m"]]:
        rate, value = jnp.zeros(len(points)), jnp.zeros(len(points))
        for each in self.faces:
            if each.rate is not None:
                on = self.places.on(points, each.face)
                rate = jnp.where(on, jax.vmap(each.rate.value)(points), rate)
                value = jnp.where(on, jax.vmap(each.value.value)(points), value)
        return rate, value
