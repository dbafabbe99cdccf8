import jax.numpy as jnp
import numpy as np
import pytest

from hpms.problem.sites import sites


@pytest.mark.parametrize("devices", [1, 3])
@pytest.mark.parametrize(("count", "block"), [(10, 4), (12, 4), (10, 99), (1, 4), (7, 1)])
def test_points_are_cut_into_equal_blocks_that_bring_each_back_once(count, block, devices, monkeypatch):
    monkeypatch.setattr("hpms.machine.devices.count", lambda: devices)
    points = jnp.arange(2 * count, dtype=jnp.float32).reshape(count, 2)
    found = sites(points, block, jnp.dtype("float32"))
    blocks, size, dim = found.points.shape
    assert size <= block and blocks % devices == 0 and blocks * size - count < blocks
    assert dim == 2 and found.points.dtype == jnp.float32
    np.testing.assert_array_equal(found.every, points)
    assert (found.points.reshape(-1, 2)[count:] == points[-1]).all()
    blocked = found.blocked(points)
    assert blocked.shape == (blocks, size, 2) and blocked.sum() == points.sum()
    np.testing.assert_array_equal(found.flat(blocked), points)
