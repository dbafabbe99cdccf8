import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.errors import UserError
from hpms.options.coefficient import ExpressionOptions
from hpms.options.collocation import BoundaryLayersOptions, UniformOptions
from hpms.problem.collocation import BOUNDARY, INTERIOR, Sampler, collocate
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.lifted import LiftedProblem
from hpms.problem.unit_cube import UnitCube
from tests.problems import EPS, small_problem


def collocated(dim=2, count=10, block=4, dtype="float64", problem=None):
    problem = problem or small_problem(dim)
    interior, boundary = UniformOptions(count, 6).sample(jax.random.key(0), problem.domain)
    with jax.numpy_dtype_promotion("strict"):
        points = {INTERIOR: interior, BOUNDARY: boundary}
        return interior, collocate(problem, points, np.ones(len(interior)), block, jnp.dtype(dtype))[INTERIOR]


@pytest.mark.parametrize(("count", "block", "shape"), [(10, 4, (3, 4)), (10, 5, (2, 5)), (10, 100, (1, 10))])
def test_points_are_cut_into_padded_blocks(count, block, shape):
    interior, found = collocated(count=count, block=block)
    assert found.weights.shape == shape
    assert found.sites.points.shape == (*shape, 2)
    assert found.there.coefficient.shape == shape
    assert found.there.divergence.shape == (*shape, 2)
    np.testing.assert_array_equal(found.weights.reshape(-1), np.arange(found.weights.size) < count)
    np.testing.assert_array_equal(found.sites.every, interior)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_flat_and_blocked_are_inverse_and_transposed():
    _, found = collocated()
    values = jnp.arange(1.0, 11)
    blocked = found.sites.blocked(values)
    np.testing.assert_array_equal(found.sites.flat(blocked), values)
    np.testing.assert_array_equal(blocked * (1 - found.weights), 0)


def test_the_medium_is_that_of_the_points():
    interior, found = collocated()
    medium = small_problem(2).medium(interior)
    np.testing.assert_array_equal(found.sites.flat(found.there.coefficient), medium.coefficient)
    np.testing.assert_array_equal(found.sites.flat(found.there.forcing), medium.forcing)
    expected = np.exp(-2 * interior[:, 0]) + medium.divergence[:, 0]
    np.testing.assert_allclose(medium.forcing, expected[:, None], rtol=1e-14)


def test_means_over_fresh_points_are_those_of_the_domain_where_layers_have_more_of_them():
    sampler = Sampler(
        small_problem(2), jax.random.key(0), BoundaryLayersOptions(500, 6, 0.1, 0.6), 64, jnp.dtype("float64")
    )
    parts = sampler(jnp.array(3))
    found, edge = parts[INTERIOR], parts[BOUNDARY]
    assert edge.count == 6 and (np.asarray(edge.weights) == 1).all()
    assert (np.isin(edge.sites.every, (0, 1)).any(axis=1)).all()
    points, weights = np.asarray(found.sites.every), np.asarray(found.sites.flat(found.weights))
    layer = np.minimum(points, 1 - points).min(axis=1) < 0.1
    assert np.mean(layer) == 0.6
    assert np.mean(weights * layer) == pytest.approx(1 - 0.8**2)
    np.testing.assert_allclose(np.mean(weights[:, None] * points**2, axis=0), 1 / 3, rtol=0.02)
    assert float(found.weights.sum()) == pytest.approx(500)


def test_everything_has_the_precision_asked_for():
    _, found = collocated(dtype="float32")
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(
    ("formula", "source", "message"),
    [
        ("x1 - 0.5", "1", "coefficient must be positive"),
        ("sqrt(-x1)", "1", "coefficient must be positive"),
        ("1 + 1/floor(x1)", "1", "coefficient must be positive"),
        ("1", "log(-x1)", "source must be finite"),
    ],
)
def test_a_medium_out_of_range_is_refused_at_a_point(formula, source, message):
    problem = LiftedProblem(
        UnitCube(1, EPS), Diffusion(ExpressionOptions(formula, {}, None).build(1, EPS)), small_problem(1, source).source
    )
    with pytest.raises(UserError, match=rf"{message}.*\(0\.\d+\)"):
        collocated(problem=problem)


def test_values_on_the_host_are_those_at_the_points():
    problem, points = small_problem(2), np.random.default_rng(0).random((7, 2))
    medium = problem.medium(jnp.asarray(points))
    np.testing.assert_allclose(problem.coefficient_at()(points), medium.coefficient, rtol=1e-14)
    np.testing.assert_allclose(problem.source_at()(points), np.exp(-2 * points[:, 0]), rtol=1e-14)
