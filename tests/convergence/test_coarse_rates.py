"""Fine elements converge at their rates: L² r + 1, H¹ r."""

import numpy as np
import pytest

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.fine.solve import solve_fine, solve_homogeneous
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space
from hpms.fem.validation import relative_errors, validation_points

MESHES = {1: (16, 32, 64), 2: (8, 16, 32), 3: (4, 8)}


def coefficient(x):
    return 1 + 0.5 * np.prod(np.cos(x), axis=1)


def exact(x):
    """u = Π sin(πx_i) and its gradient."""
    sines, cosines = np.sin(np.pi * x), np.pi * np.cos(np.pi * x)
    others = [np.prod(np.delete(sines, i, axis=1), axis=1) for i in range(x.shape[1])]
    return np.prod(sines, axis=1), np.stack(others, axis=1) * cosines


def source(x):
    """q = -∇·(K (∇u + e₁))."""
    u, gradient = exact(x)
    cosines = np.cos(x)
    others = [np.prod(np.delete(cosines, i, axis=1), axis=1) for i in range(x.shape[1])]
    slope = -0.5 * np.stack(others, axis=1) * np.sin(x)
    return x.shape[1] * np.pi**2 * coefficient(x) * u - (slope * gradient).sum(axis=1) - slope[:, 0]


def rates(errors, meshes):
    return np.log(np.array(errors[:-1]) / errors[1:]).T / np.log(np.array(meshes[1:]) / meshes[:-1])


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_fine_solution(dim, degree):
    points, weights = validation_points(dim, 0.3)
    points = np.clip(points + 1e-3 * np.random.default_rng(0).normal(size=points.shape), 0, 1)
    errors = []
    for n in MESHES[dim]:
        found = solve_fine(LagrangeSpace(dim, n, degree), coefficient, source, lifts=1).lifted[0]
        errors.append(relative_errors(*found.evaluate(points), *exact(points), weights))
    l2, h1 = rates(errors, MESHES[dim])
    assert (abs(l2 - degree - 1) < (0.1 if dim < 3 else 0.35)).all()
    assert (abs(h1 - degree) < (0.1 if dim < 3 else 0.35)).all()


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_coarse_state_with_a_full_tensor(dim):
    """y of -∇·(K∇y) = q with q = -K:∇∇y for a full, asymmetric K; the nodal error has rate 2."""
    tensor = np.eye(dim) + 0.3 * np.tri(dim)

    def load(x):
        u, _ = exact(x)
        mixed = 0.0
        for a in range(dim):
            for b in range(dim):
                if a == b:
                    mixed -= tensor[a, a] * np.pi**2 * u
                else:
                    rest = np.prod(np.delete(np.sin(np.pi * x), [a, b], axis=1), axis=1)
                    mixed += tensor[a, b] * np.pi**2 * rest * np.cos(np.pi * x[:, a]) * np.cos(np.pi * x[:, b])
        return -mixed

    errors = []
    for n in MESHES[dim]:
        space = P1Space(dim, 1 / n)
        y = CoarseProblem(space, space.load(load)).factorise(tensor.ravel()).state()
        errors.append([np.linalg.norm(y - exact(space.nodes)[0]) / len(y) ** 0.5])
    if dim == 1:
        assert errors[-1][0] < 1e-12
    else:
        assert (abs(rates(errors, MESHES[dim]) - 2) < (0.15 if dim == 2 else 0.35)).all()


def test_the_fine_coarse_state_is_that_of_the_p1_space():
    space = P1Space(2, 1 / 12)
    y = CoarseProblem(space, space.load(exact_source)).factorise(2.5 * np.eye(2).ravel()).state()
    fine = solve_homogeneous(LagrangeSpace(2, 12, 1), exact_source, 2.5)
    np.testing.assert_allclose(fine.data, y, atol=1e-6 * np.abs(y).max())


def exact_source(x):
    return np.exp(x[:, 0] - 2 * x[:, 1])
