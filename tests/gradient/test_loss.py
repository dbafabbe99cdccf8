from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.training.rest import trivial_loss
from hpms.training.state import gradient_norms
from hpms.training.term.residual import RESIDUAL
from tests.problems import close, network_value, quick_filter_jit, quick_jit, small_loss

cases = pytest.mark.parametrize(
    ("dim", "hard", "coupled"),
    [(1, True, True), (1, True, False), (2, False, True), (1, False, False)],
    ids=["hard-coupled", "hard-plain", "soft-coupled", "soft-plain"],
)
values_of = quick_filter_jit(
    lambda loss, theta, view: (loss.weighted(None, view).evaluate(theta), loss.weighted(None, view).residuals(theta))
)
gradient_of = quick_filter_jit(lambda loss, theta, weights, view: loss.weighted(weights, view).gradient(theta))
term_gradients_of = quick_filter_jit(lambda loss, theta, view: loss.weighted(None, view).term_gradients(theta))


def some_weights(loss):
    return jnp.array([0.7, 1.3, 2.1])[: len(loss.names)]


def pointwise(loss, theta, view):
    """The terms, K̃₁₁ and the means from single points by autodiff, without jets, blocks or padding."""
    collocation, v = loss.collocation, lambda x: network_value(loss.model(theta), x)
    medium = collocation.there
    x, gradient = (
        a.reshape(-1, a.shape[-1])[: collocation.count] for a in (collocation.sites.points, medium.divergence)
    )
    k, f = collocation.sites.flat(medium.coefficient), collocation.sites.flat(medium.forcing)[:, 0]
    weight = collocation.sites.flat(collocation.weights)
    slope, laplacian = jax.vmap(lambda y: (jax.grad(v)(y), jnp.trace(jax.hessian(v)(y))))(x)
    terms = [jnp.mean(weight * (-(k * laplacian + jnp.sum(gradient * slope, axis=1)) - f) ** 2)]
    for term in loss.terms[1:]:
        assert term.name == "boundary"
        terms.append(term.measure * jnp.mean(jax.vmap(v)(term.places.sites.every) ** 2))
    means = None
    if view is not None:
        means = loss.coupling.means(jax.vmap(v)(x)[:, None], jax.vmap(v)(loss.coupling.nodes.every)[:, None])
        terms.append(jnp.mean((means - view.target) ** 2))
    return jnp.stack(terms), jnp.mean(weight * k * (slope[:, 0] + 1)), means


def adjoint_factor(means, view):
    """p^T A y = ∂_yR·∂y/∂κ of the present means, as a number."""
    return jax.lax.stop_gradient(-2 * jnp.mean((means - view.target) * view.sensitivity[:, :, 0]))


def lagrangian(theta, loss, weights, view):
    """Σ λ_k ‖r_k‖² + λ_c (p^T A y) K̃₁₁, and what it is made of."""
    terms, mean_flux, means = pointwise(loss, theta, view)
    adjoint = 0.0 if view is None else weights[-1] * adjoint_factor(means, view) * mean_flux
    return weights @ terms + adjoint, (terms, mean_flux, means)


@cases
def test_terms_and_gradient_are_those_of_the_lagrangian_at_single_points(dim, hard, coupled):
    theta, loss, view = small_loss(dim, hard, coupled)
    weights = some_weights(loss)
    by_autodiff = jax.value_and_grad(lambda t: lagrangian(t, loss, weights, view), has_aux=True)
    (_, (terms, mean_flux, means)), expected = quick_jit(by_autodiff)(theta)
    gradient, gradient_terms = gradient_of(loss, theta, weights, view)
    assert close(gradient, expected)
    assert close(gradient_terms, terms)
    found, _ = values_of(loss, theta, view)
    assert close(found.terms, terms)
    assert close(found.kappa[0], mean_flux)
    assert (found.means is None) == (means is None)
    assert means is None or close(found.means, means)


@cases
def test_the_terms_are_squared_norms_of_the_residuals(dim, hard, coupled):
    theta, loss, view = small_loss(dim, hard, coupled)
    if coupled:
        view = replace(view, kappa=values_of(loss, theta, view)[0].kappa)
    found, residuals = values_of(loss, theta, view)
    assert set(residuals) == set(loss.names)
    assert residuals[RESIDUAL].shape == (loss.collocation.count,)
    squares = [np.sum(np.asarray(residuals[name]) ** 2) for name in loss.names]
    assert close(found.terms, squares)


@cases
def test_term_gradients_sum_to_the_gradient(dim, hard, coupled):
    theta, loss, view = small_loss(dim, hard, coupled)
    weights = some_weights(loss)
    parts = term_gradients_of(loss, theta, view)
    assert set(parts) == {*loss.names, *(("adjoint",) if coupled else ())}
    total = sum(weight * parts[name] for name, weight in zip(loss.names, weights, strict=True))
    if coupled:
        total += weights[-1] * parts["adjoint"]
    assert close(gradient_of(loss, theta, weights, view)[0], total)


@pytest.mark.parametrize("keeps", [False, True])
def test_the_adjoint_part_is_the_contraction_with_the_slope_of_the_mean_flux(keeps):
    theta, loss, view = small_loss(2, False, True, keeps=keeps)
    slope = quick_jit(jax.grad(lambda t: loss.weighted(None, view).evaluate(t).kappa[0]))(theta)
    means = values_of(loss, theta, view)[0].means
    factor = view.contraction[0] if keeps else adjoint_factor(means, view)
    assert close(term_gradients_of(loss, theta, view)["adjoint"], factor * slope)


