"""The fine finite element solution: elements, assembly, solvers, evaluation."""

import numpy as np
import pytest
import skfem

from hpms.errors import UserError
from hpms.fem import spd
from hpms.fem.field import LagrangeField
from hpms.fem.fine.solve import assemble, solve_fine, solve_homogeneous
from hpms.fem.grid import unit_mesh
from hpms.fem.lagrange import LagrangeSpace

CELLS = {1: 9, 2: 5, 3: 3}
ELEMENTS = {
    (1, 1): skfem.ElementLineP1,
    (1, 2): skfem.ElementLineP2,
    (2, 1): skfem.ElementTriP1,
    (2, 2): skfem.ElementTriP2,
    (3, 1): skfem.ElementTetP1,
    (3, 2): skfem.ElementTetP2,
}
every_space = pytest.mark.parametrize(("dim", "degree"), ELEMENTS)


def coefficient(x):
    return 2 + np.sin(5 * x[:, 0]) * np.cos(3 * x[:, -1])


def source(x):
    return np.exp(x[:, 0]) - x[:, -1]


def small_space(dim, degree):
    return LagrangeSpace(dim, CELLS[dim], degree)


@every_space
def test_assembly_agrees_with_scikit_fem(dim, degree):
    space = small_space(dim, degree)
    basis = skfem.Basis(unit_mesh(dim, CELLS[dim]), ELEMENTS[dim, degree](), intorder=5)
    scale = 2 * CELLS[dim]
    ours, theirs = (np.round(x * scale).astype(int) for x in (space.nodes, basis.doflocs.T))
    order = np.lexsort(theirs.T[::-1])
    np.testing.assert_array_equal(ours, theirs[order])
    system = assemble(space, coefficient, source)
    k = coefficient(np.asarray(basis.global_coordinates()).reshape(dim, -1).T).reshape(basis.dx.shape)
    q = source(np.asarray(basis.global_coordinates()).reshape(dim, -1).T).reshape(basis.dx.shape)
    form = skfem.BilinearForm(lambda u, v, w: w.k * sum(u.grad[a] * v.grad[a] for a in range(dim)))
    stiffness = form.assemble(basis, k=k).toarray()[np.ix_(order, order)]
    inner = space.interior
    np.testing.assert_allclose(system.matrix.toarray(), stiffness[np.ix_(inner, inner)], atol=1e-12)
    load = skfem.LinearForm(lambda v, w: w.q * v).assemble(basis, q=q)
    np.testing.assert_allclose(system.load, load[order], atol=1e-14)
    for axis, moment in enumerate(system.moments):
        form = skfem.LinearForm(lambda v, w, axis=axis: w.k * v.grad[axis])
        np.testing.assert_allclose(moment, form.assemble(basis, k=k)[order], atol=1e-13)
    np.testing.assert_allclose(system.mean, (k * basis.dx).sum() * np.eye(dim), rtol=1e-13)


@every_space
def test_polynomials_of_the_degree_are_represented_exactly(dim, degree):
    space = small_space(dim, degree)
    slope = np.arange(1.0, dim + 1)

    def u(x):
        return 1 + x @ slope + (degree == 2) * (x[:, 0] * x[:, -1])

    def gradient(x):
        change = np.tile(slope, (len(x), 1))
        change[:, 0] += (degree == 2) * x[:, -1]
        change[:, -1] += (degree == 2) * x[:, 0]
        return change

    field = LagrangeField(space, u(space.nodes))
    points = np.random.default_rng(0).random((300, dim))
    value, found = field.evaluate(points)
    np.testing.assert_allclose(value, u(points), atol=1e-12)
    np.testing.assert_allclose(found, gradient(points), atol=1e-11)
    np.testing.assert_array_equal(field.values(points), value)
    axis, weights = np.polynomial.legendre.leggauss(4)
    grid = np.stack(np.meshgrid(*[(axis + 1) / 2] * dim), axis=-1).reshape(-1, dim)
    weights = np.stack(np.meshgrid(*[weights / 2] * dim), axis=-1).reshape(-1, dim).prod(axis=1)
    expected = (weights @ u(grid) ** 2) ** 0.5, (weights @ (gradient(grid) ** 2).sum(axis=1)) ** 0.5
    np.testing.assert_allclose(field.norms(), expected, rtol=1e-12)


