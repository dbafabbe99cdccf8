import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.coupling.upscaling.tensor import Tensor
from hpms.errors import UserError
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.fine.cells import CellMeans, cell_means, tensors
from hpms.fem.fine.solve import solve_fine
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space
from hpms.fem.strain import condition, determined
from hpms.jet import Jet
from hpms.problem.law.diffusion import Medium

COUNT = 50


def sample(seed=0):
    rng = np.random.default_rng(seed)
    points, gradient, k = rng.random((COUNT, 2)), rng.normal(size=(COUNT, 2, 2)), 1 + rng.random(COUNT)
    mask = (np.arange(COUNT) < 45).astype(float)
    jet = Jet(jnp.zeros((COUNT, 2)), tuple(jnp.asarray(gradient[:, :, a]) for a in range(2)), (jnp.zeros((COUNT, 2)),))
    medium = Medium(coefficient=jnp.asarray(k), divergence=jnp.zeros((COUNT, 2)))
    return points, gradient, k, mask, jet, medium


def found(upscaling):
    points, _, _, mask, jet, medium = sample()
    moments = upscaling.moments(jnp.asarray(points), jet, medium, jnp.asarray(mask)) / 45
    return upscaling.tensors(np.asarray(upscaling.parameters(moments)))


def expected(inside):
    """K̃ with the rows of the gradient and the columns of the flux, from the points where `inside`."""
    points, gradient, k, mask, *_ = sample()
    inside = inside(points) & (mask > 0)
    w = gradient[inside] + np.eye(2)
    flux, strain = (k[inside, None, None] * w).mean(axis=0), w.mean(axis=0)
    return flux, np.linalg.solve(strain, flux)


def test_a_tensor_is_the_mean_flux_where_the_mean_gradients_are_known():
    flux, measured = expected(lambda x: x[:, 0] < 2)
    np.testing.assert_allclose(found(Tensor(counts=(1, 1), measured=False, symmetrise=False)), flux, rtol=1e-12)
    np.testing.assert_allclose(found(Tensor(counts=(1, 1), measured=True, symmetrise=False)), measured, rtol=1e-12)
    symmetric = found(Tensor(counts=(1, 1), measured=False, symmetrise=True))
    np.testing.assert_allclose(symmetric, (flux + flux.T) / 2, rtol=1e-12)


def test_each_cell_has_the_tensor_of_its_own_points_the_last_axis_fastest():
    tensors = found(Tensor(counts=(2, 3), measured=True, symmetrise=False))
    assert tensors.shape == (6, 2, 2)
    for cell, (i, j) in enumerate(np.ndindex(2, 3)):
        _, each = expected(lambda x, i=i, j=j: (np.floor(2 * x[:, 0]) == i) & (np.floor(3 * x[:, 1]) == j))
        np.testing.assert_allclose(tensors[cell], each, rtol=1e-9)


def test_a_cell_without_points_has_no_tensor_and_harms_no_other():
    points, _, _, mask, jet, medium = sample()
    upscaling = Tensor(counts=(2, 1), measured=True, symmetrise=False)
    left = jnp.asarray(mask * (points[:, 0] < 0.5))
    kappa = upscaling.parameters(upscaling.moments(jnp.asarray(points), jet, medium, left))
    tensors = upscaling.tensors(np.asarray(kappa))
    assert (tensors[1] == 0).all() and np.abs(tensors[0]).min() > 0
    slope = jax.jacobian(lambda m: upscaling.parameters(m))(jnp.zeros(16))
    assert jnp.isfinite(slope).all()


def test_gradients_are_determined_by_their_means_in_the_cell_and_not_by_its_share_of_the_points():
    upscaling = Tensor(counts=(8, 8), measured=True, symmetrise=False)
    small = upscaling.neutral / 64  # as sums over a cell, divided by all points
    assert upscaling.is_determined(0.05 * small) and not upscaling.is_determined(5e-4 * small)


@pytest.mark.parametrize("measured", [True, False])
def test_neutral_means_belong_to_the_identity(measured):
    upscaling = Tensor(counts=(2, 3), measured=True, symmetrise=False)
    upscaling = upscaling if measured else Tensor(counts=(1, 1), measured=False, symmetrise=False)
    kappa = np.asarray(upscaling.parameters(jnp.asarray(upscaling.neutral)))
    assert (upscaling.tensors(kappa) == np.eye(2)).all()
    assert upscaling.is_determined(upscaling.neutral)
    assert (np.tensordot(kappa, upscaling.basis, axes=1) == np.eye(2)).all()


