import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.network.base import parametrise
from hpms.options.network import MlpOptions, MsPinnOptions, TwoScaleOptions
from tests.problems import quick_filter_jit, scales


def built(schema, dim, dtype):
    return quick_filter_jit(lambda key: schema.build(key, scales(dim), jnp.dtype(dtype)))(jax.random.key(0))


def test_weights_start_as_glorot_and_biases_as_zero():
    network = built(MlpOptions(200, 2, "tanh"), 2, "float32")
    assert [layer.weight.shape for layer in network.layers] == [(2, 200), (200, 200), (200, 1)]
    assert np.std(network.layers[1].weight) == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert all((layer.bias == 0).all() for layer in network.layers)
    assert {leaf.dtype for leaf in jax.tree.leaves(network)} == {jnp.dtype("float32")}


def test_frequencies_have_their_scales_and_are_not_trained():
    network = built(MsPinnOptions(8, 2, "tanh", 2000, (1.0, 15.0), "normal"), 1, "float64")
    np.testing.assert_allclose([np.std(f.array) for f in network.frequencies], [1, 15], rtol=0.05)
    theta, model = parametrise(network)
    assert theta.size == (4000 * 8 + 8) + (8 * 8 + 8) + (16 + 1)
    for found, expected in zip(jax.tree.leaves(model(theta)), jax.tree.leaves(network), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_two_scale_network_starts_at_zero_in_all_outputs():
    schema = TwoScaleOptions(4, 1, 6, 1, 2, 2, (1.0, 3.0), "tanh", None)
    network = schema.build(jax.random.key(0), scales(2, 2), jnp.dtype("float64"))
    value = quick_filter_jit(lambda network, x: network.jet(x).value)(network, jnp.linspace(0, 1, 10).reshape(5, 2))
    assert value.shape == (5, 2) and (value == 0).all()
