"""`problem=box`: values and fluxes of one's own on the faces."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from hpms.figures.run import plot_run
from hpms.results.run import StoredRun

PLAIN = ("coupling=none", "upscaling=none", "problem=box", "source=constant", "coefficient=expression")
TINY = (
    *PLAIN,
    "coefficient.formula=2+sin(2*pi*x1/eps)",
    "network=mlp",
    "network.width=8",
    "network.depth=2",
    "boundary=hard",
    "collocation.interior_points=150",
    "collocation.boundary_points=60",
    "training.iterations=10",
    "training.log_every=5",
    "balancing.interval=5",
    "problem.eps=0.5",
    "reference.baseline_h=0.1",
    "reference.h=0.1",
)
MIXED = "problem.conditions={left:{dirichlet:0},right:{dirichlet:x2},bottom:{neumann:x1},top:{robin:[1,0]}}"
PERIODIC = "problem.conditions={left:periodic,right:periodic,bottom:{robin:[1,0]},top:{dirichlet:sin(2*pi*x1)}}"
LINE = ("problem.dim=1", "problem.sides=[2]", "problem.conditions={left:{neumann:1},right:{robin:[2,1]}}")


def fields(path):
    with h5py.File(path) as file:
        return {name: np.asarray(array) for name, array in file["fields"].items()}, dict(file["summary"].attrs)


@pytest.mark.thorough
def test_a_plate_is_trained_resumed_and_drawn(hpms):
    command = ("train", *TINY, "problem.sides=[2,1]", MIXED)
    begun = hpms(*command, "training.wall_limit=1e-9")
    assert begun.code == 0, begun.err
    result = hpms(*command)
    assert result.code == 0 and "K̃" not in result.out + result.err
    path = Path(result.last_line)
    found, summary = fields(path)
    assert summary["status"] == "finished" and "upscaled_coefficient" not in summary
    x = found["points"]
    assert found["weights"].sum() == pytest.approx(2) and x[:, 0].max() > 1.9
    lift = found["w"] - found["value"]
    np.testing.assert_allclose(lift, x[:, 0] * x[:, 1] / 2, atol=1e-12)
    k = 2 + np.sin(4 * np.pi * x[:, 0])
    slope = np.stack([x[:, 1], x[:, 0]], axis=1) / 2
    np.testing.assert_allclose(found["flux"], -k[:, None] * (found["gradient"] + slope), rtol=1e-6, atol=1e-6)
    w, difference = found["reference_value"] + lift, found["reference_value"] - found["value"]
    error = np.sqrt(found["weights"] @ difference**2 / (found["weights"] @ w**2))
    assert summary["relative_l2"] == pytest.approx(error, rel=1e-6)
    with h5py.File(path) as file:
        assert {"residual", "flux", "weight_flux", "gradient_norm_flux"} <= set(file["metrics"])
    again = hpms("evaluate", f"run={path.parent}")
    assert again.code == 0 and fields(again.last_line)[1]["relative_l2"] == pytest.approx(error, rel=1e-6)
    assert hpms("table", "outputs/train").code == hpms("list", "outputs/train").code == 0
    pytest.importorskip("matplotlib")
    assert [each.name for each in plot_run(StoredRun(path.parent), path.parent, ["png"])] == ["figure.png"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "options",
    [
        LINE,
        pytest.param((MIXED, "problem.sides=[2,1]", "boundary=soft"), marks=pytest.mark.slow),
        (PERIODIC,),
        ("boundary=soft", PERIODIC),
    ],
)
def test_the_derivatives_are_right(hpms, options):
    keys = {each.partition("=")[0] for each in options}
    code, out, err = hpms("check", *(each for each in TINY if each.partition("=")[0] not in keys), *options)
    assert code == 0, out + err
    assert "rows of the flux" in out


def test_the_reference_of_a_rod_is_its_exact_solution(hpms):
    """K = 2, q = 1 on (0, 2): w'' = -1/2, -K w'(0) = 1, K w'(2) + 2w(2) = 1."""
    constant = ("coefficient=constant", "coefficient.constants.k=2")
    rest = [each for each in PLAIN if not each.startswith("coefficient")]
    result = hpms("reference", *rest, *constant, *LINE, "problem.eps=0.5")
    assert result.code == 0, result.err
    found, summary = fields(result.last_line)
    x = found["points"][:, 0]
    end = (1 - 2 * (-0.5 - 1)) / 2
    np.testing.assert_allclose(found["w"], end + (4 - x**2) / 4 - (x - 2) / 2, atol=1e-10)
    np.testing.assert_allclose(found["flux"][:, 0], 1 + x, atol=1e-9)
    assert "‖w‖ in L²" in result.out and "K̃" not in result.out and np.isnan(summary["consistency_gap"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("coupling=ball",), "coupling=ball is not allowed: there is no coefficient to upscale"),
        (("upscaling=isotropic",), "upscaling=isotropic is not allowed"),
        (("problem.sides=[1]",), "problem.sides=[1.0] is not allowed: give one length per axis"),
        (("problem.sides=[1,200]",), "none may be 100 times another"),
        (("problem.conditions={top:{dirichlet:0}}",), "nothing is said of left"),
        (("problem.conditions={all:{neumann:0}}",), "fluxes alone, and with the source they leave"),
        (("problem.conditions={all:{dirichlet:x3}}",), "problem.conditions.all.dirichlet"),
        (
            ("network=ms_pinn", "problem.conditions={bottom:periodic,top:periodic,all:{dirichlet:0}}"),
            "take mlp, two_scale or fbpinn",
        ),
        (
            ("problem.eps=0.3", "problem.conditions={left:periodic,right:periodic,all:{dirichlet:0}}"),
            "along x1 w is to be",
        ),
        (
            (
                "coefficient.formula=1+x1*(1-x1)",
                "problem.conditions={left:periodic,right:periodic,all:{dirichlet:0}}",
            ),
            "the coefficient is not the same, with its slope, at both ends",
        ),
        (("problem.conditions={all:{robin:[0,1]}}",), "leaves w open by a constant"),
        (("problem.conditions={left:{robin:[-1,0]},all:{dirichlet:0}}",), "left: its rate must not be negative"),
        (("problem.conditions={left:{neumann:log(x2-2)},all:{dirichlet:0}}",), "left: its value must be finite"),
        (
            ("problem.conditions={left:periodic,right:periodic,all:{dirichlet:x1*(1-x1)}}",),
            "with its slope, at both ends",
        ),
        (
            ("problem.conditions={left:periodic,right:periodic,bottom:{dirichlet:x1},top:{dirichlet:0}}",),
            "at both ends",
        ),
        (
            ("problem.sides=[1,9]", "collocation.boundary_points=1", "problem.conditions={all:{robin:[1,0]}}"),
            "whose condition would be lost",
        ),
        (("problem.conditions=" + "{left:" * 200,), "at most 100 brackets"),
        (("reference.method=layered", "coefficient.periods=[eps,eps]"), "reference.method=layered is not allowed"),
    ],
)
def test_what_is_not_allowed_is_one_sentence(hpms, options, message):
    given = [MIXED] if not any(each.startswith("problem.conditions") for each in options) else []
    code, _, err = hpms("train", *TINY, *given, *options)
    assert code == 1 and err.count("\n") == 1 and message in err, err


@pytest.mark.thorough
def test_a_box_with_linear_conditions_is_the_unit_cube(hpms, tiny):
    box, cube = (hpms("train", *tiny, problem) for problem in ("problem=box", "problem=unit_cube"))
    assert box.code == 0, box.err
    (first, _), (second, _) = fields(box.last_line), fields(cube.last_line)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("options", [("upscale", "problem.sides=[2,1]"), ("consistency",)])
def test_what_is_upscaled_needs_the_papers_conditions(hpms, options):
    code, _, err = hpms(*options, *TINY, MIXED)
    assert code == 1 and err.count("\n") == 1 and "take problem=unit_cube" in err


def test_a_medium_is_upscaled_as_on_the_unit_cube_whatever_the_conditions(hpms):
    cube = [option for option in TINY if option != "problem=box" and not option.startswith("problem.tau")]
    box, cube = (
        hpms("upscale", *options) for options in ((*TINY, MIXED), (*cube, "problem=unit_cube", "problem.dim=2"))
    )
    assert box.code == cube.code == 0, box.err + cube.err
    tables = [[line.split("  ")[0:3] for line in each.out.splitlines() if "[" in line] for each in (box, cube)]
    assert tables[0] == tables[1] and len(tables[0]) == 3


@pytest.mark.thorough
def test_a_flux_opposite_to_zeros_is_solved_although_no_network_at_all_misses_little(hpms):
    line = ("problem=box", "problem.dim=1", "problem.eps=0.05", "source=constant", "reference=none", "plot=false")
    line += ("problem.conditions={left:{dirichlet:0},right:{neumann:1}}", "coefficient=expression")
    line += (
        "coefficient.formula=2+1.5*sin(2*pi*x1/eps)",
        "coefficient.periods=[eps]",
        "collocation.interior_points=600",
    )
    few = ("network=two_scale_light", "training.iterations=40", "training.accuracy=0.02")
    result = hpms("train", "+method=small", *line, *few)
    assert result.code == 0 and "is at most training.accuracy=0.02" in result.out, result.err