def test_dependent_gradients_determine_nothing():
    upscaling = Tensor(counts=(2, 1), measured=True, symmetrise=False)
    moments = upscaling.neutral.reshape(2, 2, 2, 2).copy()
    moments[1, 1] = [[1, 2], [2, 4 + 1e-4]]  # cell, flux or strain
    assert not upscaling.is_determined(moments.ravel())
    assert condition(np.array([np.eye(2), [[1.0, 2], [2, 4]]])).tolist()[1] > 1e15
    assert condition(np.zeros((1, 2, 2))) == np.inf and not determined(np.full((1, 2, 2), np.nan)).any()
    assert determined(np.array([[[0.002]], [[0.0009]], [[-5.0]]])).tolist() == [True, False, True]
    with pytest.raises(UserError, match="in cell 1 of 2"):
        tensors(CellMeans(flux=moments[:, 0], strain=moments[:, 1]))


def test_the_stiffness_of_cells_adds_up_and_a_cut_element_is_refused():
    space = P1Space(2, 1 / 6)
    parts = space.stiffness_in((2, 3))
    for a, b in np.ndindex(2, 2):
        difference = sum(part[a][b] for part in parts) - space.stiffness[a][b]
        assert abs(difference).max() < 1e-13
    with pytest.raises(ValueError, match="do not fit into"):
        space.stiffness_in((4, 1))
    assert P1Space(2, 0.04, multiple=4).n == 28 and P1Space(2, 0.04, multiple=5).n == 25


def test_two_layers_have_the_exact_piecewise_linear_state():
    """w₁ has the slopes 2k₂/(k₁ + k₂) and 2k₁/(k₁ + k₂), and w₂ = x₂."""
    k, space = np.array([1.0, 3.0]), P1Space(2, 0.25)
    problem = CoarseProblem(space, np.zeros(len(space.nodes)), cells=(2, 1))
    kappa = (k[:, None, None] * np.eye(2)).ravel()
    lift = problem.lift(2)
    w = problem.factorise(kappa).state(lift)
    x = space.nodes[:, 0]
    one = np.where(x < 0.5, 1.5 * x, 1 - 0.5 * (1 - x))
    sides = (space.nodes[:, 1] == 0) | (space.nodes[:, 1] == 1)
    data = np.where(sides, one, x)
    np.testing.assert_allclose(problem.factorise(kappa).state(data), one, atol=1e-13)
    np.testing.assert_allclose(w[:, 1], space.nodes[:, 1], atol=1e-13)
    assert (CoarseProblem(space, np.zeros(len(space.nodes))).lift(2) == 0).all()


def test_the_row_is_the_gradient_and_the_column_the_flux():
    """A jump of an antisymmetric part drives a flux through the interface, which the transpose turns round."""
    space, load = P1Space(2, 0.25), np.zeros(25)
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    problem = CoarseProblem(space, load, cells=(1, 2))
    kappa = np.stack([np.eye(2) + turn, np.eye(2)])
    residual = sum(k * a for k, a in zip(kappa.ravel(), problem.operators, strict=True)) @ space.nodes[:, 0]
    middle = np.flatnonzero((space.nodes[:, 1] == 0.5) & (space.nodes[:, 0] == 0.5))[0]
    assert residual[middle] == pytest.approx(0.25)


@pytest.mark.parametrize("strength", [0.0, 5.0])
def test_means_over_cells_add_up_to_those_over_the_domain(strength):
    coefficient = lambda x: 2 + np.sin(4 * np.pi * x[:, 0]) * np.cos(2 * np.pi * x[:, 1])  # noqa: E731
    solution = solve_fine(LagrangeSpace(2, 48, 2), coefficient, lambda x: strength * x[:, 0], 2)
    means = cell_means(solution.lifted, coefficient, (3, 2), 0.5)
    np.testing.assert_allclose(means.strain.mean(axis=0), np.eye(2), atol=1e-5)
    np.testing.assert_allclose(means.flux.mean(axis=0), solution.upscaled_coefficient, atol=1e-4)
    np.testing.assert_allclose(np.einsum("jia,jab->jib", means.strain, tensors(means)), means.flux, rtol=1e-10)
