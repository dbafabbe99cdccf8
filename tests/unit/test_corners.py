"""Singular functions at corners, by derivatives of the formula that they stand for."""

import re
from math import cos, pi, sin

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.jet import contracted, entry
from hpms.problem.corners import Corner, corner

RADIUS, POINT, START = 0.7, (0.3, -0.2), 0.4
ANGLES = {"re-entrant": 1.5 * pi, "obtuse": 0.7 * pi, "crack": 1.95 * pi}
HELD = {"DD": (True, True), "NN": (False, False), "DN": (True, False), "ND": (False, True)}


def direction(angle):
    return cos(angle), sin(angle)


def made(angle, held) -> Corner:
    return corner(POINT, direction(START), direction(START + angle), RADIUS, held)


def at(r, theta):
    """Points by their polar coordinates around the corner."""
    return jnp.array(POINT) + r[:, None] * jnp.stack([jnp.cos(START + theta), jnp.sin(START + theta)], axis=1)


def inside(each, count=40, most=0.95):
    random = np.random.default_rng(0)
    r, theta = random.uniform(0.05, most, count) * RADIUS, random.uniform(0.02, 0.98, count) * each.angle
    return at(jnp.asarray(r), jnp.asarray(theta)), r, theta


@pytest.fixture(params=ANGLES)
def angle(request):
    return ANGLES[request.param]


@pytest.mark.parametrize("held", HELD)
def test_exponents_and_parity_are_those_of_the_conditions(angle, held):
    each = made(angle, HELD[held])
    assert each.angle == pytest.approx(angle)
    assert each.exponent == pytest.approx(pi / angle if held in ("DD", "NN") else pi / (2 * angle))
    assert each.is_even == (held in ("NN", "ND"))


@pytest.mark.parametrize("held", HELD)
def test_the_value_is_that_of_polar_coordinates(angle, held):
    each = made(angle, HELD[held])
    x, r, theta = inside(each)
    wave = np.cos(each.exponent * theta) if each.is_even else np.sin(each.exponent * theta)
    expected = (1 - (r / RADIUS) ** 2) ** 3 * r**each.exponent * wave
    np.testing.assert_allclose(each.jet(x).value[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("held", HELD)
def test_the_jet_is_that_of_automatic_differentiation(angle, held):
    each, forms = made(angle, HELD[held]), (entry(0, 0), entry(0, 1), entry(1, 1))
    x, _, _ = inside(each)

    def value(point):
        return each.jet(point[None]).value[0, 0]

    jet = each.jet(x, forms)
    slopes, bends = jax.vmap(jax.grad(value))(x), jax.vmap(jax.hessian(value))(x)
    np.testing.assert_allclose(jnp.concatenate(jet.gradient, axis=1), slopes, rtol=1e-9, atol=1e-9)
    for found, expected in zip(jet.second, contracted(forms, bends[:, None]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("held", HELD)
def test_on_its_edges_it_keeps_the_conditions(angle, held):
    """It vanishes where w is given, and has no flux through the others."""
    each = made(angle, HELD[held])
    r = jnp.linspace(0.02, 0.99, 30) * RADIUS
    for theta, is_held in zip((0.0, angle), HELD[held], strict=True):
        jet = each.jet(at(r, jnp.full(30, theta)))
        normal = -sin(START + theta), cos(START + theta)
        slope = normal[0] * jet.gradient[0] + normal[1] * jet.gradient[1]
        np.testing.assert_allclose(jet.value if is_held else slope, 0, atol=1e-12)


@pytest.mark.parametrize("held", HELD)
def test_without_its_cut_off_it_is_harmonic(angle, held):
    each = made(angle, HELD[held])
    x, _, _ = inside(each)
    bends = each._singular(x, (entry(0, 0), entry(1, 1))).second
    np.testing.assert_allclose(bends[0], -bends[1], rtol=1e-12)


def test_beyond_its_radius_it_is_0_and_at_the_corner_it_is_finite():
    each = made(1.5 * pi, (True, True))
    far = each.jet(at(jnp.array([1.0, 1.3]) * RADIUS, jnp.array([1.0, 2.0])))
    assert not np.any(far.value) and not np.any(far.gradient) and not np.any(far.second)
    here = each.jet(jnp.array([POINT]))
    assert all(np.isfinite(part).all() for part in jax.tree.leaves(here))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("{all:{dirichlet:0}}", {(0.5, 0.5): 2 / 3}),
        ("{edge3:{neumann:0},edge4:{neumann:0},all:{dirichlet:0}}", {(0.5, 0.5): 2 / 3}),
        ("{edge3:{neumann:0},all:{dirichlet:0}}", {(0.5, 0.5): 1 / 3}),
        ("{edge1:{dirichlet:0},all:{neumann:0}}", {(0.5, 0.5): 2 / 3}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_polygon_has_those_whose_solutions_are_not_smooth(conditions, expected, turned):
    ring = [[0, 0], [1, 0], [1, 0.5], [0.5, 0.5], [0.5, 1], [0, 1]]
    if turned:  # the same edges, clockwise: edge k from vertex k, of the ring turned, is edge 6 - k
        ring = [ring[0], *ring[:0:-1]]
        conditions = re.sub(r"edge(\d)", lambda found: f"edge{7 - int(found[1])}", conditions)
    config = hpms.configure(
        "+method=fast",
        "problem=polygon",
        "source=constant",
        "coefficient=expression",
        "coefficient.formula=2",
        f"problem.vertices={ring}".replace(" ", ""),
        f"problem.conditions={conditions}",
    )
    found = {each.point: each.exponent for each in config.problem.corners}
    assert found == pytest.approx(expected)
    assert all(each.radius == pytest.approx(0.5) for each in config.problem.corners)
