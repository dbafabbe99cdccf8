"""Points that belong to different networks of one shape, in tiles that have one network each."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.jet import Activation, Jet, activate

_WIDEST = 32  # slots of a tile
_FEWEST = 8  # tiles that a network has on average


class StackedLayer(eqx.Module):
    """z W_j + b_j of N networks j."""

    weight: Float[Array, "networks n k"]
    bias: Float[Array, "networks 1 k"]


class Tiles(eqx.Module):
    """Q points sorted by network into L tiles of T slots: the network of each tile, the point in each slot, and the
    slot of each point. Slots that are left over have the first point.

    L = ⌊(Q + N(T - 1))/T⌋ tiles hold any distribution of the points over N networks.
    """

    network: Int[Array, " tiles"]
    point: Int[Array, " slots"]
    slot: Int[Array, " q"]


def tiles(numbers: Int[Array, " q"], count: int) -> Tiles | None:
    """The tiles of points of the networks with these `numbers` below `count`; None for few points, which are a tile
    each.
    """
    size, points = 1, len(numbers)
    while size < _WIDEST and 2 * size * _FEWEST * count <= points:
        size *= 2
    if size == 1:
        return None
    total = (points + count * (size - 1)) // size
    order, members = jnp.argsort(numbers), jnp.bincount(numbers, length=count)
    needed = -(-members // size)
    ends = jnp.cumsum(needed)
    shift = size * (ends - needed) - (jnp.cumsum(members) - members)
    slots = jnp.arange(points) + shift[numbers[order]]
    network = jnp.searchsorted(ends, jnp.arange(total), side="right")
    point = jnp.zeros(total * size, int).at[slots].set(order)
    return Tiles(jnp.minimum(network, count - 1), point, jnp.zeros(points, int).at[order].set(slots))


def each(jet: Jet, numbers: Int[Array, " q"], layers: tuple[StackedLayer, ...], sigma: Activation) -> Jet:
    """The jet (Q, l) of perceptrons of those `layers`, at each point of the one with its number."""
    count = len(layers[0].weight)
    if count == 1:
        return _propagate(jet, layers, sigma)
    if (sorted_by := tiles(numbers, count)) is None:
        return _propagate(jet, _of(layers, numbers), sigma)
    spread = jax.tree.map(lambda array: array[sorted_by.point], jet)
    found = _propagate(spread, _of(layers, sorted_by.network), sigma)
    return jax.tree.map(lambda array: array[sorted_by.slot], found)


def _of(layers: tuple[StackedLayer, ...], numbers: Int[Array, " tiles"]) -> tuple[StackedLayer, ...]:
    return jax.tree.map(lambda array: array[numbers], layers)


def _propagate(jet: Jet, layers: tuple[StackedLayer, ...], sigma: Activation) -> Jet:
    """Of as many tiles of equally many points as there are networks."""
    *hidden, output = layers
    for layer in hidden:
        jet = activate(_linear(jet, layer), sigma)
    return _linear(jet, output)


def _linear(jet: Jet, layer: StackedLayer) -> Jet:
    count = len(layer.weight)

    def mapped(array: Float[Array, "q n"]) -> Float[Array, "count t k"]:
        return array.reshape(count, -1, array.shape[1]) @ layer.weight

    def flat(array: Float[Array, "count t k"]) -> Float[Array, "q k"]:
        return array.reshape(-1, array.shape[2])

    gradient, second = (tuple(flat(mapped(g)) for g in part) for part in (jet.gradient, jet.second))
    return Jet(flat(mapped(jet.value) + layer.bias), gradient, second, jet.forms)
