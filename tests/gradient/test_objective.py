from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.training.objective import BOUNDARY, RESIDUAL
from hpms.training.state import gradient_norms
from tests.problems import close, network_value, quick_filter_jit, quick_jit, small_objective

cases = pytest.mark.parametrize(
    ("dim", "hard", "coupled"),
    [(1, True, True), (1, True, False), (2, False, True), (1, False, False)],
    ids=["hard-coupled", "hard-plain", "soft-coupled", "soft-plain"],
)
values_of = quick_filter_jit(
    lambda objective, *arguments: (objective.evaluate(*arguments), objective.residuals(*arguments))
)
gradient_of = quick_filter_jit(lambda objective, *arguments: objective.gradient(*arguments))
term_gradients_of = quick_filter_jit(lambda objective, *arguments: objective.term_gradients(*arguments))


def some_weights(objective):
    return jnp.array([0.7, 1.3, 2.1])[: len(objective.names)]


def pointwise(objective, theta, state):
    """The terms, K̃₁₁ and the means from single points by autodiff, without jets, blocks or padding."""
    collocation, v = objective.collocation, lambda x: network_value(objective.model(theta), x)
    medium = collocation.medium
    x, gradient = (a.reshape(-1, a.shape[-1])[: collocation.count] for a in (collocation.sites.points, medium.gradient))
    k, f = collocation.sites.flat(medium.coefficient), collocation.sites.flat(medium.forcing)
    slope, laplacian = jax.vmap(lambda y: (jax.grad(v)(y), jnp.trace(jax.hessian(v)(y))))(x)
    terms = [jnp.mean((-(k * laplacian + jnp.sum(gradient * slope, axis=1)) - f) ** 2)]
    if BOUNDARY in objective.names:
        terms.append(objective.surface * jnp.mean(jax.vmap(v)(collocation.boundary) ** 2))
    means = None
    if state is not None:
        means = objective.coupling.means(jax.vmap(v)(x), jax.vmap(v)(objective.coupling.nodes.every))
        terms.append(jnp.mean((means - state.target) ** 2))
    return jnp.stack(terms), jnp.mean(k * (slope[:, 0] + 1)), means


def lagrangian(theta, objective, weights, state):
    """Σ λ_k ‖r_k‖² + λ_c tr(p^T A y) K̃₁₁, and what it is made of."""
    terms, mean_flux, means = pointwise(objective, theta, state)
    adjoint = 0.0 if state is None else weights[-1] * jnp.trace(state.contraction) * mean_flux
    return weights @ terms + adjoint, (terms, mean_flux, means)


@cases
def test_terms_and_gradient_are_those_of_the_lagrangian_at_single_points(dim, hard, coupled):
    theta, objective, state = small_objective(dim, hard, coupled)
    weights = some_weights(objective)
    by_autodiff = jax.value_and_grad(lambda t: lagrangian(t, objective, weights, state), has_aux=True)
    (_, (terms, mean_flux, means)), expected = quick_jit(by_autodiff)(theta)
    gradient, gradient_terms = gradient_of(objective, theta, weights, state)
    assert close(gradient, expected)
    assert close(gradient_terms, terms)
    found, _ = values_of(objective, theta, state)
    assert close(found.terms, terms)
    assert close(found.mean_flux, mean_flux)
    assert (found.means is None) == (means is None)
    assert means is None or close(found.means, means)


@cases
def test_the_terms_are_squared_norms_of_the_residuals(dim, hard, coupled):
    theta, objective, state = small_objective(dim, hard, coupled)
    if coupled:
        state = replace(state, mean_flux=values_of(objective, theta, state)[0].mean_flux)
    found, residuals = values_of(objective, theta, state)
    assert set(residuals) == set(objective.names)
    assert residuals[RESIDUAL].shape == (objective.collocation.count,)
    squares = [np.sum(np.asarray(residuals[name]) ** 2) for name in objective.names]
    assert close(found.terms, squares)


@cases
def test_term_gradients_sum_to_the_gradient(dim, hard, coupled):
    theta, objective, state = small_objective(dim, hard, coupled)
    weights = some_weights(objective)
    parts = term_gradients_of(objective, theta, state)
    assert set(parts) == {*objective.names, *(("adjoint",) if coupled else ())}
    total = sum(weight * parts[name] for name, weight in zip(objective.names, weights, strict=True))
    if coupled:
        total += weights[-1] * parts["adjoint"]
    assert close(gradient_of(objective, theta, weights, state)[0], total)


def test_the_adjoint_part_is_the_contraction_with_the_slope_of_the_mean_flux():
    theta, objective, state = small_objective(2, False, True)
    slope = quick_jit(jax.grad(lambda t: objective.evaluate(t, state).mean_flux))(theta)
    assert close(term_gradients_of(objective, theta, state)["adjoint"], jnp.trace(state.contraction) * slope)


