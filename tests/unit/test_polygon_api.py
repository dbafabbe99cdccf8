"""`hpms.Polygon` as the domain of a `hpms.Problem`."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.errors import UserError

L_SHAPE = [(0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)]
SHELL = (
    "problem=polygon",
    "problem.vertices=[[0,0],[1,0],[1,0.5],[0.5,0.5],[0.5,1],[0,1]]",
    "problem.holes=[{circle:[0.25,0.25,0.1]}]",
    "problem.parts={inlet:x1<1e-9}",
    "problem.eps=0.2",
    "problem.conditions={inlet:{dirichlet:0},edge2:{robin:[1,x2]},all:{neumann:0}}",
    "coefficient=expression",
    "coefficient.formula=2+x1",
    "source=constant",
)


def polygon(**given):
    holes, parts = [hpms.Circle((0.25, 0.25), 0.1)], {"inlet": "x1<1e-9"}
    conditions = {"inlet": hpms.Dirichlet(0), "edge2": hpms.Robin(1, "x2"), "all": hpms.Neumann(0)}
    rest = {"eps": 0.2, "coefficient": "2+x1", "source": "constant", "conditions": conditions}
    return hpms.Problem(**({"domain": hpms.Polygon(L_SHAPE, holes, parts)} | rest | given))


def test_a_polygon_states_its_equation():
    assert repr(polygon()).splitlines() == [
        "Problem: -∇·(K∇w) = q in a polygon with 6 vertices and 1 hole, eps = 0.2",
        "  K: 2+x1",
        "  q: constant",
        "  inlet: w = 0",
        "  edge2: K∇w·n + (1) w = x2",
        "  all: K∇w·n = 0",
    ]
    assert repr(polygon().domain).startswith("Polygon([(0, 0), (1, 0), (1, 0.5)")


def test_a_polygon_is_the_same_by_the_shell_and_by_python():
    shell = hpms.configure("+method=fast", *SHELL)
    assert hpms.configure("+method=fast", problem=polygon()).identity() == shell.identity()
    typed = (
        "problem.holes=[{circle:[1/4,0.25,1e-1]}]",
        "problem.vertices=[[0,0],[1.0,0],[1,1/2],[.5,.5],[0.5,1],[0,1]]",
    )
    other = hpms.configure(
        "+method=fast", *(each for each in SHELL if each[:14] not in {t[:14] for t in typed}), *typed
    )
    assert other.problem.polygon == shell.problem.polygon
    array = hpms.Polygon(np.array(L_SHAPE), [hpms.Circle(np.array([0.25, 0.25]), 0.1, 32)], {"inlet": "x1<1e-9"})
    assert hpms.configure("+method=fast", problem=polygon(domain=array)).identity() == shell.identity()
    without = hpms.configure("+method=fast", "problem.singular=false", problem=polygon())
    assert without.identity() != shell.identity() and not without.problem.corners


def test_functions_on_a_polygon_are_told_apart_on_all_of_it():
    """Where x1 is negative, too."""
    around = hpms.Polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    found = []
    for data in (lambda x: x[0], lambda x: jnp.abs(x[0])):
        posed = polygon(domain=around, conditions={"edge1": hpms.Neumann(0), "all": hpms.Dirichlet(data)})
        config = hpms.configure("+method=fast", problem=posed)
        found.append(config.problem.conditions["all"]["dirichlet"])
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"eps": 5}, "problem.eps=5 is not allowed: the polygon is nowhere as wide as that"),
        ({"conditions": {"egde1": hpms.Dirichlet(0), "all": hpms.Neumann(0)}}, "Did you mean 'edge1'?"),
        ({"conditions": {"edge1": hpms.Dirichlet(0)}}, "nothing is said of edge2"),
        ({"conditions": {"all": hpms.Periodic()}}, "only opposite faces of problem=box are periodic"),
        ({"conditions": {"left": hpms.Dirichlet(0)}}, "problem.conditions.left"),
    ],
)
def test_what_is_no_problem_on_a_polygon_is_one_sentence(given, message):
    with pytest.raises(UserError) as refused:
        polygon(**given)
    assert message in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: hpms.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "crosses or touches itself at (0.5, 0.5)"),
        (lambda: hpms.Polygon([(0, 0), (1, "a"), (1, 0)]), "the vertex (1, 'a') of a Polygon is not a pair of numbers"),
        (lambda: hpms.Polygon([(0, 0), (1, math.nan), (1, 0)]), "is not a pair of numbers, such as (0.5, 1)"),
        (lambda: hpms.Polygon([(0, 0), (1, 0)]), "give three points or more"),
        (lambda: hpms.Polygon(3), "3 is no polygon"),
        (lambda: hpms.Polygon(L_SHAPE, hpms.Circle((0.2, 0.2), 0.1)), "give a list of polygons and hpms.Circle"),
        (lambda: hpms.Polygon(L_SHAPE, [hpms.Circle((3, 0), 0.1)]), "hole1 lies outside the outer polygon"),
        (lambda: hpms.Polygon(L_SHAPE, [[(0.1, 0.1), (0.2, 0.1)]]), "give three points or more"),
        (lambda: hpms.Polygon(L_SHAPE, parts="x1>0"), "parts=x1>0 is not allowed: give names and formulas"),
        (lambda: hpms.Circle((0, 0), 0), "the radius 0 of a Circle is not a number greater than 0"),
        (lambda: hpms.Circle((0, 0), 1, 2.5), "their number is a whole one"),
        (lambda: hpms.Circle(0, 1), "the centre 0 of a Circle is not a pair of numbers"),
        (lambda: hpms.Polygon(L_SHAPE, [hpms.Circle((0.25, 0.25), 0.1, 2)]), "its vertices are 3 to"),
    ],
)
def test_what_is_no_polygon_is_one_sentence(given, message):
    with pytest.raises(UserError) as refused:
        given()
    assert message in str(refused.value) and "\n" not in str(refused.value)
