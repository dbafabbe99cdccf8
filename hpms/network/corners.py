"""A network beside which singular functions stand."""

from collections.abc import Sequence
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet, add, columns, concatenate, multiply
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Scales, jet_of
from hpms.network.fourier import fourier_features
from hpms.network.inputs import coordinates
from hpms.network.layers import Layer, layers, propagate
from hpms.problem.corners import Corner

_WIDTH, _DEPTH = 16, 2


class WithCorners(AbstractNetwork):
    """v(x) + Σ_c s_c(x) N_c(x, y): a network, and for each corner its singular function s_c times outputs of a small
    perceptron of x and, where the medium has periods, of the fast variables y.
    """

    network: AbstractNetwork
    layers: tuple[Layer, ...]
    corners: tuple[Corner, ...] = eqx.field(static=True)
    scales: Scales = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        total, outputs = jet_of(self.network, x, forms), self.scales.outputs
        features = coordinates(x, self.scales.sides or (1.0,) * x.shape[1], (), forms, self.scales.low)
        if self.scales.periods is not None:
            frequency = jnp.asarray(np.diag(1 / np.array(self.scales.periods)), x.dtype)
            features = concatenate(features, fourier_features(x, frequency, forms))
        factors = propagate(features, self.layers, ACTIVATIONS["tanh"])
        for k, each in enumerate(self.corners):
            part = columns(factors, k * outputs, (k + 1) * outputs)
            total = add(total, multiply(each.jet(x, forms), part))
        return total


def with_corners(
    key: PRNGKeyArray, network: AbstractNetwork, corners: Sequence[Corner], scales: Scales, dtype: jnp.dtype
) -> AbstractNetwork:
    """The products are 0 at the start."""
    scales = replace(scales, periods=scales.periods or (scales.eps,) * scales.dim)
    inputs = scales.dim + 2 * scales.dim
    every = layers(key, [inputs, *[_WIDTH] * _DEPTH, len(corners) * scales.outputs], dtype)
    last = jax.tree.map(jnp.zeros_like, every[-1])
    return WithCorners(network, (*every[:-1], last), tuple(corners), scales)