@pytest.mark.parametrize("block", [7, 1000])
def test_blocks_change_nothing(block):
    theta, objective, state = small_objective(2, False, True, block=block)
    _, expected, _ = small_objective(2, False, True)
    weights = some_weights(objective)
    found, terms = gradient_of(objective, theta, weights, state)
    assert close(found, gradient_of(expected, theta, weights, state)[0])
    assert close(terms, values_of(expected, theta, state)[0].terms)
    assert close(values_of(objective, theta, state)[0].mean_flux, values_of(expected, theta, state)[0].mean_flux)


@pytest.mark.parametrize("term", [0, 1, 2])
def test_a_weight_scales_its_term_alone(term):
    theta, objective, state = small_objective(2, False, True)
    parts = term_gradients_of(objective, theta, state)
    parts["coupling"] += parts.pop("adjoint")
    weights = jnp.zeros(3).at[term].set(2.0)
    assert close(gradient_of(objective, theta, weights, state)[0], 2 * parts[objective.names[term]])


def test_a_coupling_that_is_off_leaves_the_plain_problem():
    theta, objective, state = small_objective(2, False, True)
    off = replace(state, contraction=jnp.zeros_like(state.contraction), active=jnp.zeros(()))
    found, terms = gradient_of(objective, theta, jnp.ones(3), off)
    assert close(found, gradient_of(objective, theta, jnp.array([1.0, 1.0, 0.0]), state)[0])
    assert terms[2] == 0


def test_the_schedule_scales_the_weight_of_the_coupling():
    theta, objective, state = small_objective(2, False, True)
    half, terms = gradient_of(objective, theta, jnp.ones(3), replace(state, strength=jnp.array(0.5)))
    whole, expected = gradient_of(objective, theta, jnp.array([1.0, 1.0, 0.5]), state)
    assert close(half, whole)
    assert close(terms, expected)


def test_fresh_points_move_the_residual_and_leave_the_sites_of_the_means():
    theta, objective, state = small_objective(2, False, True, fresh=True)
    now = quick_filter_jit(lambda o, i: o.at(i))(objective, jnp.array(3))
    again, other = objective.at(jnp.array(3)), objective.at(jnp.array(4))
    assert close(now.collocation.sites.points, again.collocation.sites.points)
    assert np.abs(now.collocation.sites.points - other.collocation.sites.points).max() > 0.1
    found, expected = (values_of(o, theta, state)[0] for o in (now, objective))
    assert close(found.means, expected.means)
    assert not close(found.terms[:2], expected.terms[:2], 1e-3)
    weights = some_weights(objective)

    def value(t):
        terms, mean_flux, _ = pointwise(now, t, state)
        values = jax.vmap(lambda y: network_value(now.model(t), y))
        sites = objective.collocation.sites.every
        means = now.coupling.means(values(sites), values(now.coupling.nodes.every))
        adjoint = weights[-1] * jnp.trace(state.contraction) * mean_flux
        return weights[:2] @ terms[:2] + weights[2] * jnp.mean((means - state.target) ** 2) + adjoint

    assert close(gradient_of(now, theta, weights, state)[0], quick_jit(jax.grad(value))(theta))


def test_gradient_norms_are_those_of_the_terms():
    theta, objective, state = small_objective(2, False, True)
    norms, share = quick_filter_jit(gradient_norms)(objective, theta, state)
    for weights, norm in zip(jnp.eye(3), norms, strict=True):
        assert close(jnp.linalg.norm(gradient_of(objective, theta, weights, state)[0]), norm)
    parts = term_gradients_of(objective, theta, state)
    adjoint, direct = jnp.linalg.norm(parts["adjoint"]), jnp.linalg.norm(parts["coupling"])
    assert close(share, adjoint / (adjoint + direct))


@pytest.mark.parametrize("coupled", [True, False], ids=["coupled", "plain"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_strict_promotion_keeps_the_precision(dtype, coupled):
    def everything(theta):
        return (
            objective.residuals(theta, state),
            objective.evaluate(theta, state),
            objective.gradient(theta, weights, state),
            gradient_norms(objective, theta, state),
        )

    with jax.numpy_dtype_promotion("strict"):
        theta, objective, state = small_objective(2, False, coupled, dtype=dtype)
        weights = jnp.ones(len(objective.names), dtype)
        found = jax.eval_shape(everything, theta)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype(dtype)}


def test_float32_agrees_with_float64():
    theta, objective, state = small_objective(2, False, True)
    _, single, single_state = small_objective(2, False, True, dtype="float32")
    weights = some_weights(objective)
    found = gradient_of(single, theta.astype("float32"), weights.astype("float32"), single_state)[0]
    assert close(found, gradient_of(objective, theta, weights, state)[0], 1e-4)
