"""`law=semilinear` from the command line."""

import h5py
import pytest

from tests.cli.conftest import PLANE

LINE = (
    "+method=fast",
    "problem=box",
    "problem.dim=1",
    "problem.eps=0.25",
    "problem.conditions={left:{dirichlet:1},right:{robin:[1,0]}}",
    "coefficient=expression",
    "coefficient.formula=2+sin(2*pi*x1/eps)",
    "coefficient.periods=[eps]",
    "source=constant",
    "law=semilinear",
    "law.formula='x1+4*sinh(2*w)'",
)


def test_a_network_is_trained_to_the_fine_solution(hpms):
    few = (
        "network=two_scale_light",
        "training.iterations=12",
        "training.log_every=4",
        "collocation.interior_points=200",
    )
    result = hpms("train", *LINE, *few, "reference.h=1/200")
    assert result.code == 0, result.err
    assert "-∇·(K∇w) + s = q, s = x1+4*sinh(2*w), in (0,1)" in result.err
    assert "The relative energy error is at most " in result.out
    with h5py.File(result.last_line) as file:
        summary = dict(file["summary"].attrs)
    assert summary["relative_l2"] < 1e-4 and summary["reference_own_l2"] < 1e-4
    assert summary["relative_error_bound"] < 1e-3
    assert summary["balance_most"] < 1e-2


@pytest.mark.thorough
def test_the_derivatives_are_right(hpms):
    given = [each for each in LINE if not each.startswith(("problem.dim", "problem.conditions", "coefficient.per"))]
    plane = ("problem.conditions={left:{dirichlet:x2},right:{robin:[1,0]},all:{neumann:0}}", "coefficient.periods=null")
    tensor = ("coefficient=tensor", "coefficient.entries={k11:2+x2,k12:0.5,k22:1+x1}", "coefficient.constants={}")
    given = [each for each in given if not each.startswith("coefficient")]
    code, out, err = hpms("check", *given, *PLANE, *plane, *tensor)
    assert code == 0, out + err
    assert "rows of the flux" in out and "residual of a manufactured solution" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("law.formula=x1-w",), "law.formula must be defined for all w and not fall in w, but at ("),
        (("law.formula=sqrt(w)",), "law.formula must be finite, with its derivative in w, but at ("),
        (("law.formula=sign(w)*sqrt(abs(w))",), "with w = 0 it is 0, with the derivative"),
        (("law.formula=exp(50*w)", "problem.conditions={all:{dirichlet:20}}"), "law.formula must be finite"),
        (("problem.conditions={all:{robin:[0,1]}}",), "or a rate that is not 0, on some part."),
        (("law.formula=w+x2",), "law.formula: 'x2' in 'w+x2' is unknown; the names are eps, w, x1, pi, e."),
        (("problem=polygon", "problem.dim=2"), "law=semilinear is for problem=box with conditions of your own"),
        (("problem.conditions=linear",), "law=semilinear is for problem=box with conditions of your own"),
        (("problem.conditions={all:{neumann:0}}",), "some part has a dirichlet or a robin condition"),
        (("coupling=galerkin",), "coupling=galerkin is not allowed: it is for a linear law: take coupling=none."),
        (("reference.method=exact",), "reference.method=exact is not allowed: it is for law=diffusion"),
        (("coefficient=lame", "coefficient.lam=1", "coefficient.mu=1"), "coefficient=lame"),
    ],
)
def test_what_is_not_allowed_is_one_sentence(hpms, options, message):
    keys = {each.partition("=")[0] for each in options}
    groups = {key for key in keys if "." not in key}
    given = [each for each in LINE if each.partition("=")[0] not in keys and each.partition(".")[0] not in groups]
    code, _, err = hpms("train", *given, *options)
    assert code == 1 and err.count("\n") == 1 and message in err, err


def test_a_solution_that_floats_do_not_have_is_one_sentence(hpms):
    given = [each for each in LINE if not each.startswith(("law.formula", "problem.conditions"))]
    code, _, err = hpms("reference", *given, "law.formula=exp(50*w)", "problem.conditions={all:{dirichlet:12}}")
    assert code == 1 and "Newton's method for law=semilinear met a system" in err.splitlines()[-1], err


def test_upscaling_is_that_of_the_coefficient(hpms):
    """sqrt 3 in one dimension, without the reaction."""
    result = hpms("upscale", *LINE, "reference.h=1/64")
    assert result.code == 0 and "1.7320" in result.out, result.out + result.err
