"""What is known of exact solutions where there are several of them, and cells."""

import numpy as np
import pytest

from hpms.coupling.known import Known
from hpms.fem.fine.reference import reference
from hpms.fem.p1 import P1Space
from hpms.fem.validation import relative_errors, validation_points
from hpms.options.upscaling import CellsOptions
from tests.problems import EPS, small_problem


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    problem, folder = small_problem(2, "5", lifts=2), tmp_path_factory.mktemp("cache")
    medium = problem.coefficient_at(), problem.source_at()
    exact = reference(2, EPS, *medium, method="p2", h=1 / 24, delta=EPS, cache_dir=folder, key="known")
    return Known(problem, exact, CellsOptions((2, 1), False), P1Space(2, 0.25))


def test_coarse_states_vanish_on_the_boundary_and_solve_the_problem_of_all_cells(known):
    space, y = known.space, known.states
    parts = zip(known.tensors, space.stiffness_in((2, 1)), strict=True)
    matrix = sum(k * part[b][a] for tensor, part in parts for (a, b), k in np.ndenumerate(tensor))
    load = space.load(known.problem.source_at())[:, None]
    np.testing.assert_array_equal(y[space.boundary], 0)
    np.testing.assert_allclose((matrix @ (y + space.nodes) - load)[space.interior], 0, atol=1e-12)
    for state, values in zip(known.coarse(), y.T, strict=True):
        np.testing.assert_allclose(state.values(space.nodes), values, atol=1e-14)


def test_the_gap_of_several_is_that_of_all_together(known):
    points, weights = validation_points(2, EPS)
    u, du = known.reference.evaluate_lifted(points, 2)
    gaps = np.array([0.3, 0.1])
    expected, _ = relative_errors(u + gaps * u, du, u, du, weights)
    assert known.together(list(gaps)) == pytest.approx(expected, rel=1e-4)
