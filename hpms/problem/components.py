"""Conditions, given values and walls of a vector, component by component."""

from dataclasses import dataclass
from functools import reduce

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from hpms.jet import Forms, Jet, concatenate
from hpms.problem.conditions import AbstractConditions, AbstractPlaces, Conditions, FaceCondition
from hpms.problem.lift import AbstractLift
from hpms.problem.walls import AbstractWalls


class ComponentConditions(AbstractConditions):
    """Those of w_1, ..., w_d, one of `each`: its value, or the component of the flux; `faces` are all of these."""

    faces: tuple[FaceCondition, ...]
    places: AbstractPlaces
    periodic: tuple[int, ...] = eqx.field(static=True)
    each: tuple[Conditions, ...]

    def where(self, points: Float[Array, "m d"], flux: bool) -> Bool[Array, " m"]:
        """Whether one component has such a condition there."""
        return jnp.any(jnp.stack([component.where(points, flux) for component in self.each]), axis=0)

    def normal(self, points: Float[Array, "m d"]) -> Float[Array, "m d"]:
        return self.each[0].normal(points)

    def at(self, points: Float[Array, "m d"]) -> tuple[Float[Array, "m l"], Float[Array, "m l"]]:
        rates, values = zip(*(component.at(points) for component in self.each), strict=True)
        return jnp.stack(rates, axis=1), jnp.stack(values, axis=1)


def component_conditions(each: tuple[Conditions, ...]) -> ComponentConditions:
    """Of a vector whose components have these."""
    faces = tuple(condition for component in each for condition in component.faces)
    return ComponentConditions(faces=faces, places=each[0].places, periodic=each[0].periodic, each=each)


class ComponentLift(AbstractLift):
    """ℓ with the component ℓ_i by one of `each`."""

    each: tuple[AbstractLift, ...]

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        return reduce(concatenate, (component.jet(x, forms) for component in self.each))

    @property
    def meets(self) -> bool:
        return any(component.meets for component in self.each)


@dataclass(frozen=True)
class ComponentWalls(AbstractWalls):
    """The parts of ∂Ω on which component i is to vanish by one of `each`; l and b are (M, d)."""

    each: tuple[AbstractWalls, ...]

    @property
    def is_empty(self) -> bool:
        return all(component.is_empty for component in self.each)

    def vanishing(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        return reduce(concatenate, (component.vanishing(x, forms) for component in self.each))

    def saturation(self, x: Float[Array, "m d"], lengths: tuple[float, ...], forms: Forms | None = None) -> Jet:
        return reduce(concatenate, (component.saturation(x, lengths, forms) for component in self.each))
