import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.problem.unit_cube import UnitCube


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_interior_points_fill_the_cube(dim):
    points = UnitCube(dim, 0.1).sample_interior(jax.random.key(0), 4000)
    assert points.shape == (4000, dim)
    assert points.dtype == jnp.float64
    assert ((points >= 0) & (points < 1)).all()
    np.testing.assert_allclose(points.mean(axis=0), 0.5, atol=0.03)


@pytest.mark.parametrize("dim", [2, 3])
def test_boundary_points_fill_all_faces_alike(dim):
    with jax.numpy_dtype_promotion("strict"):
        points = np.asarray(UnitCube(dim, 0.1).sample_boundary(jax.random.key(0), 6000))
    on_face = (points == 0) | (points == 1)
    assert (on_face.sum(axis=1) == 1).all()
    counts = np.array([(points[:, i] == side).sum() for i in range(dim) for side in (0, 1)])
    np.testing.assert_allclose(counts / 6000, 1 / (2 * dim), atol=0.03)
    np.testing.assert_allclose(points[~on_face].mean(), 0.5, atol=0.03)


def test_the_boundary_in_one_dimension_is_its_end_points():
    np.testing.assert_array_equal(UnitCube(1, 0.1).sample_boundary(jax.random.key(0), 50), [[0.0], [1.0]])


@pytest.mark.parametrize(("dim", "surface"), [(1, 2), (2, 4), (3, 6)])
def test_measures(dim, surface):
    assert (UnitCube(dim, 0.1).volume, UnitCube(dim, 0.1).surface) == (1, surface)


def test_the_same_key_gives_the_same_points():
    cube, key = UnitCube(2, 0.1), jax.random.key(5)
    np.testing.assert_array_equal(cube.sample_interior(key, 9), cube.sample_interior(key, 9))
    np.testing.assert_array_equal(cube.sample_boundary(key, 9), cube.sample_boundary(key, 9))
