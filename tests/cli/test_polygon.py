"""`problem=polygon`: shapes, parts and conditions of one's own."""

from pathlib import Path

import h5py
import numpy as np
import pytest

import hpms as hpms_of

L_SHAPE = (
    "+method=fast",
    "problem=polygon",
    "problem.eps=0.3",
    "source=constant",
    "coefficient=expression",
    "coefficient.formula=2+sin(2*pi*x1/eps)*cos(2*pi*x2/eps)",
)
TINY = (
    *L_SHAPE,
    "network=mlp",
    "network.width=8",
    "network.depth=1",
    "collocation.interior_points=100",
    "collocation.boundary_points=60",
    "optimizer=adam",
    "balancing=none",
    "training.iterations=4",
    "training.log_every=2",
    "reference.h=0.05",
    "reference.baseline_h=0.2",
)
MIXED = (
    "problem.vertices=[[0,0],[2,0],[2,1],[0,1]]",
    "problem.holes=[{circle:[0.5,0.5,0.2,8]},[[1.2,0.3],[1.6,0.3],[1.4,0.7]]]",
    'problem.parts={outlet:"x1>1.9"}',
    "problem.conditions={outlet:{robin:[1,x2]},hole1:{dirichlet:1},edge4:{dirichlet:x2},all:{neumann:0.5}}",
)
SQUARE = "problem.vertices=[[0,0],[1,0],[1,1],[0,1]]"


def stored(path):
    with h5py.File(path) as file:
        return {name: np.asarray(array) for name, array in file["fields"].items()}, dict(file["summary"].attrs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("problem.vertices=[[0,0],[1,1],[1,0],[0,1]]",), "the outer polygon crosses or touches itself at (0.5, 0.5)"),
        ((SQUARE, "problem.holes=[{circle:[3,0.5,0.1]}]"), "hole1 lies outside the outer polygon"),
        (
            (SQUARE, "problem.holes=[{circle:[0.3,0.5,0.2]},{circle:[0.6,0.5,0.2]}]"),
            "hole1 and hole2 touch or cross: holes have to lie apart",
        ),
        ((SQUARE, "problem.holes=0.3"), "problem.holes=0.3 is not allowed: give a list of polygons and circles"),
        ((SQUARE, "problem.holes=[{circle:[0.5,0.5]}]"), "a circle has a middle and a radius"),
        ((SQUARE, "problem.holes=[{disc:[0.5,0.5,0.1]}]"), "a circle has a middle and a radius"),
        ((SQUARE, "problem.holes=[{circle:[0.5,0.5,-0.1]}]"), "its radius is greater than 0"),
        (("problem.vertices=[[0,0],[1,a],[1,1]]",), "problem.vertices=a is not allowed"),
        (
            ("problem.vertices=[[0,0],[1,0,0],[1,1]]",),
            "problem.vertices=[1, 0, 0] is not allowed: give a list of points",
        ),
        (("problem.vertices=[[0,0],[1,0]]",), "give a list of points"),
        (("problem.vertices=[[0,0],[1,0]",), "a ']' is missing"),
        (("problem.conditions={egde1:{dirichlet:0},all:{neumann:0}}",), "Did you mean 'edge1'?"),
        (("problem.conditions={edge1:{dirichlet:0}}",), "nothing is said of edge2"),
        (("problem.conditions={edge1:periodic,all:{dirichlet:0}}",), "only opposite faces of problem=box are periodic"),
        (("problem.conditions={all:{neumann:0}}",), "fluxes alone, and with the source they leave"),
        (("problem.parts={far:x1>7}",), "problem.parts.far=x1>7 is not allowed: it is true in the middle of no part"),
        (("problem.parts={far:x3>7}",), "problem.parts.far"),
        (("problem.parts={edge1:x1>0}",), "edge1 is a name that the domain has already"),
        (("problem.parts=3",), "give names and formulas"),
        (
            (
                "problem.parts={low:x2<0.1,left:x1<0.6}",
                "problem.conditions={low:{dirichlet:0},left:{neumann:0},all:{dirichlet:1}}",
            ),
            "edge1 lies in low and left",
        ),
        (("problem.dim=3",), "problem.dim=3 is not allowed: a polygon lies in the plane"),
        (("problem.eps=0.7",), "problem.eps=0.7 is not allowed: the polygon is nowhere as wide as that"),
        (("coupling=ball",), "coupling=ball is not allowed: there is no coefficient to upscale"),
        (("upscaling=isotropic",), "upscaling=isotropic is not allowed"),
        (("reference.method=layered", "coefficient.periods=[eps,eps]"), "reference.method=layered is not allowed"),
    ],
)
def test_what_is_not_allowed_is_one_sentence(hpms, options, message):
    keys = {each.partition("=")[0] for each in options}
    code, _, err = hpms("train", *(each for each in TINY if each.partition("=")[0] not in keys), *options)
    assert code == 1 and err.count("hpms train: ") == 1 and message in err.splitlines()[-1], err
    assert not Path("outputs").exists()


