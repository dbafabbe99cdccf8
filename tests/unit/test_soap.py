from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from hpms.training.loss import Loss
from hpms.training.optimizer.decay import ExponentialDecay
from hpms.training.optimizer.soap import Side, Soap
from tests.problems import close, quick_jit

RNG = np.random.default_rng(0)
INPUTS, OUTPUTS, WEIGHT, BIAS = (RNG.normal(size=size) for size in ((6, 3), (6, 4), (3, 4), 4))
THETA, UNRAVEL = ravel_pytree([jnp.asarray(WEIGHT), jnp.asarray(BIAS)])


@jax.value_and_grad
def misfit(theta):
    """Of one layer: its gradients have all directions of the weight matrix."""
    weight, bias = UNRAVEL(theta)
    return jnp.sum((jnp.tanh(INPUTS @ weight + bias) - OUTPUTS) ** 2)


def gradient(theta):
    value, slope = misfit(theta)
    return slope, value[None]


def soap_of(unravel, refresh=2):
    return Soap(unravel, ExponentialDecay(1e-2, 0.5, 30), 0.9, 0.95, refresh)


def followed(factor, basis):
    """The basis after a step of the power method, and the order of its columns by descending Rayleigh quotient."""
    order = np.argsort(-np.diag(basis.T @ factor @ basis))
    return np.linalg.qr(factor @ basis[:, order])[0], order


def test_the_steps_are_those_of_the_paper():
    soap, loss, gradient_of = soap_of(UNRAVEL), Mock(spec=Loss, gradient=gradient), quick_jit(gradient)
    step = quick_jit(lambda theta, state: soap.step(theta, state, loss))
    theta, state, weight, bias = THETA, soap.init(THETA), WEIGHT, BIAS
    b1, b2, left, right, m, v, m_bias, v_bias = 0.9, 0.95, 0, 0, 0, 0, 0, 0
    for t in range(7):
        g, g_bias = UNRAVEL(gradient_of(ravel_pytree([jnp.asarray(weight), jnp.asarray(bias)])[0])[0])
        g, g_bias = np.asarray(g), np.asarray(g_bias)
        left, right = b2 * left + (1 - b2) * g @ g.T, b2 * right + (1 - b2) * g.T @ g
        if t == 0:
            a, b = (np.linalg.eigh(factor)[1][:, ::-1] for factor in (left, right))
        else:
            m, m_bias = b1 * m + (1 - b1) * g, b1 * m_bias + (1 - b1) * g_bias
            v, v_bias = b2 * v + (1 - b2) * (a.T @ g @ b) ** 2, b2 * v_bias + (1 - b2) * g_bias**2
            rate = 1e-2 * 0.5 ** (t / 30) * np.sqrt(1 - b2**t) / (1 - b1**t)
            weight = weight - rate * a @ (a.T @ m @ b / (np.sqrt(v) + 1e-8)) @ b.T
            bias = bias - rate * m_bias / (np.sqrt(v_bias) + 1e-8)
            if t % 2 == 0:
                (a, rows), (b, columns) = followed(left, a), followed(right, b)
                v = v[rows][:, columns]
        theta, state, report = step(theta, state)
        assert report.finite
        for found, expected in zip(UNRAVEL(theta), (weight, bias), strict=True):
            assert close(found, expected, 1e-7)
    assert np.abs(theta - THETA).max() > 0.02


def test_a_gradient_comes_back_from_its_eigenbases():
    soap, rng = soap_of(UNRAVEL), np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (3, 4))
    sides = ((Side(jnp.zeros((3, 3)), jnp.asarray(left)), Side(jnp.zeros((4, 4)), jnp.asarray(right))), None)
    rotated = soap._rotated(THETA, sides)
    np.testing.assert_allclose(UNRAVEL(rotated)[0], left.T @ WEIGHT @ right, atol=1e-14)
    np.testing.assert_allclose(soap._rotated(rotated, sides, back=True), THETA, atol=1e-14)


def test_it_does_not_follow_rounding_errors_of_a_rank_one_gradient():
    rng, size = np.random.default_rng(0), 64
    unravel = ravel_pytree([jnp.zeros((size, size), jnp.float32)])[1]
    soap = soap_of(unravel)
    left, right = (np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(2))
    gradient = jnp.asarray(1e9 * np.outer(left[:, 0], right[:, 0]), jnp.float32).ravel()
    sides = tuple(Side(jnp.zeros((size, size)), jnp.asarray(basis, jnp.float32)) for basis in (left, right))
    rotated, mean = soap._rotated(gradient, (sides,)), soap._rotated(0.05 * gradient, (sides,))
    step = soap._normalised(mean, 0.05 * rotated**2)
    assert step[0] == pytest.approx(0.05**0.5, rel=1e-3)
    assert np.abs(step).max() < 1
