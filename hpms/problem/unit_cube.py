"""The domain Ω = (0,1)^d, d = 1, 2, 3."""

from dataclasses import dataclass
from functools import reduce

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet, multiply, separable
from hpms.problem.domain import AbstractBox


@dataclass(frozen=True)
class UnitCube(AbstractBox):
    """Ω = (0,1)^d for d = `dim`, and the fine length scale ε = `eps` on it."""

    dim: int
    eps: float

    @property
    def sides(self) -> tuple[float, ...]:
        return (1.0,) * self.dim

    def sample_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        return jax.random.uniform(key, (count, self.dim), dtype=jnp.float64)

    def lattice_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        ratio = 2.0
        for _ in range(100):
            ratio = (1 + ratio) ** (1 / (self.dim + 1))
        alpha = jnp.array([ratio**-i for i in range(1, self.dim + 1)])
        shift = jax.random.uniform(key, (1, self.dim), dtype=jnp.float64)
        return (shift + jnp.arange(count, dtype=jnp.float64)[:, None] * alpha) % 1.0

    def lattice_layers(
        self, key: PRNGKeyArray, layer: int, core: int, width: float
    ) -> Float[Array, "{layer}+{core} d"]:
        """`layer` points of a lattice where dist(x, ∂Ω) < δ = `width` < 1/2, then `core` points in [δ, 1-δ]^d.

        The layer falls into 2d slabs along the faces, x_a within δ of one, x_b in [δ, 1-δ] for b < a; the first
        coordinate of the lattice chooses the slab and the depth in it.
        """
        outer, inner = (self.lattice_interior(k, n) for k, n in zip(jax.random.split(key), (layer, core), strict=True))
        sizes = [width * (1 - 2 * width) ** (i // 2) for i in range(2 * self.dim)]
        place, rest, start, points = outer[:, 0] * sum(sizes), outer[:, 1:], 0.0, jnp.zeros_like(outer)
        for i, size in enumerate(sizes):
            axis, depth = i // 2, width * (place - start) / size
            sides = [width + (1 - 2 * width) * rest[:, b] for b in range(axis)]
            sides += [jnp.where(i % 2 == 0, depth, 1 - depth), *(rest[:, c] for c in range(axis, self.dim - 1))]
            points = jnp.where((place >= start)[:, None], jnp.stack(sides, axis=1), points)
            start += size
        return jnp.concatenate([points, width + (1 - 2 * width) * inner])

    def sample_boundary(self, key: PRNGKeyArray, count: int) -> Float[Array, "m d"]:
        if self.dim == 1:
            return jnp.array([[0.0], [1.0]], dtype=jnp.float64)
        face_key, point_key = jax.random.split(key)
        points = jax.random.uniform(point_key, (count, self.dim), dtype=jnp.float64)
        face = jax.random.randint(face_key, (count,), 0, 2 * self.dim)
        axis, side = face // 2, (face % 2).astype(jnp.float64)
        return jnp.where(jnp.arange(self.dim) == axis[:, None], side[:, None], points)


def vanishing(x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
    """The jet of a function that is 0 on ∂Ω and positive inside, l(x) = Π_i 4x_i(1 - x_i), (M, 1)."""
    axes = jnp.eye(x.shape[1], dtype=x.dtype)
    factors = []
    for i in range(x.shape[1]):
        xi = x[:, i : i + 1]
        factors.append(separable(4 * xi * (1 - xi), 4 - 8 * xi, jnp.full_like(xi, -8.0), axes[:, i : i + 1], forms))
    return reduce(multiply, factors)
