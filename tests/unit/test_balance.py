"""Mass balance over a coarse grid."""

import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.experiment import fine_problem
from hpms.study.balance import balance


def posed(sides, source, reaction=None, **more):
    """K = 1 + x1 on a box with w = 0 at the left, no other condition mattering here."""
    dim = len(sides)
    given = hpms.Problem(
        domain=hpms.Box(*sides),
        eps=0.25,
        coefficient=lambda x: 1 + x[0],
        source=source,
        conditions={"all": hpms.Dirichlet(0)},
        reaction=reaction,
        **more,
    )
    config = given.config("+method=fast")
    given.remember()
    assert config.problem.dim == dim
    return fine_problem(config)


def quadratic(points):
    """w = x1² + x1 x_d and its flux -K∇w, for K = 1 + x1."""
    first, last = points[:, 0], points[:, -1]
    slope = np.zeros(points.shape)
    slope[:, 0] = 2 * first + last
    slope[:, -1] += first
    return first**2 + first * last, -(1 + first)[:, None] * slope


@pytest.mark.parametrize("sides", [(1.0, 0.5), (1.0, 0.5, 0.75)])
def test_a_solution_keeps_mass_in_each_cell(sides):
    last = len(sides) - 1
    source = lambda x: -(2 + 4 * x[0] + x[last])  # noqa: E731
    found = balance(posed(sides, source), quadratic)
    assert found is not None and found.surplus.ndim == len(sides)
    assert found.most < 1e-12 and found.mean <= found.most
    area = np.prod(sides[1:])
    assert found.outflow["left"] == pytest.approx(area * sides[-1] / 2, rel=1e-12)
    assert found.outflow["right"] == pytest.approx(-2 * area * (2 + sides[-1] / 2), rel=1e-12)


def test_what_a_reaction_takes_counts():
    source = lambda x: -(2 + 4 * x[0] + x[1]) + 3 * (x[0] ** 2 + x[0] * x[1])  # noqa: E731
    assert balance(posed((1.0, 1.0), source, reaction=3), quadratic).most < 1e-12
    assert balance(posed((1.0, 1.0), source), quadratic).most > 1e-3


def test_the_surplus_of_a_cell_is_what_is_missing_there():
    def source(x):
        return -(2 + 4 * x[0] + x[1]) + jnp.where((x[0] < 1 / 12) & (x[1] < 1 / 12), 1.0, 0.0)

    found = balance(posed((1.0, 1.0), source), quadratic)
    expected = np.zeros((12, 12))
    expected[0, 0] = -1 / 144
    np.testing.assert_allclose(found.surplus, expected, atol=1e-12)
    assert found.most == pytest.approx(1 / 144 / found.scale)
    assert found.mean == pytest.approx(found.most / 12)


def test_other_domains_have_none():
    domain = hpms.Polygon([(0, 0), (1, 0), (0, 1)])
    given = hpms.Problem(domain=domain, eps=0.2, coefficient=1, source=1, conditions={"all": hpms.Dirichlet(0)})
    given.remember()
    assert balance(fine_problem(given.config("+method=fast")), quadratic) is None
