from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.network.tiles import tiles
from hpms.network.windows import Windows
from hpms.options.network import FbpinnOptions
from tests.problems import close, network_value, quick_filter_jit, quick_jit, random_network, scales

LOW, SIDES = (-1.0, 0.5, 0.0), (2.0, 1.0, 0.5)


def windows(dim, overlap, wrapped=()):
    return Windows(LOW[:dim], SIDES[:dim], (4, 3, 2)[:dim], overlap, wrapped)


def some_points(dim, count=400):
    return jnp.asarray(np.random.default_rng(0).random((count, dim)) * SIDES[:dim] + LOW[:dim])


@pytest.mark.parametrize("wrapped", [(), (0,)], ids=["ends", "periodic"])
@pytest.mark.parametrize("overlap", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_windows_are_a_partition_of_unity(dim, overlap, wrapped):
    window = quick_jit(lambda x: windows(dim, overlap, wrapped).pieces(x).window)(some_points(dim))
    total = jax.tree.map(lambda array: np.asarray(array).reshape(2**dim, -1).sum(axis=0), window)
    np.testing.assert_allclose(total.value, 1, rtol=0, atol=1e-15)
    assert np.asarray(window.value).min() >= 0
    for derivative, each in zip(total.gradient + total.second, window.gradient + window.second, strict=True):
        assert np.abs(derivative).max() <= 1e-13 * np.abs(np.asarray(each)).max()


@pytest.mark.parametrize("overlap", [0.3, 0.7])
def test_a_window_is_not_zero_within_its_subdomain_alone(overlap):
    pieces = quick_jit(windows(2, overlap).pieces)(some_points(2))
    inside = np.abs(np.asarray(pieces.local.value)).max(axis=1) <= 1 + 1e-12
    assert (np.asarray(pieces.window.value)[~inside] == 0).all() and (~inside).any()


@pytest.mark.parametrize("points", [8, 90, 1500])
@pytest.mark.parametrize("spread", ["even", "crowded"])
def test_tiles_hold_each_point_once_with_its_own_network(points, spread):
    numbers = np.random.default_rng(0).integers(0, 5 if spread == "even" else 1, points)
    found = quick_jit(lambda n: tiles(n, 5))(jnp.asarray(numbers))
    if found is None:
        assert points < 80
        return
    size = len(found.point) // len(found.network)
    assert len(found.network) == (points + 5 * (size - 1)) // size
    assert len(np.unique(found.slot)) == points
    np.testing.assert_array_equal(np.asarray(found.point)[found.slot], np.arange(points))
    np.testing.assert_array_equal(np.asarray(found.network)[np.asarray(found.slot) // size], numbers)


def test_values_do_not_depend_on_which_points_are_taken_together():
    network = random_network(FbpinnOptions((4, 3), (2,), 0.7, 5, 2, "tanh"), scales(2, 2), "float64")
    x = jnp.asarray(np.random.default_rng(0).random((700, 2)))
    together = quick_filter_jit(lambda n, x: n.jet(x))(network, x)
    alone = quick_filter_jit(lambda n, x: jax.vmap(lambda point: n.jet(point[None]))(x))(network, x)
    for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
        assert close(a, b[:, 0], 1e-12)
    expected = quick_filter_jit(lambda n, x: jax.vmap(lambda point: network_value(n, point, 1))(x))(network, x)
    assert close(together.value[:, 1], expected, 1e-12)


def test_it_starts_at_zero_with_networks_that_differ():
    network = FbpinnOptions((3,), (1,), 1.0, 6, 2, "tanh").build(jax.random.key(0), scales(2), jnp.dtype("float32"))
    assert [level.windows.counts for level in network.levels] == [(3, 3), (1, 1)]
    assert (quick_filter_jit(lambda n, x: n.jet(x).value)(network, some_points(2).astype("float32")) == 0).all()
    assert len(np.unique(network.levels[0].layers[0].weight)) == 9 * 2 * 6


def test_one_number_for_all_axes_and_one_for_each_are_one_run():
    def identity(counts, coarse):
        given = (f"network.subdomains={counts}", f"network.coarse_subdomains={coarse}")
        return hpms.configure("+experiment=osc2d", "network=fbpinn", *given).identity()

    assert identity([4], [2]) == identity([4, 4], [2, 2]) != identity([4, 3], [2])


@pytest.mark.parametrize("counts", [(3,), (1,)])
def test_it_is_periodic_along_wrapped_axes(counts):
    options = FbpinnOptions(counts, None, 0.6, 5, 1, "tanh")
    network = random_network(options, replace(scales(1), wrapped=(0,)), "float64")
    ends = quick_filter_jit(lambda n, x: n.jet(x))(network, jnp.array([[1e-15], [1 - 1e-15]]))
    for array in jax.tree.leaves(ends):
        assert close(array[0], array[1], 1e-10)


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-4), ("float64", 1e-11)])
def test_few_windows_are_evaluated_in_the_precision_of_the_network(dtype, bound):
    network = random_network(FbpinnOptions((8, 8), None, 1.0, 5, 1, "swish"), scales(2), dtype)
    x = jnp.asarray(np.random.default_rng(0).random((300, 2)), dtype)
    found = quick_filter_jit(lambda n, x: n.jet(x).value)(network, x)
    expected = quick_filter_jit(lambda n, x: jax.vmap(lambda point: network_value(n, point))(x))(network, x)
    assert found.dtype == dtype and close(found[:, 0], expected, bound)
