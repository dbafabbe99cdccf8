"""Networks w = w* + v with a v that is known: |||v||| is the error."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skfem

from hpms.bound.bound import error_bound
from hpms.bound.found import TOO_FEW
from hpms.bound.simplicial.bound import MISSED, _Looks, simplicial_bound
from hpms.bound.simplicial.partition import Partition
from hpms.bound.simplicial.rules import degree_five, product
from hpms.fem.mesh.simplices import Simplices, outer_facets
from hpms.jet import Jet, contracted, entry, multiply
from hpms.network.base import AbstractNetwork, jet_of, parametrise
from hpms.options.network import MlpOptions
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.conditions import BoxFaces, Conditions, FaceCondition
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.lift import AbstractLift
from hpms.problem.lifted import LiftedProblem
from hpms.problem.source.base import AbstractSource
from hpms.problem.unit_cube import UnitCube
from tests.problems import random_network, scales, small_network, small_problem

EPS = 0.5


class Medium(AbstractCoefficient):
    value_of: Callable = eqx.field(static=True)
    is_tensor: bool = eqx.field(static=True, default=False)
    periods: tuple[float, ...] | None = eqx.field(static=True, default=None)

    @property
    def forms(self):
        return (entry(0, 0), entry(0, 1), entry(1, 1)) if self.is_tensor else None

    def value(self, x):
        return self.value_of(x)

    def gradient(self, x):
        return autodiff_gradient(self, x)


class Exact(AbstractLift):
    value_of: Callable = eqx.field(static=True)

    def jet(self, x, forms=None):
        return jet_by_hand(self.value_of, x, forms)


class Values(AbstractSource):
    value_of: Callable = eqx.field(static=True)

    def value(self, x):
        return self.value_of(x)


class Guess(AbstractNetwork):
    """A network times a function that vanishes where values are given."""

    network: AbstractNetwork
    edge: Callable = eqx.field(static=True)

    def jet(self, x, forms=None):
        return multiply(jet_by_hand(self.edge, x, forms), jet_of(self.network, x, forms))


def jet_by_hand(function, x, forms):
    slopes = jax.vmap(jax.grad(function))(x)
    second = contracted(forms, jax.vmap(jax.hessian(function))(x)[:, None])
    return Jet(jax.vmap(function)(x)[:, None], tuple(slopes[:, i : i + 1] for i in range(x.shape[1])), second, forms)


def square(x):
    return 1.5 + jnp.sin(2 * jnp.pi * x[0] / EPS) * jnp.cos(2 * jnp.pi * x[1] / EPS)


def tensor(x):
    across = 0.4 * jnp.sin(x[0] + x[1])
    return jnp.array([[2 + jnp.sin(2 * jnp.pi * x[0] / EPS), across], [across, 1.0 + 0.5 * x[1]]])


def cube(x):
    return 2 + jnp.sin(2 * jnp.pi * (x[0] + x[2])) * x[1]


def exact(x):
    return jnp.cos(x[0] + 2 * x[1]) + x[0] ** 2


def rate(x):
    return jnp.where(x[0] > 1 - 1e-9, 2 + x[1], 0.0)


def lines(x):
    return jnp.prod(1 - x**2) * x[0] * x[1]


# mesh, K, c, parts with a condition for the flux, a, and what vanishes on the others
CASES = {
    "a square": (skfem.MeshTri, square, None, (), None, lambda x: jnp.prod(x * (1 - x))),
    "all conditions, a tensor, a reaction": (
        skfem.MeshTri,
        tensor,
        lambda x: 1 + x[0],
        ("right", "rest"),
        rate,
        lambda x: x[0],
    ),
    "fluxes alone": (
        skfem.MeshTri,
        square,
        None,
        ("left", "right", "rest"),
        lambda x: 0 * x[0],
        lambda x: 1 + 0 * x[0],
    ),
    "an l-shape": (skfem.MeshTri.init_lshaped, lambda x: 1.0 + 0.2 * x[0] ** 2, None, (), None, lines),
    "a cube": (
        skfem.MeshTet,
        cube,
        None,
        ("right",),
        lambda x: 0 * x[0],
        lambda x: x[0] * jnp.prod(x[1:] * (1 - x[1:])),
    ),
}


LONG = ("a square", "fluxes alone", "a cube")


def simplices(mesh):
    cells = mesh.t.T
    facets = outer_facets(cells)
    first = mesh.p.T[facets][..., 0]
    labels = np.where(first.max(axis=1) < 1e-12, 0, np.where(first.min(axis=1) > 1 - 1e-12, 1, 2))
    return Simplices(mesh.p.T, cells, facets, labels, ("left", "right", "rest"))


@cache
def case(name):
    """A mesh, a problem, its parts with fluxes, their a and g at points, and a network that is far off."""
    build, value_of, reaction, fluxes, a, edge = CASES[name]
    mesh, medium = simplices(build()), Medium(value_of, value_of is tensor)

    def flux(x):
        k, slope = medium.value(x), jax.grad(exact)(x)
        return k * slope if k.ndim == 0 else k @ slope

    def source(x):
        return -jnp.trace(jax.jacfwd(flux)(x)) + (0 if reaction is None else reaction(x) * exact(x))

    def data(points):
        middle = jnp.abs(points - 0.5)
        normal = jax.nn.one_hot(jnp.argmax(middle, axis=1), mesh.dim) * jnp.sign(points - 0.5)
        rates = jax.vmap(a)(points)
        return rates, jnp.sum(jax.vmap(flux)(points) * normal, axis=1) + rates * jax.vmap(exact)(points)

    law = Diffusion(medium, None if reaction is None else Values(reaction))
    problem = LiftedProblem(UnitCube(mesh.dim, EPS), law, Values(source), 1, Exact(exact))
    network = random_network(MlpOptions(8, 1, "tanh"), scales(mesh.dim), jnp.float64)
    theta, model = parametrise(Guess(network, edge))
    return mesh, problem, fluxes, data, theta, model


def bound(name, most=None, **more):
    mesh, problem, fluxes, data, theta, model = case(name)
    return simplicial_bound(model, theta, problem, mesh, fluxes, most, facet_data=data, **more)


@cache
def error(name):
    """|||v|||, ‖v‖ without its mean where it floats."""
    mesh, problem, fluxes, data, theta, model = case(name)
    fine = mesh.refined(4 if mesh.dim == 2 else 2)
    barycentric, weights = degree_five(mesh.dim)
    points = jnp.asarray(fine.places(barycentric).reshape(-1, mesh.dim))
    weights = (fine.volumes[:, None] * weights).ravel()
    jet = model(theta).jet(points, problem.law.forms)
    stress = problem.law.at(points).stress(jet.gradient)
    density = sum(s * g for s, g in zip(stress, jet.gradient, strict=True))[:, 0]
    if problem.law.reaction is not None:
        density = density + jax.vmap(problem.law.reaction.value)(points) * jet.value[:, 0] ** 2
    total = float(weights @ density)
    if fluxes:
        barycentric, share = degree_five(mesh.dim - 1)
        on = np.isin(fine.labels, [fine.parts.index(part) for part in fluxes])
        places = np.einsum("qi,fid->fqd", barycentric, fine.nodes[fine.facets[on]]).reshape(-1, mesh.dim)
        value = np.asarray(model(theta).jet(jnp.asarray(places), problem.law.forms).value)[:, 0]
        total += float(
            (fine.areas[on][:, None] * share).ravel() @ (np.asarray(data(jnp.asarray(places))[0]) * value**2)
        )
    value = np.asarray(jet.value)[:, 0]
    if name == "fluxes alone":
        value = value - weights @ value / weights.sum()
    return math.sqrt(total), math.sqrt(weights @ value**2)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.thorough if n in LONG else ()) for n in CASES])
def test_it_is_above_the_error_and_not_far(name):
    found, (energy, l2) = bound(name, 40_000), error(name)
    assert found.is_bound, found.lacks
    assert energy <= found.energy <= 1.2 * energy
    assert found.parts.sum() == pytest.approx(found.energy**2, rel=1e-3)
    assert math.isnan(found.l2) if CASES[name][3] else l2 <= found.l2
    assert all(isinstance(number, int | float | str) for number in found.summary().values())


def test_neither_part_alone_is_a_bound():
    found, (energy, _) = bound("a square", 2000), error("a square")
    assert found.oscillation < energy and found.carried < 1.1 * energy < found.energy


def test_it_falls_with_the_simplices_to_the_error():
    few, many = (bound("an l-shape", most) for most in (700, 50_000))
    assert few.parts.size < many.parts.size and few.energy > many.energy > error("an l-shape")[0]


@pytest.mark.thorough
def test_it_is_near_that_on_boxes():
    """With conditions on faces, which know a and g on their own."""
    mesh, problem, fluxes, data, theta, model = case("all conditions, a tensor, a reaction")
    given, rates = (Values(lambda x, k=k: data(x[None])[k][0]) for k in (1, 0))
    faces = [FaceCondition(face, given, rates) for face in ((0, 1), (1, 0), (1, 1))]
    conditions = Conditions((FaceCondition((0, 0), Values(exact)), *faces), BoxFaces((1.0, 1.0)))
    problem = replace(problem, conditions=conditions)
    on_boxes = error_bound(model, theta, problem, 20_000)
    found = simplicial_bound(model, theta, problem, mesh, fluxes, 20_000)
    assert found.is_bound and on_boxes.is_bound
    assert found.energy == pytest.approx(on_boxes.energy, rel=0.03)
    assert found.norm == pytest.approx(on_boxes.norm, rel=1e-3)


@pytest.mark.thorough
def test_it_is_near_that_on_boxes_with_a_fine_scale():
    problem = small_problem(2)
    theta, model = small_network("two_scale", "tanh", 2, jnp.dtype("float64"), True, depth=1)
    on_boxes = error_bound(model, theta, problem, 20_000)
    found = simplicial_bound(model, theta, problem, simplices(skfem.MeshTri()), (), 20_000)
    assert found.is_bound and on_boxes.is_bound
    assert found.energy == pytest.approx(on_boxes.energy, rel=0.03)
    assert found.norm == pytest.approx(on_boxes.norm, rel=1e-3)
    assert found.l2 == pytest.approx(on_boxes.l2, rel=0.03)


@pytest.mark.parametrize("name", ["a square", "an l-shape"])
def test_it_is_above_the_error_on_few_simplices_of_any_form(name, monkeypatch):
    mesh, problem, fluxes, data, theta, model = case(name)
    monkeypatch.setattr("hpms.bound.simplicial.bound.degree_five", lambda dim: product(dim, 8))
    random, wide = np.random.default_rng(0), mesh.refined(2)
    inner = np.setdiff1d(np.arange(len(wide.nodes)), wide.facets)
    nodes = wide.nodes.copy()
    nodes[inner] += 0.17 * wide.h * random.uniform(-1, 1, (len(inner), 2))
    wide = replace(wide, nodes=nodes)
    assert wide.volume == pytest.approx(mesh.volume)
    found = _Looks(model, theta, problem, wide, fluxes, data).on(Partition(wide, EPS))
    assert error(name)[0] <= found.energy <= 1.8 * error(name)[0]


def test_a_map_has_the_square_of_the_bound_as_its_integral():
    found = bound("an l-shape")
    mesh = found.where.mesh
    places = mesh.nodes[mesh.cells].mean(axis=1)
    where = found.density(np.concatenate([places, mesh.low[None] - 1]))
    assert np.isnan(where[-1])
    assert mesh.volumes @ where[:-1] ** 2 == pytest.approx(found.energy**2, rel=1e-3)
    fine = mesh
    while len(fine.cells) < found.parts.size:
        fine = fine.refined()
    peak = found.parts.argmax()
    there = fine.nodes[fine.cells[peak]].mean(axis=0)
    (cell,), _ = mesh.locate(there[None])
    assert cell == peak % len(mesh.cells)


def test_what_it_lacks_is_said():
    assert bound("a square", is_hard=False).lacks == MISSED
    assert bound("a square", lacks="something").lacks == "something"
    assert bound("a square", 50).lacks == TOO_FEW


def test_a_goal_that_is_far_away_is_told_by_fewer_points():
    assert bound("a square", 4e5, goal=1e-6).points < 1e5
