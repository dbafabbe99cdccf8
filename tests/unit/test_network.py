import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.network.base import parametrise
from hpms.options.network import MlpOptions, MsPinnOptions, TwoScaleOptions
from tests.problems import EPS, quick_filter_jit, quick_jit, scales


def built(schema, dim, dtype):
    return quick_filter_jit(lambda key: schema.build(key, scales(dim), jnp.dtype(dtype)))(jax.random.key(0))


def test_weights_start_as_glorot_and_biases_as_zero():
    network = built(MlpOptions(200, 2, "tanh"), 2, "float32")
    assert [layer.weight.shape for layer in network.layers] == [(2, 200), (200, 200), (200, 1)]
    assert np.std(network.layers[1].weight) == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert all((layer.bias == 0).all() for layer in network.layers)
    assert {leaf.dtype for leaf in jax.tree.leaves(network)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(("distribution", "deviation", "most"), [("normal", 1, np.inf), ("uniform", 3**-0.5, 1)])
def test_frequencies_have_their_scales_and_are_not_trained(distribution, deviation, most):
    network = built(MsPinnOptions(8, 2, "tanh", 2000, (1.0, 15.0), distribution), 1, "float64")
    for frequency, scale in zip(network.frequencies, (1, 15), strict=True):
        assert np.std(frequency.array) == pytest.approx(deviation * scale, rel=0.05)
        assert abs(np.mean(frequency.array)) < 0.1 * scale
        assert np.abs(frequency.array).max() <= most * scale
    theta, model = parametrise(network)
    assert theta.size == (4000 * 8 + 8) + (8 * 8 + 8) + (16 + 1)
    for found, expected in zip(jax.tree.leaves(model(theta)), jax.tree.leaves(network), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_two_scale_network_starts_at_zero_in_all_outputs():
    schema = TwoScaleOptions(4, 1, 6, 1, 2, 2, (1.0, 3.0), "tanh", None)
    network = schema.build(jax.random.key(0), scales(2, 2), jnp.dtype("float64"))
    value = quick_filter_jit(lambda network, x: network.jet(x).value)(network, jnp.linspace(0, 1, 10).reshape(5, 2))
    assert value.shape == (5, 2) and (value == 0).all()


def test_the_amplitudes_of_a_two_scale_network_start_as_normal_so_that_its_products_can_grow():
    schema = TwoScaleOptions(4, 1, 6, 1, 400, 2, (1.0, 3.0), "tanh", None)
    network = schema.build(jax.random.key(0), scales(2, 2), jnp.dtype("float64"))

    def value(products):
        return eqx.tree_at(lambda n: n.fast[-1].bias, network, products).jet(jnp.full((1, 2), 0.5)).value[0]

    amplitudes = np.asarray(quick_jit(jax.jacobian(value))(network.fast[-1].bias)) / EPS
    assert amplitudes.shape == (2, 400)
    assert np.std(amplitudes) == pytest.approx(1, abs=0.1) and abs(amplitudes.mean()) < 0.1
    assert abs(np.corrcoef(amplitudes)[0, 1]) < 0.2
