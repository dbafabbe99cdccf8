"""The devices that blocks of points are spread over, and functions compiled for all of them.

A function of `compiled` runs as a whole on every device (`jax.shard_map`) with the same arguments, to the same results.
Only where work is shared do the devices differ: in the loops of `hpms/problem/sites.py`, each has blocks of its own.
Collective operations then bring the parts together, so custom calls see one device wherever they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
_AXIS, _WHOLE = "devices", PartitionSpec()
_mesh: Mesh | None = None
_apart: ContextVar[bool] = ContextVar("apart", default=False)


def spread(devices: Sequence[Any]) -> None:
    """From now on points are spread over these devices; over one, or none, nothing is."""
    global _mesh
    _mesh = Mesh(np.array(devices), (_AXIS,)) if len(devices) > 1 else None


def chosen() -> tuple[Any, ...]:
    """The devices of `spread`; none where there is nothing to spread over."""
    return () if _mesh is None else tuple(_mesh.devices.flat)


def count() -> int:
    """Over how many devices points are spread."""
    return max(1, len(chosen()))


def in_memory() -> int:
    """How many of the devices share this process's memory: CPU devices."""
    return max(1, sum(device.platform == "cpu" and device.process_index == jax.process_index() for device in chosen()))


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`eqx.filter_jit`; where there are several devices all of them run it. Arguments and results are on the first."""
    body: Callable[..., Any] = function
    alone = eqx.filter_jit(function)

    @eqx.filter_jit
    def on_mesh(mesh: Mesh, arguments: Any) -> Any:
        arrays, rest = eqx.partition(arguments, eqx.is_array)

        def local(arrays: Any) -> Any:
            given, named = eqx.combine(arrays, rest)
            return body(*given, **named)

        return jax.shard_map(local, mesh=mesh, in_specs=_WHOLE, out_specs=_WHOLE, check_vma=False)(arrays)

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        if _mesh is None:
            return alone(*arguments, **named)
        if _is_inside():
            return function(*arguments, **named)
        found = on_mesh(_mesh, on_all((arguments, named)))
        return jax.tree.map(lambda array: array.addressable_data(0), found)

    return call


def jitted(function: Callable[P, R]) -> Callable[P, R]:
    """`eqx.filter_jit` of what depends on the number of devices."""
    body: Callable[..., Any] = function

    @eqx.filter_jit
    def program(number: int, arguments: Any, named: Any) -> Any:
        return body(*arguments, **named)

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        return program(count(), arguments, named)

    return call


def on_all(tree: T) -> T:
    """The tree with its arrays on every device, which `compiled` then need not copy at each call."""
    if _mesh is None:
        return tree
    everywhere = NamedSharding(_mesh, _WHOLE)
    devices = [device for device in chosen() if device.process_index == jax.process_index()]

    def copied(array: Any) -> Any:
        if not eqx.is_array(array) or getattr(array, "sharding", None) == everywhere:
            return array
        copies = [jax.device_put(array, device) for device in devices]
        return jax.make_array_from_single_device_arrays(array.shape, everywhere, copies)

    return jax.tree.map(copied, tree)


@contextmanager
def apart() -> Iterator[None]:
    """Within the block, in a function of `compiled`, each device goes its own way and shares no loop with others."""
    token = _apart.set(True)
    try:
        yield
    finally:
        _apart.reset(token)


def shares(size: int) -> bool:
    """Whether the function being traced shares so many equal pieces of work among several devices."""
    return _is_inside() and not _apart.get() and size % count() == 0


def own(array: T) -> T:
    """This device's part of arrays whose first axis is shared."""

    def part(array: jax.Array) -> jax.Array:
        size = len(array) // count()
        return jax.lax.dynamic_slice_in_dim(array, jax.lax.axis_index(_AXIS) * size, size)

    return jax.tree.map(part, array)


def gathered(parts: T) -> T:
    """The inverse of `own`."""
    return jax.tree.map(lambda part: jax.lax.all_gather(part, _AXIS, tiled=True), parts)


def summed(parts: T) -> T:
    """The sum over the devices."""
    return jax.lax.psum(parts, _AXIS)


def shared(theta: Float[Array, " p"]) -> Float[Array, " p"]:
    """θ, for parts of a result that `gathered` brings together: it makes derivatives those of the whole.

    A pullback starts on each of the n devices from the cotangent of the whole result, and `gathered` hands each part
    the sum of these, n times too much; the pullback of the mean over the devices divides by n, and sums the parts.
    """
    mean = jax.lax.pmean(theta, _AXIS)
    return jax.lax.stop_gradient(theta) + (mean - jax.lax.stop_gradient(mean))


def _is_inside() -> bool:
    return _mesh is not None and _AXIS in jax.sharding.get_abstract_mesh().manual_axes
