"""Points in blocks, and the loops over them, in which each device has blocks of its own where there are several."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.machine import devices


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

    def flat(self, values: Float[Array, " n block *l"]) -> Float[Array, " m *l"]:
        """Values at the M points from values per block."""
        return values.reshape(-1, *values.shape[2:])[: self.count]

    def blocked(self, values: Float[Array, " m *l"]) -> Float[Array, " n block *l"]:
        """The inverse of `flat`, zero at the padding."""
        blocks, size = self.points.shape[:2]
        padding = [(0, blocks * size - self.count), *[(0, 0)] * (values.ndim - 1)]
        return jnp.pad(values, padding).reshape(blocks, size, *values.shape[1:])


def sites(points: Float[Array, "m d"], block: int, dtype: jnp.dtype) -> Sites:
    """Equal blocks of at most `block` points."""
    return Sites(cut(points, block).astype(dtype), points.shape[0])


def cut(array: Array, block: int) -> Array:
    """An array (M, ...) as equal blocks (n, B, ...) of at most `block` rows, padded with copies of the last row.

    Several devices have equally many blocks.
    """
    count = array.shape[0]
    blocks = -(-count // block)
    blocks = -(-blocks // devices.count()) * devices.count()
    size = -(-count // max(1, blocks))
    padded = jnp.concatenate([array, jnp.repeat(array[-1:], blocks * size - count, axis=0)])
    return padded.reshape(blocks, size, *array.shape[1:])


def map_blocks(function: Callable[[Any, Any], Any], theta: Float[Array, " p"], blocks: Any) -> Any:
    """`function(θ, block)` of each block, behind each other; a pullback computes a block's activations again.

    It can be differentiated in θ, not in what else `function` depends on.
    """

    def every(theta: Array, blocks: Any) -> Any:
        return jax.lax.map(jax.checkpoint(lambda block: function(theta, block)), blocks)

    if not devices.shares(_number(blocks)):
        return every(theta, blocks)
    return devices.gathered(every(devices.shared(theta), devices.own(blocks)))


def visit_blocks(function: Callable[[Any], Any], blocks: Any) -> Any:
    """`function` of each block, behind each other, where nobody differentiates."""
    if not devices.shares(_number(blocks)):
        return jax.lax.map(function, blocks)
    return devices.gathered(jax.lax.map(function, devices.own(blocks)))


def fold_blocks(function: Callable[[Any, Any], Any], start: Any, blocks: Any) -> Any:
    """`start`, then `function` of what there is and of each block in turn, where nobody differentiates.

    `function` has to add to what there is: several devices do so each from zero, and what they find is summed.
    """

    def every(start: Any, blocks: Any) -> Any:
        return jax.lax.scan(lambda found, block: (function(found, block), None), start, blocks)[0]

    if not devices.shares(_number(blocks)):
        return every(start, blocks)
    parts = every(jax.tree.map(jnp.zeros_like, start), devices.own(blocks))
    return jax.tree.map(jnp.add, start, devices.summed(parts))


def _number(blocks: Any) -> int:
    return len(jax.tree.leaves(blocks)[0])


def sum_blocks(
    function: Callable[..., tuple[Array, Array]], theta: Float[Array, " p"], *blocks: Any
) -> tuple[Float[Array, "..."], Float[Array, " p"]]:
    """Σ over blocks of the auxiliary value and of the gradient in θ of `function(θ, *block) -> (total, value)`.

    The gradient is taken inside the loop, so the activations of one block at a time are alive.
    """

    def add(found: tuple[Array, Array], block: tuple[Any, ...]) -> tuple[Array, Array]:
        (_, value), gradient = jax.value_and_grad(function, has_aux=True)(theta, *block)
        return found[0] + value, found[1] + gradient

    return fold_blocks(add, (jnp.zeros((), theta.dtype), jnp.zeros_like(theta)), blocks)