@pytest.mark.parametrize("block", [7, 1000])
def test_blocks_change_nothing(block):
    theta, loss, view = small_loss(2, False, True, block=block)
    _, expected, _ = small_loss(2, False, True)
    weights = some_weights(loss)
    found, terms = gradient_of(loss, theta, weights, view)
    assert close(found, gradient_of(expected, theta, weights, view)[0])
    assert close(terms, values_of(expected, theta, view)[0].terms)
    assert close(values_of(loss, theta, view)[0].kappa, values_of(expected, theta, view)[0].kappa)


@pytest.mark.parametrize("term", [0, 1, 2])
def test_a_weight_scales_its_term_alone(term):
    theta, loss, view = small_loss(2, False, True)
    parts = term_gradients_of(loss, theta, view)
    parts["coupling"] += parts.pop("adjoint")
    weights = jnp.zeros(3).at[term].set(2.0)
    assert close(gradient_of(loss, theta, weights, view)[0], 2 * parts[loss.names[term]])


def test_a_coupling_that_is_off_leaves_the_plain_problem():
    theta, loss, view = small_loss(2, False, True)
    off = replace(view, contraction=jnp.zeros_like(view.contraction), active=jnp.zeros(()))
    found, terms = gradient_of(loss, theta, jnp.ones(3), off)
    assert close(found, gradient_of(loss, theta, jnp.array([1.0, 1.0, 0.0]), view)[0])
    assert terms[2] == 0


def test_the_schedule_scales_the_weight_of_the_coupling():
    theta, loss, view = small_loss(2, False, True)
    half, terms = gradient_of(loss, theta, jnp.ones(3), replace(view, strength=jnp.array(0.5)))
    whole, expected = gradient_of(loss, theta, jnp.array([1.0, 1.0, 0.5]), view)
    assert close(half, whole)
    assert close(terms, expected)


def test_fresh_points_move_the_residual_and_leave_the_sites_of_the_means():
    theta, loss, view = small_loss(2, False, True, fresh=True)
    now = quick_filter_jit(lambda loss, i: loss.at(i))(loss, jnp.array(3))
    again, other = loss.at(jnp.array(3)), loss.at(jnp.array(4))
    assert close(now.collocation.sites.points, again.collocation.sites.points)
    assert np.abs(now.collocation.sites.points - other.collocation.sites.points).max() > 0.1
    found, expected = (values_of(o, theta, view)[0] for o in (now, loss))
    assert close(found.means, expected.means)
    assert not close(found.terms[:2], expected.terms[:2], 1e-3)
    weights = some_weights(loss)

    def value(t):
        terms, mean_flux, _ = pointwise(now, t, view)
        values = jax.vmap(lambda y: network_value(now.model(t), y)[None])
        sites = loss.collocation.sites.every
        means = now.coupling.means(values(sites), values(now.coupling.nodes.every))
        adjoint = weights[-1] * adjoint_factor(means, view) * mean_flux
        return weights[:2] @ terms[:2] + weights[2] * jnp.mean((means - view.target) ** 2) + adjoint

    assert close(gradient_of(now, theta, weights, view)[0], quick_jit(jax.grad(value))(theta))


def test_the_loss_at_rest_is_that_of_a_network_of_zeros():
    theta, loss, view = small_loss(2, False, True)
    assert trivial_loss(loss) == pytest.approx(float(values_of(loss, 0 * theta, view)[0].terms[0]), rel=1e-12)


def test_gradient_norms_are_those_of_the_terms():
    theta, loss, view = small_loss(2, False, True)
    norms_of = quick_filter_jit(gradient_norms)
    norms, share = norms_of(loss, theta, view)
    for weights, norm in zip(jnp.eye(3), norms, strict=True):
        assert close(jnp.linalg.norm(gradient_of(loss, theta, weights, view)[0]), norm)
    parts = term_gradients_of(loss, theta, view)
    adjoint, direct = jnp.linalg.norm(parts["adjoint"]), jnp.linalg.norm(parts["coupling"])
    assert close(share, adjoint / (adjoint + direct))
    off, _ = norms_of(loss, theta, replace(view, strength=jnp.zeros(())))
    assert close(off, norms.at[2].set(0))


@pytest.mark.parametrize("coupled", [True, False], ids=["coupled", "plain"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_strict_promotion_keeps_the_precision(dtype, coupled):
    def everything(theta):
        return (
            bound.residuals(theta),
            bound.evaluate(theta),
            bound.gradient(theta),
            gradient_norms(loss, theta, view),
        )

    with jax.numpy_dtype_promotion("strict"):
        theta, loss, view = small_loss(2, False, coupled, dtype=dtype)
        bound = loss.weighted(jnp.ones(len(loss.names), dtype), view)
        found = jax.eval_shape(everything, theta)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype(dtype)}


def test_float32_agrees_with_float64():
    theta, loss, view = small_loss(2, False, True)
    _, single, single_view = small_loss(2, False, True, dtype="float32")
    weights = some_weights(loss)
    found = gradient_of(single, theta.astype("float32"), weights.astype("float32"), single_view)[0]
    assert close(found, gradient_of(loss, theta, weights, view)[0], 1e-4)
