"""Boxes with sides of any lengths, and functions that vanish on some of their faces."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.fem.faces import Face
from hpms.jet import Forms, Jet, multiply, one, separable
from hpms.problem.boundary_layers import saturation
from hpms.problem.domain import AbstractBox
from hpms.problem.unit_cube import UnitCube
from hpms.problem.walls import AbstractWalls


@dataclass(frozen=True)
class Box(AbstractBox):
    """Ω = Π(0, s_a): the points of the unit cube, stretched."""

    dim: int
    eps: float
    lengths: tuple[float, ...]

    @property
    def sides(self) -> tuple[float, ...]:
        return self.lengths

    def sample_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        return self._unit.sample_interior(key, count) * jnp.array(self.sides)

    def lattice_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        return self._unit.lattice_interior(key, count) * jnp.array(self.sides)

    def lattice_layers(
        self, key: PRNGKeyArray, layer: int, core: int, width: float
    ) -> Float[Array, "{layer}+{core} d"]:
        """The width is that of a cube with sides of 1, stretched as the box is."""
        return self._unit.lattice_layers(key, layer, core, width) * jnp.array(self.sides)

    def sample_boundary(self, key: PRNGKeyArray, count: int) -> Float[Array, "m d"]:
        if self.dim == 1:
            return jnp.array([[0.0], self.sides], dtype=jnp.float64)
        face_key, point_key = jax.random.split(key)
        points = jax.random.uniform(point_key, (count, self.dim), dtype=jnp.float64)
        areas = np.repeat(self.volume / np.array(self.sides), 2)
        place = jax.random.uniform(face_key, (count,), dtype=jnp.float64) * areas.sum()
        face = jnp.minimum(jnp.searchsorted(jnp.cumsum(areas), place, side="right"), 2 * self.dim - 1)
        axis, end = face.astype(int) // 2, (face % 2).astype(jnp.float64)
        unit = jnp.where(jnp.arange(self.dim) == axis[:, None], end[:, None], points)
        return unit * jnp.array(self.sides)

    @property
    def _unit(self) -> UnitCube:
        return UnitCube(self.dim, self.eps)


@dataclass(frozen=True)
class Walls(AbstractWalls):
    """The faces of a box with these `sides` on which a network is to vanish."""

    sides: tuple[float, ...]
    faces: tuple[Face, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self.faces

    def vanishing(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """The jet of Π_a l_a(x_a/s_a), (M, 1): l = 4ξ(1 - ξ) between two of the faces, ξ or 1 - ξ beside one."""
        product = one(x, forms)
        for axis, side in enumerate(self.sides):
            ends = {end for a, end in self.faces if a == axis}
            if ends:
                product = multiply(product, _along(x, axis, side, ends, forms))
        return product

    def saturation(self, x: Float[Array, "m d"], lengths: tuple[float, ...], forms: Forms | None = None) -> Jet:
        """The jet of Π (1 - exp(-d/ℓ_a)) over the faces, d the distance to each, (M, 1)."""
        return saturation(x, lengths, self.sides, self.faces, forms)


def _along(x: Float[Array, "m d"], axis: int, side: float, ends: set[int], forms: Forms | None) -> Jet:
    xi, zero = x[:, axis : axis + 1] / side, jnp.zeros_like(x[:, :1])
    if len(ends) == 2:
        value, slope, bend = 4 * xi * (1 - xi), (4 - 8 * xi) / side, jnp.full_like(xi, -8.0 / side**2)
    else:
        value, slope, bend = (1 - xi, zero - 1 / side, zero) if 1 in ends else (xi, zero + 1 / side, zero)
    return separable(value, slope, bend, jnp.eye(x.shape[1], dtype=x.dtype)[:, axis : axis + 1], forms)
