"""Small networks on overlapping subdomains, joined by windows: the finite basis PINN."""

from collections.abc import Sequence
from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet, add, multiply
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Scales
from hpms.network.layers import layers
from hpms.network.tiles import StackedLayer, each
from hpms.network.windows import Windows


class Level(eqx.Module):
    """A partition of unity and its perceptrons N_j."""

    layers: tuple[StackedLayer, ...]
    windows: Windows = eqx.field(static=True)

    @property
    def neurons(self) -> int:
        """Those that are evaluated at a point, at most."""
        return self.windows.meeting * sum(layer.bias.shape[-1] for layer in self.layers)

    def jet(self, x: Float[Array, "m d"], activation: str, forms: Forms | None) -> Jet:
        """Of Σ_j ω_j(x) N_j(ξ_j(x))."""
        pieces = self.windows.pieces(x, forms)
        parts = multiply(pieces.window, each(pieces.local, pieces.number, self.layers, ACTIVATIONS[activation]))
        return jax.tree.map(lambda array: jnp.sum(array.reshape(-1, len(x), array.shape[1]), axis=0), parts)


class FiniteBasisNetwork(AbstractNetwork):
    """v = Σ_levels Σ_j ω_j(x) N_j(ξ_j(x)): the ω_j of a level are the windows of a partition of unity, N_j is a small
    perceptron of its own for each, and ξ_j are the coordinates of its subdomain, from -1 to 1.

    Moseley, Markham and Nissen-Meyer, Adv. Comput. Math. 49 (2023) 62; with levels: Dolean, Heinlein, Mishra and
    Moseley, CMAME 429 (2024) 117116. A perceptron is evaluated where its window need not vanish, at most 2^d at a point
    and level.
    """

    levels: tuple[Level, ...]
    activation: str = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        return reduce(add, (level.jet(x, self.activation, forms) for level in self.levels))


def finite_basis_network(
    key: PRNGKeyArray,
    scales: Scales,
    dtype: jnp.dtype,
    *,
    levels: Sequence[tuple[int, ...]],
    overlap: float,
    width: int,
    depth: int,
    activation: str,
) -> FiniteBasisNetwork:
    """A level for each list of subdomains along the axes, of perceptrons with `depth` hidden layers of `width` neurons,
    Glorot-initialised; v = 0 at the start.
    """
    low, sides = scales.low or (0.0,) * scales.dim, scales.sides or (1.0,) * scales.dim
    widths, found = [scales.dim, *[width] * depth, scales.outputs], []
    for level_key, counts in zip(jax.random.split(key, len(levels)), levels, strict=True):
        windows = Windows(low, sides, counts, overlap, scales.wrapped)
        every = jax.vmap(lambda k: layers(k, widths, dtype))(jax.random.split(level_key, windows.number))
        *hidden, last = [StackedLayer(layer.weight, layer.bias[:, None]) for layer in every]
        found.append(Level((*hidden, jax.tree.map(jnp.zeros_like, last)), windows))
    return FiniteBasisNetwork(tuple(found), activation)