@pytest.mark.thorough
def test_an_l_shape_is_trained_resumed_and_drawn(hpms):
    pytest.importorskip("matplotlib")
    command = ("train", *TINY, "training.bound_points=0")
    begun = hpms(*command, "training.wall_limit=1e-9", "run_dir=parts")
    assert begun.code == 0, begun.err
    resumed = hpms(*command, "run_dir=parts", "plot=true")
    assert resumed.code == 0 and "in a polygon with 6 vertices" in resumed.err, resumed.err
    whole = hpms(*command, "run_dir=whole")
    found, summary = stored(resumed.out.rstrip().splitlines()[-1])
    again, _ = stored(whole.last_line)
    assert found.keys() == again.keys() and Path("parts/figure.png").exists()
    for name in found:
        np.testing.assert_array_equal(found[name], again[name])
    x = found["points"]
    assert summary["status"] == "finished" and found["weights"].sum() == pytest.approx(0.75)
    assert not ((x[:, 0] > 0.5) & (x[:, 1] > 0.5)).any()
    difference, w = found["reference_value"] - found["value"], found["reference_value"]
    error = np.sqrt(found["weights"] @ difference**2 / (found["weights"] @ w**2))
    assert summary["relative_l2"] == pytest.approx(error, rel=1e-6)
    pytest.importorskip("meshio")
    assert hpms("plot", "whole", "--format", "vtu").code == 0 and list(Path("whole").glob("*.vtu"))


@pytest.mark.thorough
def test_what_its_bound_lacks_is_said(hpms):
    command = (each for each in TINY if not each.startswith("reference"))
    result = hpms("train", *command, "boundary=soft", "reference=none", "training.bound_points=2e4")
    assert result.code == 0 and "w misses its given values" in result.out, result.err + result.out


@pytest.mark.thorough
@pytest.mark.parametrize("options", [(), MIXED], ids=["singular", "mixed"])
def test_the_derivatives_are_right(hpms, options):
    code, out, err = hpms("check", *TINY, *options)
    assert code == 0, out + err
    assert ("rows of the flux" in out) == bool(options)


def edges(*options):
    """The groups of edges on which the network vanishes, and what the bound lacks."""
    given = ("coefficient=constant", "source=constant", "+method=fast", "problem=polygon")
    problem = hpms_of.configure(*given, *options).problem
    return [problem.edges.groups[k] for k in problem.edges.held], problem.lacks


def test_edges_are_joined_where_a_product_would_vanish_too_fast():
    joined = [("edge1",), ("edge2",), ("edge3", "edge4"), ("edge5",), ("edge6",)]
    alone = "problem.conditions={edge3:{dirichlet:0},edge4:{dirichlet:1},all:{dirichlet:0}}"
    assert edges()[0] == edges(alone)[0] == joined and "not convex" in edges()[1]
    straight = "problem.vertices=[[0,0],[0.5,0],[1,0],[1,1],[0,1]]"
    assert edges(straight)[0] == [("edge1", "edge2"), ("edge3",), ("edge4",), ("edge5",)]
    assert edges(SQUARE) == ([("edge1",), ("edge2",), ("edge3",), ("edge4",)], "")


def test_singular_functions_are_those_of_a_number(hpms):
    tensor = ("coefficient=tensor", "coefficient.entries={k11:2,k12:0.5,k22:1}", "source=constant")
    code, _, err = hpms("train", "problem=polygon", "+method=fast", *tensor)
    assert code == 1 and "problem.singular=true is not allowed" in err and err.count("hpms train: ") == 1, err
