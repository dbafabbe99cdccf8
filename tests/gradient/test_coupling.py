from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.coupling.base import CouplingContext
from hpms.coupling.upscaling.isotropic import Isotropic
from hpms.coupling.upscaling.none import NoUpscaling
from hpms.coupling.upscaling.tensor import Tensor
from hpms.fem.p1 import P1Space
from hpms.options.coupling import BallOptions, ConsistentOptions, GalerkinOptions
from hpms.problem.collocation import BOUNDARY, INTERIOR, collocate
from hpms.training.least_squares import assemble
from hpms.training.loss import Loss
from hpms.training.term.residual import ResidualTerm
from tests.problems import close, quick_filter_jit, small_network, small_problem

evaluate = quick_filter_jit(lambda loss, theta, view: loss.weighted(None, view).evaluate(theta))
gradient_of = quick_filter_jit(lambda loss, theta, weights, view: loss.weighted(weights, view).gradient(theta)[0])
residuals = quick_filter_jit(lambda loss, theta, view: loss.weighted(None, view).residuals(theta))
residuals_slope = quick_filter_jit(
    lambda loss, theta, view, direction: jax.jvp(loss.weighted(None, view).residuals, (theta,), (direction,))[1]
)
jacobian_of = quick_filter_jit(lambda problem, theta: jax.jacobian(problem.rows)(theta))
WEIGHTS = jnp.array([1e-5, 3.0])


UPSCALINGS = {
    "tensor": Tensor(counts=(1, 1), measured=False, symmetrise=False),
    "measured": Tensor(counts=(1, 1), measured=True, symmetrise=False),
    "cells": Tensor(counts=(2, 2), measured=True, symmetrise=False),
    "symmetric": Tensor(counts=(2, 1), measured=True, symmetrise=True),
}
CASES = [(dim, kind, "isotropic") for dim in (1, 2) for kind in ("nodal", "compressed", "consistent", "hat", "apart")]
CASES += [(2, "nodal", "tensor"), (2, "nodal", "cells"), (2, "compressed", "symmetric"), (2, "consistent", "tensor")]
CASES += [(2, "hat", "measured"), (2, "apart", "tensor")]
CASES += [(dim, "galerkin", "isotropic") for dim in (1, 2)]
CASES += [(2, "galerkin", name) for name in ("tensor", "cells")]
OPTIONS = ("every_step", 1, 0.0, "constant", 1.0)


def options(kind):
    if kind in ("nodal", "compressed"):
        return BallOptions(1.0, None, 0.45, kind == "compressed", "every_step", "present", *OPTIONS[1:])
    if kind == "galerkin":
        return GalerkinOptions(1.0, None, 0.3, None, 3, *OPTIONS)
    spacing = 0.3 if kind == "apart" else None
    return ConsistentOptions(1.0, None, 0.3, 1, spacing, 4, "hat" if kind == "hat" else "box", *OPTIONS)


@quick_filter_jit
def solved(problem, theta, z):
    """Both solutions of the assembled system at μ = 0.01, whose right-hand side is z."""
    system = assemble(problem, theta, z)
    factor = system.factor(jnp.asarray(0.01))
    return system.solve(factor, z), system.solve_rows(factor)


@cache
def coupled(dim, kind, name="isotropic"):
    """θ with K̃ > 0, a loss, and the map from θ to the view of the coarse problem that belongs to it."""
    upscaling = NoUpscaling(dim) if name == "none" else UPSCALINGS.get(name, Isotropic(dim))
    problem, points = small_problem(dim, "90", upscaling.lifts), np.random.default_rng(0).random((60, dim))
    space = P1Space(dim, 0.25 if kind in ("nodal", "compressed") else 0.15)
    context = CouplingContext(upscaling, space, problem, points, 16, jnp.dtype("float64"))
    coupling, solver = options(kind).build(context)
    theta, model = small_network("mlp", "tanh", dim, "float64", True, depth=1, outputs=upscaling.lifts)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, len(points))
    drawn = {INTERIOR: jnp.asarray(points), BOUNDARY: jnp.asarray(points[:3])}
    places = collocate(problem, drawn, weights, 60, theta.dtype)
    loss = Loss(model, (ResidualTerm(places=places[INTERIOR], measure=1.0),), coupling, upscaling)

    def view(theta):
        start = solver.initial()
        record = solver.update(start, evaluate(loss, theta, solver.view(start)))
        assert record.updates == 1
        return solver.view(record)

    return 0.3 * theta, loss, view


def without_coefficient(view):
    """The view as if y did not depend on K̃."""
    matrix = view.matrix
    if matrix is not None and matrix.ndim == 3:  # a matrix, and its derivatives by κ
        matrix = matrix.at[1:].set(0)
    return replace(view, contraction=0 * view.contraction, sensitivity=0 * view.sensitivity, matrix=matrix)


@pytest.mark.parametrize(("dim", "kind", "upscaling"), CASES)
def test_the_taylor_remainder_is_of_second_order_with_the_adjoint_part_alone(dim, kind, upscaling):
    theta, loss, view = coupled(dim, kind, upscaling)
    here = view(theta)
    found, without = (gradient_of(loss, theta, WEIGHTS, each) for each in (here, without_coefficient(here)))
    adjoint = (found - without) / jnp.linalg.norm(found - without)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=theta.shape)) + theta.size**0.5 * adjoint
    steps = 1e-4 * 0.5 ** np.arange(4)

    def cost(theta):
        return float(WEIGHTS @ evaluate(loss, theta, view(theta)).terms)

    changes = np.array([cost(theta + step * direction) for step in steps]) - cost(theta)

    def rates(gradient):
        return np.diff(np.log2(np.abs(changes - steps * float(gradient @ direction))))

    np.testing.assert_allclose(rates(found), -2, atol=0.1)
    np.testing.assert_allclose(rates(without), -1, atol=0.2)


@pytest.mark.parametrize(("dim", "kind", "upscaling"), CASES)
def test_the_linearised_rows_have_the_derivative_of_those_with_the_state_solved_anew(dim, kind, upscaling):
    theta, loss, view = coupled(dim, kind, upscaling)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=theta.shape))
    here, step = view(theta), 1e-6

    def rows(theta):
        return residuals(loss, theta, view(theta))["coupling"]

    found = residuals_slope(loss, theta, here, direction)["coupling"]
    expected = (rows(theta + step * direction) - rows(theta - step * direction)) / (2 * step)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    frozen = residuals_slope(loss, theta, without_coefficient(here), direction)
    assert np.abs(frozen["coupling"] - expected).max() > 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("dim", "kind", "upscaling"),
    [
        (1, "nodal", "isotropic"),
        (1, "consistent", "isotropic"),
        (2, "nodal", "cells"),
        (2, "consistent", "tensor"),
        (1, "galerkin", "none"),
        (2, "galerkin", "tensor"),
    ],
)
def test_the_assembled_rows_are_those_of_autodiff(dim, kind, upscaling):
    theta, loss, view = coupled(dim, kind, upscaling)
    problem = loss.weighted(WEIGHTS, view(theta))
    jacobian = jacobian_of(problem, theta)
    assert len(jacobian) == problem.count
    z = jnp.asarray(np.random.default_rng(0).normal(size=len(jacobian)))
    expected = np.linalg.solve(jacobian.T @ jacobian + 0.01 * np.diag(np.sum(jacobian**2, axis=0)), jacobian.T @ z)
    assert all(close(found, expected, 1e-7) for found in solved(problem, theta, z))
