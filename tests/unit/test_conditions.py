"""Conditions of one's own: how they are read, and what the network is asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.errors import UserError
from hpms.jet import Jet
from hpms.network.base import Scales, parametrise
from hpms.options.boundary import HardOptions
from hpms.options.box import BoxOptions
from hpms.options.coefficient import ExpressionOptions as Coefficient
from hpms.options.conditions import KEY, Condition, read_conditions
from hpms.options.mapping import parsed
from hpms.options.network import MlpOptions, TwoScaleOptions
from hpms.options.source import ExpressionOptions as Source
from hpms.problem.box import Box, Walls
from hpms.problem.collocation import BOUNDARY, FLUX, INTERIOR, collocate
from hpms.problem.law.diffusion import Diffusion
from hpms.training.term.flux import FluxTerm
from tests.problems import quick_filter_jit, random_network

SIDES = (2.0, 0.5)
MIXED = "{left:{dirichlet:0},right:{dirichlet:x2*(1-x2)},bottom:{neumann:x1},top:{robin:[1+x1,sin(3*x1)]}}"


def box(conditions, dim=2, sides=SIDES):
    return BoxOptions(dim, 0.1, sides, conditions, 1.0)


def problem(conditions, source="1", dim=2, sides=SIDES):
    medium = Coefficient("2 + sin(3*x1)", {}, None).build(dim, 0.1)
    return box(conditions, dim, sides).problem(Diffusion(medium), Source(source, {}).build(dim, 0.1), 1)


def test_a_text_is_read_as_mappings_lists_and_formulas():
    found = parsed("{left: {dirichlet: sin(pi*x2)}, all: {robin: [1, min(x1, 2)]}}", KEY)
    assert found == {"left": {"dirichlet": "sin(pi*x2)"}, "all": {"robin": ["1", "min(x1, 2)"]}}


def test_every_part_has_a_condition():
    zero = Condition("dirichlet", "0")
    assert read_conditions("linear", 2) is None
    assert read_conditions({"all": {"dirichlet": 0}}, 2) == (zero,) * 4
    found = read_conditions(MIXED, 2)
    assert [each.kind for each in found] == ["dirichlet", "dirichlet", "neumann", "robin"]
    assert found[3] == Condition("robin", "sin(3*x1)", "1+x1") and found[2].rate == "0"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{top:{dirichlet:0}}", "nothing is said of left"),
        ("{up:{dirichlet:0},all:{neumann:0}}", "problem.conditions.up"),
        ("{front:{dirichlet:0},all:{neumann:0}}", "the parts are left, right, bottom, top and all"),
        ("{left:{dirichlet:0},left:{neumann:0}}", "left is given twice"),
        ("{left:{dirichlet:0,neumann:1},all:{neumann:0}}", "give one condition"),
        ("{all:{value:0}}", "choose dirichlet or neumann or robin"),
        ("{all:{robin:1}}", "robin:[a,g]"),
        ("{left:periodic,all:{dirichlet:0}}", "left and right are periodic together"),
        ("{all:{dirichlet:y}}", "'y' in 'y' is unknown"),
        ("{all:{dirichlet:x3}}", "unknown"),
        ("{all:{dirichlet:0}", "a '}' is missing"),
        ("{all:{dirichlet:0}}}", "behind its end"),
        ("zero", "write left:{dirichlet:0}"),
        ({}, "write left:{dirichlet:0}"),
        ({"all": {"dirichlet": True}}, "a number or a formula"),
    ],
)
def test_what_is_no_condition_is_one_sentence(given, message):
    with pytest.raises(UserError) as error:
        read_conditions(given, 2)
    assert message in str(error.value) and "\n" not in str(error.value)


lift_jet = quick_filter_jit(lambda lift, points: lift.jet(points))


def on_faces(count=50):
    """Points on left, right, bottom and top."""
    t, ends = np.random.default_rng(0).random((4, count)), np.array(SIDES)
    faces = []
    for i, (axis, end) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        points = t[i][:, None] * ends
        points[:, axis] = end * ends[axis]
        faces.append(points)
    return faces


def test_the_lift_has_the_values_that_are_given():
    points, (_, right, *_) = np.concatenate(on_faces()), on_faces()

    def lifted(conditions):
        return lift_jet(problem(conditions).lift, jnp.asarray(points))

    mixed = lifted(MIXED).value[:, 0]
    np.testing.assert_allclose(mixed[:50], 0, atol=1e-15)
    np.testing.assert_allclose(mixed[50:100], right[:, 1] * (1 - right[:, 1]), atol=1e-14)
    everywhere = lifted("{all:{dirichlet:1+x1*x2}}")
    np.testing.assert_allclose(everywhere.value[:, 0], 1 + points[:, 0] * points[:, 1], rtol=1e-14)
    assert np.abs(everywhere.laplacian).max() < 1e-12
    corner = lifted("{left:{dirichlet:1},all:{dirichlet:2}}").value[:, 0]
    np.testing.assert_allclose(corner, np.where(points[:, 0] == 0, 1, 2), rtol=1e-12)


@quick_filter_jit
def jets(jet, points):
    """The forward jet, and value, gradient and Laplacian by autodiff."""

    def value(x):
        return jet(x[None]).value[0, 0]

    return jet(points), jax.vmap(lambda x: (value(x), jax.grad(value)(x), jnp.trace(jax.hessian(value)(x))))(points)


@pytest.mark.parametrize("faces", [((0, 0),), ((0, 1), (1, 0)), ((0, 0), (0, 1), (1, 1)), ()])
def test_walls_vanish_where_they_stand_and_nowhere_else(faces):
    points = np.concatenate([np.random.default_rng(0).random((20, 2)) * SIDES, *on_faces()])
    jet, (_, gradient, laplacian) = jets(Walls(SIDES, faces).vanishing, jnp.asarray(points))
    assert (jet.value[:20] > 0).all()
    np.testing.assert_allclose(jnp.concatenate(jet.gradient, axis=1)[:20], gradient[:20], atol=1e-13)
    np.testing.assert_allclose(jet.laplacian[:20, 0], laplacian[:20], atol=1e-12)
    on_each = np.asarray(jet.value[20:, 0]).reshape(4, -1)
    for face, on in zip([(0, 0), (0, 1), (1, 0), (1, 1)], on_each, strict=True):
        assert (on == 0).all() if face in faces else (on > 0).any()


networks = pytest.mark.parametrize(
    "options", [TwoScaleOptions(4, 1, 6, 1, 2, 2, (1.0, 3.0), "tanh", None), MlpOptions(9, 1, "tanh")]
)


def walled(options, walls, wrapped=()):
    """A network that vanishes there, at random parameters."""
    scales = Scales(2, 0.1, (0.1, 0.25), 1, SIDES, wrapped)
    theta, model = parametrise(HardOptions().wrap(random_network(options, scales, "float64"), walls))
    return model(theta)


def assert_jets(network, others):
    """At ten points inside; the jet there, and at other points."""
    points = jnp.asarray(np.concatenate([np.random.default_rng(0).random((10, 2)) * SIDES, others]))
    every, expected = jets(network.jet, points)
    jet, rest = jax.tree.map(lambda a: a[:10], every), jax.tree.map(lambda a: a[10:], every)
    value, gradient, laplacian = (each[:10] for each in expected)
    np.testing.assert_allclose(jet.value[:, 0], value, rtol=1e-10)
    np.testing.assert_allclose(jnp.concatenate(jet.gradient, axis=1), gradient, rtol=1e-8)
    np.testing.assert_allclose(jet.laplacian[:, 0], laplacian, rtol=1e-7)
    return jet, rest


@pytest.mark.thorough
@pytest.mark.parametrize("faces", [((0, 0),), ((0, 1), (1, 0)), ((0, 0), (0, 1), (1, 0), (1, 1))])
@networks
def test_a_network_vanishes_on_its_walls_alone(options, faces):
    network = walled(options, Walls(SIDES, faces))
    _, there = assert_jets(network, np.concatenate(on_faces()))
    sizes = np.abs(there.value).reshape(4, -1).max(axis=1)
    for face, size in zip([(0, 0), (0, 1), (1, 0), (1, 1)], sizes, strict=True):
        assert size < 1e-15 if face in faces else size > 1e-3


@networks
def test_a_network_is_periodic_where_it_wraps(options):
    network = walled(options, Walls(SIDES, ((0, 0), (0, 1))), (1,))
    points = np.random.default_rng(0).random((10, 2)) * SIDES
    jet, moved = assert_jets(network, points + np.array([0, SIDES[1]]))
    for here, there in zip(jax.tree.leaves(jet), jax.tree.leaves(moved), strict=True):
        np.testing.assert_allclose(here, there, atol=1e-10 * np.abs(here).max())


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_points_of_a_box_lie_in_it_and_on_its_faces_by_their_areas(dim):
    sides = (2.0, 0.5, 1.5)[:dim]
    domain, count = Box(dim, 0.1, sides), 20_000
    assert domain.volume == pytest.approx(np.prod(sides))
    areas = np.repeat(domain.volume / np.array(sides), 2)
    assert domain.surface == pytest.approx(areas.sum())
    for points in (domain.sample_interior(jax.random.key(0), 4000), domain.lattice_interior(jax.random.key(0), 4000)):
        np.testing.assert_allclose(np.mean(points, axis=0), np.array(sides) / 2, rtol=0.05)
        assert (points >= 0).all() and (points <= jnp.array(sides)).all()
    with jax.numpy_dtype_promotion("strict"):
        edge = np.asarray(domain.sample_boundary(jax.random.key(1), count))
    on = np.stack([edge[:, a] == end * sides[a] for a in range(dim) for end in (0, 1)])
    assert (on.sum(axis=0) == 1).all()
    np.testing.assert_allclose(on.mean(axis=1), areas / areas.sum(), atol=0.01)


def test_the_exact_solution_has_neither_residual_nor_flux_to_spare():
    """w = x₁(1 + x₂), whose data are those of a manufactured problem."""
    k, slope = "(2+sin(3*x1))", "3*cos(3*x1)*(1+x2)"
    conditions = (
        f"{{left:{{dirichlet:0}},right:{{neumann:{k}*(1+x2)}},bottom:{{neumann:-{k}*x1}},"
        f"top:{{robin:[1+x1,{k}*x1+(1+x1)*x1*(1+x2)]}}}}"
    )
    exact = problem(conditions, source=f"-{slope}")
    rng, faces = np.random.default_rng(0), np.concatenate(on_faces())
    points = {INTERIOR: jnp.asarray(rng.random((40, 2)) * SIDES), BOUNDARY: jnp.asarray(faces)}
    with jax.numpy_dtype_promotion("strict"):
        places = collocate(exact, points, np.ones(40), 16, jnp.dtype("float64"))

    def v(x):
        """w - ℓ, with ℓ = 0 as 0 is all that is given."""
        gradient = (1 + x[:, 1:], x[:, :1])
        return Jet(x[:, :1] * (1 + x[:, 1:]), gradient, (jnp.zeros_like(x[:, :1]),))

    inside = places[INTERIOR]
    medium = exact.medium(inside.sites.every)
    assert np.abs(medium.residual(v(inside.sites.every))).max() < 1e-13
    term = FluxTerm(places=places[FLUX], measure=5.0)
    x, there, weights = (jax.tree.map(lambda a: a[0], block) for block in term.places.blocks)
    assert np.abs(term.rows(v(x), there, weights)).max() < 1e-13
    assert np.abs(term.rows(Jet(1 + v(x).value, v(x).gradient, v(x).second), there, weights)).max() > 1e-2
    np.testing.assert_array_equal(weights, np.repeat([0.0, 1.0], [50, 150]))
    np.testing.assert_array_equal(places[BOUNDARY].weights[0], 1 - weights)
