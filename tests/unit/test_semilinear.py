"""The bound of the error for a reaction that is not linear."""

import numpy as np
import pytest

import hpms
from hpms.study.measure import measure

COMMON = ("problem=box", "coefficient=expression", "source=constant", "law=semilinear")
NETWORK = ("collocation.interior_points=50", "network=mlp", "network.width=8", "network.depth=1", "reference.h=1/128")
LINE = (
    "problem.dim=1",
    "problem.eps=0.25",
    "problem.conditions={left:{dirichlet:1},right:{robin:[0.1,2]}}",
    "coefficient.formula=2+sin(2*pi*x1/eps)",
    "law.formula=x1+sinh(w)",
)
SQUARE = (
    "problem.dim=2",
    "problem.eps=0.5",
    "problem.conditions={left:{dirichlet:x2},right:{neumann:1},all:{neumann:0}}",
    "coefficient.formula=2+sin(2*pi*x1/eps)*sin(2*pi*x2/eps)",
    "law.formula=10*w**3",
)


@pytest.mark.parametrize("problem", [LINE, pytest.param(SQUARE, marks=pytest.mark.thorough)], ids=["line", "square"])
def test_it_is_above_the_error_and_not_far(problem):
    """By what s leaves out, (s(w*) - s(w))(w* - w) >= 0, and the rate on the right, it may be larger."""
    config = hpms.configure("+method=fast", *COMMON, *problem, *NETWORK)
    built = hpms.build(config)
    measured = measure(config, built.problem)
    assert measured.exact is not None and measured.exact.lift is not None
    exact = measured.exact.gradient + measured.exact.lift[1]
    size = np.einsum("m,m,mla->", measured.weights, built.problem.coefficient_at()(measured.points), exact**2) ** 0.5
    error = size * measured.energy_error(built, built.theta, 500)["relative_energy_error"]
    found = built.bound(built.theta)
    assert found.is_bound
    assert 0.995 * error <= found.energy <= 3 * error


@pytest.mark.thorough
def test_with_missed_values_there_is_an_estimate():
    config = hpms.configure("+method=fast", *COMMON, *LINE, *NETWORK, "boundary=soft", "collocation.boundary_points=2")
    built = hpms.build(config)
    found = built.bound(built.theta)
    assert not found.is_bound and found.lacks == "values that w misses are bounded for a linear law alone"
