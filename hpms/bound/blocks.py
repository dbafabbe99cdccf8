"""Functions of many cells, in blocks of one size."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Num

from hpms.machine import devices

_POINTS, _TOGETHER = 4000, 4  # per block; blocks


def in_blocks(function: Callable[..., Any], rows: Num[np.ndarray, "n ..."], each: int, *rest: np.ndarray) -> Any:
    """What a function of blocks of rows, and of the `rest`, gives for each row, which stands for `each` points.

    It is called with equally many blocks each time, padded with copies of the last row, and so compiled only once.
    """
    size, together = max(1, _POINTS // each), -(-_TOGETHER // devices.count()) * devices.count()
    others = [jnp.asarray(array) for array in rest]
    found = []
    for start in range(0, len(rows), together * size):
        some = rows[start : start + together * size]
        padded = np.concatenate([some, np.repeat(some[-1:], together * size - len(some), axis=0)])
        blocks = jnp.asarray(padded.reshape(together, size, *rows.shape[1:]), jnp.float64)
        found.append(_flat(function(blocks, *others), len(some)))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *found)


def _flat(values: Any, count: int) -> Any:
    """The first values, without their blocks."""
    return jax.tree.map(lambda array: np.asarray(array).reshape(-1, *array.shape[2:])[:count], values)
