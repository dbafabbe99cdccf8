"""What tells problems apart whose configurations are called the same, such as those of an edited plugin."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

_SAMPLES, _STEPS, _LEAST, _EARLIER_SAMPLES, _EARLIER_DIGITS = 65_536, 2**20, 1e-6, 256, 10
_PART = 1_000_000  # numbers that are rounded at a time


@runtime_checkable
class Sampled(Protocol):
    """A coefficient, a source, or another function of one point."""

    @property
    def value(self) -> Callable[[Any], Any]:
        """Of a point (d,), that JAX can trace."""
        ...


def digest(fields: Sequence[Sampled], sides: Sequence[float], low: Sequence[float] | None = None) -> str:
    """A hash of K, q and what else there is: of their arrays, such as an image's, and of their values at 65,536 fixed
    random points of the box with these sides and its lowest corner at `low`, 0 by default.

    A change in 0.1 % of Ω is not seen with probability exp(-65). Values, and arrays that are not whole numbers, count
    in millionths of the largest, and those above a millionth of it in millionths of themselves: their unit does not
    matter, the weak phase of a strong contrast does, and their last bits, which differ between machines, hardly ever
    do.
    """
    points = np.random.default_rng(0).random((_SAMPLES, len(sides))) * np.array(sides)
    points = points if low is None else points + np.array(low)
    total = hashlib.sha256()
    for field in fields:
        for array in map(np.asarray, jax.tree.leaves(field)):
            total.update(f"{array.dtype.str}{array.shape}".encode())
            for part in _rounded(array) if array.dtype.kind == "f" else [array.tobytes()]:
                total.update(part)
        for part in _rounded(_sample(field, points)):
            total.update(part)
    return total.hexdigest()[:12]


def earlier_digest(fields: Sequence[Sampled], sides: Sequence[float]) -> str:
    """What earlier run files have in its place: the values at 256 points, to ten decimal places."""
    points = np.random.default_rng(0).random((_EARLIER_SAMPLES, len(sides))) * np.array(sides)
    values = np.stack([_sample(field, points) for field in fields])
    return hashlib.sha256(np.round(values, _EARLIER_DIGITS).tobytes()).hexdigest()[:12]


def _rounded(values: np.ndarray) -> Iterator[bytes]:
    """In parts, as a large array would need several times its size."""
    if not (finite := np.isfinite(values)).all():  # as outside of a domain that is no box
        yield np.packbits(finite).tobytes()
        values = np.where(finite, values, 0)
    largest, flat = np.abs(values).max(initial=0.0), values.ravel()
    for logarithmic in (False, True):
        yield f"{largest:.6e}".encode()
        for start in range(0, flat.size, _PART):
            share = flat[start : start + _PART] / (largest or 1.0)
            number = np.log(np.maximum(np.abs(share), _LEAST)) if logarithmic else share
            yield np.rint(number * _STEPS).astype(np.int64).tobytes()


def _sample(field: Sampled, points: np.ndarray) -> np.ndarray:
    """Compiled anew each time, as nothing else sees that the code of `value` has changed within a process."""
    return np.asarray(jax.jit(jax.vmap(field.value))(jnp.asarray(points)))
