import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.options.collocation import BoundaryLayersOptions
from hpms.problem.unit_cube import UnitCube
from tests.problems import quick_jit


def sample(dim, count, seed=0):
    cube = UnitCube(dim, 0.1)
    both = quick_jit(lambda key: (cube.sample_interior(key, count), cube.sample_boundary(key, count)))
    with jax.numpy_dtype_promotion("strict"):
        return both(jax.random.key(seed))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_points_fill_the_cube_and_all_its_faces_alike(dim):
    interior, boundary = sample(dim, 6000)
    assert interior.shape == (6000, dim)
    assert interior.dtype == boundary.dtype == jnp.float64
    assert ((interior >= 0) & (interior < 1)).all()
    np.testing.assert_allclose(np.mean(interior, axis=0), 0.5, atol=0.03)

    boundary = np.asarray(boundary)
    on_face = (boundary == 0) | (boundary == 1)
    assert (on_face.sum(axis=1) == 1).all()
    shares = [np.mean(boundary[:, i] == side) for i in range(dim) for side in (0, 1)]
    np.testing.assert_allclose(shares, 1 / (2 * dim), atol=0.03)
    if dim == 1:
        np.testing.assert_array_equal(boundary, [[0.0], [1.0]])
    else:
        np.testing.assert_allclose(boundary[~on_face].mean(), 0.5, atol=0.03)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_lattice_integrates_far_better_than_random_points(dim):
    cube = UnitCube(dim, 0.1)

    def error(points):
        return abs(float(jnp.mean(jnp.prod(1 + jnp.cos(2 * jnp.pi * points) + points**2, axis=1))) - (4 / 3) ** dim)

    with jax.numpy_dtype_promotion("strict"):
        lattices = [cube.lattice_interior(jax.random.key(seed), 4000) for seed in range(3)]
    assert all(((points >= 0) & (points < 1)).all() and points.shape == (4000, dim) for points in lattices)
    assert np.abs(lattices[0] - lattices[1]).max() > 0.1
    noise = np.mean([error(cube.sample_interior(jax.random.key(seed), 4000)) for seed in range(20)])
    assert max(map(error, lattices)) < noise / 3


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_points_in_layers_integrate_with_their_weights_and_fill_them_alike(dim):
    options = BoundaryLayersOptions(3000, 10, 0.1, 0.6)
    with jax.numpy_dtype_promotion("strict"):
        points = np.asarray(options.sample(jax.random.key(1), UnitCube(dim, 0.1))[0])
    depth = np.minimum(points, 1 - points).min(axis=1)
    assert ((depth[:1800] >= 0) & (depth[:1800] <= 0.1 + 1e-12)).all() and (depth[1800:] >= 0.1 - 1e-12).all()
    weights = options.weights(UnitCube(dim, 0.1))
    assert weights.mean() == pytest.approx(1, rel=1e-12)
    values = np.prod(1 + np.cos(3 * points) + points**2, axis=1)
    assert np.mean(weights * values) == pytest.approx((4 / 3 + np.sin(3) / 3) ** dim, rel=5e-3)
    layer = points[:1800]
    sides = [np.mean(end < 0.1) for a in range(dim) for end in (layer[:, a], 1 - layer[:, a])]
    np.testing.assert_allclose(sides, sides[0], atol=0.03)
    assert np.mean(depth[:1800]) == pytest.approx(0.05, rel=0.15)


def test_the_key_alone_decides_the_points():
    for first, again, other in zip(sample(2, 9), sample(2, 9), sample(2, 9, seed=1), strict=True):
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


@pytest.mark.parametrize(("dim", "surface"), [(1, 2), (2, 4), (3, 6)])
def test_measures(dim, surface):
    assert (UnitCube(dim, 0.1).volume, UnitCube(dim, 0.1).surface) == (1, surface)
