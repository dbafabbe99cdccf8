import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.network.base import parametrise
from hpms.network.boundary import HardBoundary
from hpms.training.jacobian import second_order
from hpms.training.least_squares import ParameterSpace, ResidualSpace, assemble
from tests.problems import close, quick_filter_jit, quick_jit, small_loss

DAMPING = 1e-2
rows_of = quick_filter_jit(lambda loss, theta: loss.rows(theta))
system_of = quick_filter_jit(assemble)


def weighted(dim, hard, coupled, **options):
    theta, loss, view = small_loss(dim, hard, coupled, **options)
    return theta, loss.weighted(jnp.array([0.7, 1.3, 2.1])[: len(loss.names)], view)


def dense_jacobian(loss, theta):
    return np.asarray(quick_jit(jax.jacfwd(loss.rows))(theta))


@pytest.mark.parametrize(
    ("space", "dim", "hard", "coupled", "interior"),
    [
        (ParameterSpace, 1, True, False, 50),
        (ParameterSpace, 1, False, True, 50),
        (ParameterSpace, 2, False, True, 100),
        (ResidualSpace, 1, True, False, 12),
        (ResidualSpace, 1, False, True, 6),
        (ResidualSpace, 2, False, False, 12),
    ],
)
def test_the_assembled_system_is_that_of_the_dense_jacobian(space, dim, hard, coupled, interior):
    theta, loss = weighted(dim, hard, coupled, interior=interior, block=7)
    jacobian = dense_jacobian(loss, theta)
    assert loss.count == len(jacobian)
    z = np.random.default_rng(0).normal(size=(2, len(jacobian)))
    system = system_of(loss, theta, jnp.asarray(z[0]))
    assert isinstance(system, space)
    diagonal = np.sum(jacobian**2, axis=0)
    assert close(system.diagonal, diagonal)

    @quick_filter_jit
    def solutions(system, z):
        factor = system.factor(jnp.array(DAMPING))
        return jnp.stack([system.solve_rows(factor), system.solve(factor, z)])

    expected = np.linalg.solve(jacobian.T @ jacobian + DAMPING * np.diag(diagonal), jacobian.T @ z.T)
    assert close(solutions(system, jnp.asarray(z[1])), expected.T, 1e-8)


def test_the_squared_rows_are_the_weighted_terms():
    theta, loss = weighted(2, False, True)
    rows, terms = rows_of(loss, theta), loss.squares(loss.residuals(theta))
    assert close(jnp.sum(rows**2), loss.weights @ terms)


def test_second_order_is_the_second_derivative_along_a_line():
    theta, loss = weighted(1, False, True)
    step = jnp.asarray(np.random.default_rng(0).normal(size=theta.shape))
    first, second = quick_filter_jit(second_order)(loss, theta, step)
    h = 1e-4
    ahead, here, behind = (rows_of(loss, theta + t * step) for t in (h, 0, -h))
    assert close(first, (ahead - behind) / (2 * h), 1e-5)
    assert close(second, (ahead - 2 * here + behind) / h**2, 1e-4)


def test_parameters_on_which_nothing_depends_stay():
    theta, loss = weighted(1, True, False)
    network = loss.model(theta).network
    silent = eqx.tree_at(lambda n: n.layers[-1].weight, network, jnp.zeros_like(network.layers[-1].weight))
    theta, _ = parametrise(HardBoundary(silent))
    system = system_of(loss, theta, rows_of(loss, theta))
    step = system.solve_rows(system.factor(jnp.array(DAMPING)))
    untouched = np.abs(dense_jacobian(loss, theta)).max(axis=0) == 0
    assert untouched.sum() == 18
    assert (np.asarray(step)[untouched] == 0).all()
    assert (np.asarray(step)[~untouched] != 0).all()
