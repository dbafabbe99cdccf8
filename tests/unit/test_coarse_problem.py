"""The coarse problem: assembly, state, adjoint and sensitivities."""

import numpy as np
import pytest
from scipy import sparse

from hpms.errors import UserError
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.direct import factorise
from hpms.fem.p1 import P1Space

TENSORS = {1: [[1.7]], 2: [[2.8, 0.6], [-0.2, 1.9]], 3: [[2.0, 0.3, -0.1], [0.1, 3.0, 0.4], [0.2, -0.3, 1.5]]}
WIDTHS = {1: 0.04, 2: 0.1, 3: 0.2}


def source(x):
    return 1 + x[:, 0] - np.cos(3 * x[:, -1])


def coarse_problem(dim):
    space = P1Space(dim, WIDTHS[dim])
    return CoarseProblem(space, space.load(source)), np.array(TENSORS[dim])


def some_vector(problem, seed=0):
    return np.random.default_rng(seed).normal(size=len(problem.space.nodes))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_stiffness_of_affine_functions(dim):
    space = P1Space(dim, WIDTHS[dim])
    for a in range(dim):
        for b in range(dim):
            matrix = space.stiffness[a][b]
            np.testing.assert_allclose(
                space.nodes.T @ (matrix @ space.nodes), np.outer(*np.eye(dim)[[a, b]]), atol=1e-12
            )
            assert abs(matrix - space.stiffness[b][a].T).max() < 1e-13


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_load_integrates_the_source(dim):
    space = P1Space(dim, WIDTHS[dim])
    load = space.load(lambda x: x[:, 0] ** 2)
    assert load.sum() == pytest.approx(1 / 3, rel=1e-12)
    assert load @ space.nodes[:, 0] == pytest.approx(1 / 4, rel=1e-12)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_state_solves_the_equation(dim):
    problem, tensor = coarse_problem(dim)
    y, space = problem.factorise(tensor.ravel()).state(), problem.space
    matrix = sum(tensor[a, b] * space.stiffness[a][b] for a in range(dim) for b in range(dim))
    np.testing.assert_allclose((matrix @ y - problem.load)[space.interior], 0, atol=1e-13)
    boundary = np.setdiff1d(np.arange(len(space.nodes)), space.interior)
    assert ((space.nodes[boundary] == 0) | (space.nodes[boundary] == 1)).any(axis=1).all()
    assert (y[boundary] == 0).all() and (y[space.interior] != 0).all()
    np.testing.assert_allclose(problem.factorise(4 * tensor.ravel()).state(), y / 4, atol=1e-14)


def test_state_in_1d_is_exact_at_the_nodes():
    space = P1Space(1, 0.1)
    y = CoarseProblem(space, space.load(lambda x: np.ones(len(x)))).factorise(np.array([2.0])).state()
    np.testing.assert_allclose(y, space.nodes[:, 0] * (1 - space.nodes[:, 0]) / 4, atol=1e-14)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_adjoint_identity(dim):
    problem, tensor = coarse_problem(dim)
    r = some_vector(problem)
    solver = problem.factorise(tensor.ravel())
    assert solver.adjoint(r) @ problem.load == pytest.approx(r @ solver.state(), rel=1e-11)


def test_transposed_solve_of_an_asymmetric_matrix():
    rng = np.random.default_rng(0)
    matrix = np.eye(6) * 8 + rng.normal(size=(6, 6))
    r = rng.normal(size=6)
    factors = factorise(sparse.csc_matrix(matrix))
    np.testing.assert_allclose(factors.solve(r, trans="T"), np.linalg.solve(matrix.T, r))
    np.testing.assert_allclose(factors.solve(r), np.linalg.solve(matrix, r))
    with pytest.raises(ValueError, match="factorised"):
        factorise(sparse.csc_matrix((6, 6)))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_sensitivities_and_contraction_match_finite_differences(dim):
    problem, tensor = coarse_problem(dim)
    solver, r, step = problem.factorise(tensor.ravel()), some_vector(problem), 1e-5
    y, p = solver.state(), solver.adjoint(r)
    contraction = solver.contraction(y, p)
    for a in range(dim):
        for b in range(dim):
            change = np.zeros_like(tensor)
            change[a, b] = step
            ahead, behind = (problem.factorise((tensor + s * change).ravel()).state() for s in (1, -1))
            slope = (ahead - behind) / (2 * step)
            found = solver.sensitivity(y)[:, a * dim + b]
            np.testing.assert_allclose(found, slope, atol=1e-9 * np.abs(y).max() + 1e-7 * np.abs(slope).max())
            assert contraction[a * dim + b] == pytest.approx(-r @ found, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_contraction_of_any_two_functions(dim):
    problem, tensor = coarse_problem(dim)
    solver, x = problem.factorise(tensor.ravel()), problem.space.nodes
    y, p = x @ np.arange(1.0, dim + 1), x @ np.arange(2.0, dim + 2)
    np.testing.assert_allclose(
        solver.contraction(y, p).reshape(dim, dim), np.outer(np.arange(1, dim + 1), np.arange(2, dim + 2)), rtol=1e-11
    )


@pytest.mark.parametrize(
    ("tensor", "admissible"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], True),
        ([[1.0, 5.0], [-5.0, 1.0]], True),
        ([[1.0, 1.5], [1.5, 1.0]], False),
        ([[1.0, 0.0], [0.0, 0.0]], False),
        ([[-1.0, 0.0], [0.0, -1.0]], False),
        ([[np.nan, 0.0], [0.0, 1.0]], False),
        ([[np.inf, 0.0], [0.0, 1.0]], False),
    ],
)
def test_admissible_means_positive_definite(tensor, admissible):
    problem, _ = coarse_problem(2)
    tensor = np.array(tensor)
    assert problem.is_admissible(tensor.ravel()) is admissible
    if not admissible:
        with pytest.raises(ValueError, match="not positive definite"):
            problem.factorise(tensor.ravel())


def test_wrong_shapes_and_widths_are_refused():
    problem, tensor = coarse_problem(2)
    with pytest.raises(ValueError, match="shape"):
        problem.factorise(np.ones(3))
    with pytest.raises(ValueError, match="shape"):
        CoarseProblem(problem.space, np.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        problem.factorise(tensor.ravel()).adjoint(np.zeros(3))
    for dim, h in [(2, 0.0), (2, 0.6), (2, np.nan), (4, 0.1)]:
        with pytest.raises(ValueError, match="P1 space"):
            P1Space(dim, h)
    with pytest.raises(UserError, match=r"source.*\(0\.\d+, 0\.\d+\)"):
        problem.space.load(lambda x: np.where(x[:, 0] > 0.5, np.nan, 1.0))


def test_h_is_the_nearest_inverse_of_a_whole_number():
    space = P1Space(2, 0.3)
    assert space.h == pytest.approx(1 / 3)
    assert len(space.nodes) == 16 and len(space.interior) == 4
    assert sparse.issparse(space.interpolation(space.nodes))