def test_a_constant_medium_upscales_to_itself():
    solution = solve_fine(LagrangeSpace(2, 6, 2), lambda x: np.full(len(x), 3.0), source, lifts=2)
    np.testing.assert_allclose(solution.upscaled_coefficient, 3 * np.eye(2), atol=1e-13)
    first, second = (u.data for u in solution.lifted)
    np.testing.assert_allclose(first, second, atol=1e-14)
    homogeneous = solve_homogeneous(LagrangeSpace(2, 6, 2), source, 3.0)
    np.testing.assert_allclose(homogeneous.data, first, atol=1e-14)


def test_upscaled_coefficient_is_the_mean_flux():
    n, space = 12, LagrangeSpace(2, 12, 2)
    solution = solve_fine(space, coefficient, source, lifts=2)
    barycentric, weights = space.rule(5)
    expected = np.zeros((2, 2))
    for simplex, cube in space.blocks(n * n):
        points = space.places(barycentric, cube, simplex).reshape(-1, 2)
        share = np.tile(weights, len(cube)) * coefficient(points)
        for i, field in enumerate(solution.lifted):
            expected[i] += share @ (field.evaluate(points)[1] + np.eye(2)[i])
    np.testing.assert_allclose(solution.upscaled_coefficient, expected, rtol=1e-11)
    assert abs(expected[0, 1] - expected[1, 0]) > 1e-6
    only = solve_fine(space, coefficient, source, lifts=1)
    np.testing.assert_allclose(only.upscaled_coefficient, expected[:1], rtol=1e-11)
    assert solution.unknowns == (2 * n - 1) ** 2
    assert solution.assemble_seconds > 0 and solution.solve_seconds > 0


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("degree", [1, 2])
def test_multigrid_agrees_with_the_factorisation(dim, degree, monkeypatch):
    space = LagrangeSpace(dim, {2: 40, 3: 10}[dim], degree)
    direct = solve_fine(space, coefficient, source, lifts=dim)
    monkeypatch.setattr(spd, "_DIRECT", {dim: 0})
    iterative = solve_fine(space, coefficient, source, lifts=dim)
    for ours, theirs in zip(iterative.lifted, direct.lifted, strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, atol=1e-8 * np.abs(theirs.data).max())
    assert (iterative.lifted[0].data != direct.lifted[0].data).any()


def test_a_solver_that_does_not_converge_says_so(monkeypatch):
    monkeypatch.setattr(spd, "_DIRECT", {2: 0})
    monkeypatch.setattr(spd, "_ITERATIONS", 1)
    with pytest.raises(UserError, match="did not converge"):
        solve_fine(LagrangeSpace(2, 40, 1), coefficient, source, lifts=1)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_medium_that_is_not_positive_is_refused(bad):
    with pytest.raises(UserError, match=r"K\(0\.\d+, 0\.\d+\)"):
        solve_fine(LagrangeSpace(2, 4, 1), lambda x: np.where(x[:, 0] > 0.5, bad, 1.0), source, lifts=1)


def test_wrong_input_is_refused():
    space = LagrangeSpace(2, 4, 1)
    with pytest.raises(ValueError, match="degree"):
        LagrangeSpace(2, 4, 3)
    with pytest.raises(ValueError, match="coefficients"):
        LagrangeField(space, np.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        solve_fine(space, lambda x: x, source, lifts=1)
    with pytest.raises(ValueError, match="outside"):
        LagrangeField(space, np.zeros(25)).evaluate(np.array([[0.5, 2.0]]))
