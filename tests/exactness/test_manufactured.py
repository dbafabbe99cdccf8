from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.problem.lifted import LiftedProblem, strains
from hpms.problem.source.base import AbstractSource
from tests.problems import close, network_value, quick_jit, small_network, small_problem


class ManufacturedSource(AbstractSource):
    """q = -∇·(K ∇(v + x₁)) by autodiff of the flux."""

    coefficient: Callable = eqx.field(static=True)
    solution: Callable = eqx.field(static=True)

    def value(self, x):
        flux = lambda y: self.coefficient(y) * jax.grad(lambda z: self.solution(z) + z[0])(y)  # noqa: E731
        return -jnp.trace(jax.jacfwd(flux)(x))


def manufactured(dim, hard):
    problem = small_problem(dim)
    theta, model = small_network("mlp", "tanh", dim, "float64", hard)
    source = ManufacturedSource(problem.coefficient.value, lambda x: network_value(model(theta), x))
    return LiftedProblem(problem.domain, problem.law, source), theta, model


@pytest.mark.parametrize("hard", [True, False], ids=["hard", "soft"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_residual_of_a_manufactured_solution_is_zero(dim, hard):
    problem, theta, model = manufactured(dim, hard)
    x = jax.random.uniform(jax.random.key(4), (20, dim))
    medium, jet = quick_jit(lambda x: (problem.medium(x), model(theta).jet(x)))(x)
    assert np.abs(medium.residual(jet)).max() < 1e-12 * np.abs(medium.forcing).max()
    assert close(medium.operator(jet), medium.forcing, 1e-12)


def test_the_flux_is_the_first_component_of_that_of_w():
    problem, theta, model = manufactured(2, hard=True)
    x = jax.random.uniform(jax.random.key(4), (20, 2))
    w = lambda y: problem.source.solution(y) + y[0]  # noqa: E731
    expected = jax.vmap(lambda y: problem.coefficient.value(y) * jax.grad(w)(y)[0])
    found = lambda y: problem.medium(y).stress(strains(model(theta).jet(y)))[0][:, 0]  # noqa: E731
    assert close(*quick_jit(lambda x: (found(x), expected(x)))(x))
