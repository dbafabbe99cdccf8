"""Points in blocks."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Sites(eqx.Module):
    """M points in n equal blocks of B, the last padded with copies of the last point to n B >= M.

    Blocks bound memory: only one block's activations are alive at a time, and they fit a CPU's caches.
    """

    points: Float[Array, "n block d"]
    count: int = eqx.field(static=True)

    @property
    def every(self) -> Float[Array, "m d"]:
        """The M points without the padding."""
        return self.points.reshape(-1, self.points.shape[-1])[: self.count]

    def flat(self, values: Float[Array, "n block"]) -> Float[Array, " m"]:
        """Values at the M points from values per block."""
        return values.reshape(-1)[: self.count]

    def blocked(self, values: Float[Array, " m"]) -> Float[Array, "n block"]:
        """The inverse of `flat`, zero at the padding."""
        blocks, size = self.points.shape[:2]
        return jnp.pad(values, (0, blocks * size - self.count)).reshape(blocks, size)


def sites(points: Float[Array, "m d"], block: int, dtype: jnp.dtype) -> Sites:
    """Equal blocks of at most `block` points."""
    return Sites(cut(points, block).astype(dtype), points.shape[0])


def cut(array: Array, block: int) -> Array:
    """An array (M, ...) as equal blocks (n, B, ...) of at most `block` rows, padded with copies of the last row."""
    count = array.shape[0]
    blocks = -(-count // block)
    size = -(-count // max(1, blocks))
    padded = jnp.concatenate([array, jnp.repeat(array[-1:], blocks * size - count, axis=0)])
    return padded.reshape(blocks, size, *array.shape[1:])
