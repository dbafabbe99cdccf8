"""Points in blocks, and loops over them that are differentiated."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
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


def map_blocks(function: Callable[[Any], Any], blocks: Any) -> Any:
    """`function` of each block, behind each other; a pullback computes a block's activations again."""
    return jax.lax.map(jax.checkpoint(function), blocks)


def sum_blocks(
    function: Callable[..., tuple[Array, Array]], theta: Float[Array, " p"], *blocks: Any
) -> tuple[Float[Array, "..."], Float[Array, " p"]]:
    """Σ over blocks of the auxiliary value and of the gradient in θ of `function(θ, *block) -> (total, value)`.

    The gradient is taken inside the loop, so the activations of one block at a time are alive.
    """

    def add(carry: tuple[Array, Array], block: tuple[Any, ...]) -> tuple[tuple[Array, Array], None]:
        (_, value), gradient = jax.value_and_grad(function, has_aux=True)(theta, *block)
        return (carry[0] + value, carry[1] + gradient), None

    start = (jnp.zeros((), theta.dtype), jnp.zeros_like(theta))
    return jax.lax.scan(add, start, blocks)[0]
