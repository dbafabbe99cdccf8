"""A network that is told the fine scale: slow and fast variables, and boundary layers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from math import pi

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet, add, affine, columns, concatenate, dot, multiply, scale
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Scales
from hpms.network.fourier import fourier_features
from hpms.network.inputs import coordinates, inputs
from hpms.network.layers import Layer, layers, propagate
from hpms.problem.boundary_layers import boundary_layers, saturation
from hpms.problem.unit_cube import vanishing
from hpms.problem.walls import AbstractWalls


class TwoScaleNetwork(AbstractNetwork):
    """v = N₀(x) + ε Σ_k c_k(x) φ_k(x, y, e), k = 1..R, the shape of a two-scale expansion u₀ + ε Σ_j χ_j(y) ∂_j w₀.

    One perceptron of x gives (N₀, c_1, ..., c_R) for each output; they share the φ_k, which another one gives from x,
    the fast variables y = (cos 2πh x_i/p_i, sin 2πh x_i/p_i), where p_i are the periods of K^ε, and the boundary layers
    e = (exp(-x_i/mℓ_i), exp(-(1-x_i)/mℓ_i)), with ℓ_i = `layer_lengths`; in a box with sides s, 1 is s_i, and x of the
    perceptrons x/s, or periodic features. Made to vanish on ∂Ω, it is

        v = l(x) N₀(x) + ε b(x) Σ_k c_k(x) φ_k(x, y, e),    b(x) = Π_i (1 - exp(-x_i/ℓ_i))(1 - exp(-(1-x_i)/ℓ_i)):

    the corrector reaches its full size within a layer, where l(x) would force φ to grow like 1/l. Where it is to vanish
    on some `walls` alone, l and b have the factors of these.
    """

    slow: tuple[Layer, ...]
    fast: tuple[Layer, ...]
    scales: Scales = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)
    multiples: tuple[float, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True)
    is_vanishing: bool = eqx.field(static=True)
    walls: AbstractWalls | None = eqx.field(static=True, default=None)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        sigma = ACTIVATIONS[self.activation]
        sides = self.scales.sides or (1.0,) * x.shape[1]
        wrapped = self.scales.wrapped
        if wrapped:
            slow = coordinates(x, sides, wrapped, forms)
        else:
            low = jnp.asarray(self.scales.low or (0.0,) * x.shape[1], x.dtype)
            rate = 2 / jnp.asarray(sides, x.dtype)
            slow = affine(x, jnp.diag(rate), -1 - rate * low, forms)
        lengths = layer_lengths(self.scales)
        fast = concatenate(slow, fourier_features(x, self._frequencies(x.dtype), forms))
        for multiple in self.multiples:
            scaled = tuple(multiple * length for length in lengths)
            if self.scales.edges is not None:
                fast = concatenate(fast, self.scales.edges.layers(x, max(scaled), forms))
                continue
            fast = concatenate(fast, _between(boundary_layers(x, scaled, sides, forms), wrapped))
        coefficients = propagate(slow, self.slow, sigma)
        products, each = propagate(fast, self.fast, sigma), coefficients.value.shape[1] // self.scales.outputs
        starts = range(0, coefficients.value.shape[1], each)
        mean = reduce(concatenate, (columns(coefficients, i, i + 1) for i in starts))
        corrector = reduce(concatenate, (dot(columns(coefficients, i + 1, i + each), products) for i in starts))
        if self.is_vanishing:
            if self.walls is None:
                factor, saturated = vanishing(x, forms), saturation(x, lengths, sides, None, forms)
            else:
                factor, saturated = self.walls.vanishing(x, forms), self.walls.saturation(x, lengths, forms)
            mean, corrector = multiply(factor, mean), multiply(saturated, corrector)
        return add(mean, scale(self.scales.eps, corrector))

    def vanishing(self, walls: AbstractWalls | None = None) -> AbstractNetwork:
        return replace(self, is_vanishing=True, walls=walls)

    def _frequencies(self, dtype: jnp.dtype) -> Float[Array, "d features"]:
        assert self.scales.periods is not None
        inverse = np.diag(1 / np.array(self.scales.periods))
        return jnp.asarray(np.concatenate([h * inverse for h in range(1, self.harmonics + 1)], axis=1), dtype)


def layer_lengths(scales: Scales) -> tuple[float, ...]:
    """ℓ_i = p/2π, p the longest period along the faces x_i = 0, 1 (in 1-D that of K): layers decay at least that fast.

    A harmonic function of tangential period p decays like exp(-2πx_i/p).
    """
    periods = scales.periods
    assert periods is not None
    tangential = [[p for j, p in enumerate(periods) if j != i] or [periods[i]] for i in range(len(periods))]
    return tuple(max(along) / (2 * pi) for along in tangential)


def _between(layer: Jet, wrapped: tuple[int, ...]) -> Jet:
    """Without those of axes that have no ends."""
    if not wrapped:
        return layer
    count = layer.value.shape[1] // 2
    kept = np.array([i for i in range(2 * count) if i % count not in wrapped], dtype=int)
    return jax.tree.map(lambda array: array[:, kept], layer)


def two_scale_network(
    key: PRNGKeyArray,
    scales: Scales,
    dtype: jnp.dtype,
    *,
    slow_width: int,
    slow_depth: int,
    width: int,
    depth: int,
    rank: int,
    harmonics: int,
    layers_of: Sequence[float],
    activation: str,
    periods: tuple[float, ...] | None,
) -> TwoScaleNetwork:
    """The network with R = `rank` products and boundary layers of the multiples `layers_of` ℓ_i; v = 0 at the start.

    `periods` take the place of those in `scales`.
    """
    scales = replace(scales, periods=periods or scales.periods)
    slow_key, amplitude_key, fast_key = jax.random.split(key, 3)
    first = inputs(scales.dim, scales.wrapped)
    faces = 2 * (scales.dim - len(scales.wrapped)) if scales.edges is None else scales.edges.count
    slow = layers(slow_key, [first, *[slow_width] * slow_depth, (1 + rank) * scales.outputs], dtype)
    count = first + 2 * scales.dim * harmonics + faces * len(layers_of)
    fast = layers(fast_key, [count, *[width] * depth, rank], dtype)
    amplitudes = jax.random.normal(amplitude_key, (scales.outputs, rank), dtype)
    bias = slow[-1].bias.reshape(scales.outputs, -1).at[:, 1:].set(amplitudes).ravel()
    mean = Layer(slow[-1].weight.at[:, :: 1 + rank].set(0), bias)
    return TwoScaleNetwork(
        slow=(*slow[:-1], mean),
        fast=(*fast[:-1], jax.tree.map(jnp.zeros_like, fast[-1])),
        scales=scales,
        harmonics=harmonics,
        multiples=tuple(layers_of),
        activation=activation,
        is_vanishing=False,
    )
