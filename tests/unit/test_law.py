"""Diffusion with tensors and a reaction: the strong side by jets, the weak side by elements, and what ties both."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skfem

from hpms.errors import ConfigError, UserError
from hpms.fem.fine.mixed import MixedElements
from hpms.fem.fine.solve import assemble
from hpms.fem.fine.upscaled import Box as Cell
from hpms.fem.fine.upscaled import linear, means, periodic
from hpms.fem.grid import unit_mesh
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import sample_coefficient
from hpms.jet import Jet, contracted
from hpms.options.box import BoxOptions
from hpms.options.coefficient import ExpressionOptions, TensorOptions
from hpms.options.law import DiffusionOptions
from hpms.options.source import ExpressionOptions as Source
from hpms.problem.source.base import AbstractSource
from hpms.study.fine import posed
from tests.problems import close, network_value, quick_filter_jit, quick_jit, small_network

ENTRIES = {
    2: "{k11: 3+sin(4*x1+x2), k12: 0.7*cos(3*x2), k22: 2+x1*x2}",
    3: "{k11: 3+sin(4*x1+x2), k12: 0.3*cos(3*x2), k22: 2+x1*x2, k33: 2+x3, k13: 0.2*x3}",
}
SIDES = {2: (1.5, 1.0), 3: (1.0, 0.5, 0.75)}


def law(dim, entries=None, reaction="1+x1"):
    medium = TensorOptions(entries or ENTRIES[dim], {}, None).build(dim, 0.1)
    return DiffusionOptions(reaction).build(medium, SIDES[dim], 0.1)


def solution(x):
    return jnp.sin(1.3 * x[0] + 2.1 * x[1] + 0.4) * (1 + x[-1])


class Manufactured(AbstractSource):
    """q = -∇·(K∇w) + c w by autodiff of the flux."""

    law: eqx.Module

    def value(self, x):
        flux = lambda y: self.law.coefficient.value(y) @ jax.grad(solution)(y)  # noqa: E731
        return -jnp.trace(jax.jacfwd(flux)(x)) + self.law.reaction.value(x) * solution(x)


def jet_of_solution(points, forms):
    gradient, hessian = jax.vmap(jax.grad(solution))(points), jax.vmap(jax.hessian(solution))(points)
    slopes = tuple(gradient[:, a : a + 1] for a in range(points.shape[1]))
    return Jet(jax.vmap(solution)(points)[:, None], slopes, contracted(forms, hessian[:, None]), forms)


at = quick_filter_jit(lambda diffusion, points: diffusion.at(points))


def some_points(dim, count=20):
    return jnp.asarray(np.random.default_rng(0).random((count, dim)) * SIDES[dim])


@pytest.mark.parametrize("dim", [2, 3])
def test_the_strong_side_is_that_of_autodiff(dim):
    diffusion, points = law(dim), some_points(dim)

    @quick_jit
    def both(points):
        return diffusion.at(points).operator(jet_of_solution(points, diffusion.forms)), jax.vmap(
            Manufactured(diffusion).value
        )(points)

    found, expected = both(points)
    assert close(found[:, 0], expected, 1e-12)


@pytest.mark.parametrize("hard", [True, False], ids=["hard", "soft"])
@pytest.mark.parametrize("kind", ["mlp", "ms_pinn", "two_scale", "fbpinn"])
@pytest.mark.parametrize("dim", [2, 3])
def test_a_network_has_the_second_derivatives_that_are_wanted(kind, hard, dim):
    theta, model = small_network(kind, "tanh", dim, "float64", hard)
    x, forms = jax.random.uniform(jax.random.key(7), (5, dim)), law(dim).forms
    assert len(forms) == {2: 3, 3: 5}[dim]
    hessian = lambda y: jax.hessian(lambda z: network_value(model(theta), z))(y)  # noqa: E731
    both = quick_jit(lambda x: (model(theta).jet(x, forms).second, contracted(forms, jax.vmap(hessian)(x)[:, None])))
    found, expected = both(x)
    assert close(jnp.concatenate(found), jnp.concatenate(expected), 1e-11)


@pytest.mark.parametrize(("dim", "degree"), [(2, 1), (2, 2), (3, 1), (3, 2)])
def test_assembly_agrees_with_scikit_fem(dim, degree):
    n, elements = {2: 5, 3: 3}[dim], {2: (skfem.ElementTriP1, skfem.ElementTriP2)}
    elements[3] = skfem.ElementTetP1, skfem.ElementTetP2
    basis = skfem.Basis(unit_mesh(dim, n), elements[dim][degree - 1](), intorder=5)
    space = LagrangeSpace(dim, n, degree)
    order = np.lexsort(np.round(basis.doflocs * 2 * n)[::-1])

    def k(x):
        entries = np.array([[3 + np.sin(x[:, 0]), 0.5 * x[:, 1]], [0.5 * x[:, 1], 2 + x[:, 0] * x[:, 1]]])
        found = np.tile(np.eye(dim), (len(x), 1, 1))
        found[:, :2, :2] = np.moveaxis(entries, 2, 0)
        return found

    def c(x):
        return np.exp(x[:, -1])

    x = np.asarray(basis.global_coordinates())
    flat, shape = x.reshape(dim, -1).T, x.shape[1:]
    entries = {f"k{a}{b}": k(flat)[:, a, b].reshape(shape) for a in range(dim) for b in range(dim)}

    @skfem.BilinearForm
    def form(u, v, w):
        stiffness = sum(w[f"k{a}{b}"] * v.grad[a] * u.grad[b] for a in range(dim) for b in range(dim))
        return stiffness + w.c * u * v

    expected = form.assemble(basis, c=c(flat).reshape(shape), **entries).toarray()[np.ix_(order, order)]
    place = np.arange(space.size, dtype=np.int32)
    system = assemble(space, k, c, place, None, c)
    np.testing.assert_allclose(system.matrix.toarray(), expected, atol=1e-12)
    moments = [
        skfem.LinearForm(lambda v, w, j=j: sum(w[f"k{j}{a}"] * v.grad[a] for a in range(dim))) for j in range(dim)
    ]
    for found, moment in zip(system.moments, moments, strict=True):
        np.testing.assert_allclose(found, moment.assemble(basis, **entries)[order], atol=1e-13)
    total = np.einsum("mab,m->ab", k(flat), np.asarray(basis.dx).ravel())
    np.testing.assert_allclose(system.mean, total, atol=1e-12)
    load = skfem.LinearForm(lambda v, _: v).assemble(skfem.Basis(unit_mesh(dim, n), elements[dim][degree - 1]()))
    np.testing.assert_allclose(space.integrals(), load[order], atol=1e-14)


def tied(dim, kind):
    """A problem whose w is `solution`, with its values or its fluxes on the boundary."""
    given = {"value": "all:{dirichlet:0}", "flux": "all:{neumann:0}", "robin": "left:{dirichlet:0},all:{robin:[1,0]}"}
    diffusion = law(dim)
    box = BoxOptions(dim, 0.1, SIDES[dim], f"{{{given[kind]}}}", 1.0)
    problem = box.problem(diffusion, Manufactured(diffusion), 1)
    faces = tuple(replace(f, value=Given(diffusion, f.face, f.rate)) for f in problem.conditions.faces)
    return eqx.tree_at(lambda p: p.conditions.faces, problem, faces)


class Given(AbstractSource):
    """What a condition asks of `solution`."""

    law: eqx.Module
    face: tuple = eqx.field(static=True)
    rate: AbstractSource | None

    def value(self, x):
        if self.rate is None:
            return solution(x)
        axis, end = self.face
        flux = (self.law.coefficient.value(x) @ jax.grad(solution)(x))[axis] * (2 * end - 1)
        return flux + self.rate.value(x) * solution(x)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["value", "flux", "robin"])
@pytest.mark.parametrize(("dim", "degree", "n"), [(2, 1, 12), (2, 2, 6), (3, 2, 3)])
def test_the_weak_and_the_strong_side_belong_to_one_solution(dim, degree, n, kind):
    problem = tied(dim, kind)
    source = problem.source_at()
    points = some_points(dim, 400)
    medium = problem.law.at(points)
    residual = medium.operator(jet_of_solution(points, problem.law.forms))[:, 0] - source(np.asarray(points))
    assert np.abs(residual).max() < 1e-12 * np.abs(source(np.asarray(points))).max()
    way = MixedElements(posed(problem), degree)
    errors = []
    for count in (n, 2 * n):
        found = way.solve(count, problem.coefficient_at(), source).lifted[0].values(np.asarray(points))
        errors.append(np.sqrt(np.mean((found - jax.vmap(solution)(points)) ** 2)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(degree + 1, abs=0.4)


def test_fluxes_alone_leave_a_mean_of_zero():
    """w = cos πx₁ cos 2πx₂ has no flux through ∂Ω, and an integral of 0."""
    source = "5*pi**2*cos(pi*x1)*cos(2*pi*x2)"
    diffusion = DiffusionOptions(None).build(ExpressionOptions("1", {}, None).build(2, 0.1), (1.0, 1.0), 0.1)
    problem = BoxOptions(2, 0.1, None, "{all:{neumann:0}}", 1.0).problem(diffusion, Source(source, {}).build(2, 0.1), 1)
    assert problem.floats
    way = MixedElements(posed(problem), 2)
    points = np.random.default_rng(0).random((200, 2))
    expected = np.cos(np.pi * points[:, 0]) * np.cos(2 * np.pi * points[:, 1])
    errors = [
        np.abs(way.solve(n, problem.coefficient_at(), problem.source_at()).lifted[0].values(points) - expected).max()
        for n in (8, 16)
    ]
    assert errors[1] < 2e-3 and errors[0] / errors[1] > 6


def test_a_constant_tensor_is_its_own_upscaled_coefficient():
    constant = np.array([[2.0, 0.5], [0.5, 1.0]])
    box = Cell(np.zeros(2), np.ones(2), 8)

    def k(x):
        return np.tile(constant, (len(x), 1, 1))

    for found in (periodic(k, box).tensor, linear(k, box), *means(k, 2, None)):
        np.testing.assert_allclose(found, constant, atol=1e-12)


def test_layers_of_an_anisotropic_tensor_have_the_tensor_of_their_laminate():
    """Milton (2002), Eq. (9.9): (K*)₁₁ = ⟨1/K₁₁⟩⁻¹, K*₁₂ = K*₁₁ ⟨K₁₂/K₁₁⟩, and K*₂₂."""
    a, b, c = 2.0, 0.4, 1.5

    def k(x):
        factor = 1 + 0.5 * np.sin(2 * np.pi * x[:, 0])
        return np.stack([factor * a, 0 * factor + b, 0 * factor + b, factor * c], axis=1).reshape(-1, 2, 2)

    t = (np.arange(4000) + 0.5) / 4000
    f = 1 + 0.5 * np.sin(2 * np.pi * t)
    first = 1 / np.mean(1 / (f * a))
    second = first * np.mean(b / (f * a))
    last = np.mean(f * c - b**2 / (f * a)) + second**2 / first
    found = periodic(k, Cell(np.zeros(2), np.ones(2), 24)).tensor
    np.testing.assert_allclose(found, [[first, second], [second, last]], atol=1e-5)


def test_a_tensor_that_is_not_positive_definite_is_refused_at_a_point():
    points = np.random.default_rng(0).random((50, 2))
    diffusion = law(2, "{k11: 1, k12: 2*x1, k22: 1}", None)
    with pytest.raises(UserError, match=r"positive definite and finite, but K\(0\.\d+, 0\.\d+\) = \[\[1, 1"):
        at(diffusion, jnp.asarray(points)).check(points)
    with pytest.raises(UserError, match="symmetric"):
        sample_coefficient(lambda x: np.tile([[1.0, 0.5], [0.0, 1.0]], (len(x), 1, 1)), points)


def test_a_negative_reaction_is_refused_at_a_point():
    points = jnp.asarray(np.random.default_rng(0).random((50, 2)))
    with pytest.raises(UserError, match=r"law\.reaction must be finite and not negative, but at \(0\.\d+"):
        at(law(2, reaction="x1 - 0.5"), points).check(np.asarray(points))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("{k11: 1}", "give k22"),
        ("{k11: 1, k22: 1, k21: 0}", r"coefficient\.entries\.k21.*the places are k11, k12, k22"),
        ("{k11: 1, k22: 1+}", r"coefficient\.entries\.k22"),
        ("[1, 2]", "write {k11:2"),
        ({"k11": True, "k22": 1}, "a number or a formula"),
    ],
)
def test_entries_are_checked(entries, message):
    with pytest.raises((ConfigError, UserError), match=message):
        TensorOptions(entries, {}, None).build(2, 0.1)


def test_a_turned_tensor_is_symmetric_to_rounding():
    angles = np.pi * np.random.default_rng(0).random(256)
    turn = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    k = turn @ np.diag([1.3, 1.3]) @ turn.transpose(0, 2, 1)
    assert sample_coefficient(lambda x: k, np.zeros((256, 2))) is not None
