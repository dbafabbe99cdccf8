"""`law=elasticity` from the command line."""

import h5py
import numpy as np
import pytest

from hpms.fem.elastic.moduli import stress

BODY = (
    "problem=box",
    "law=elasticity",
    "coefficient=lame",
    "coefficient.lam=1+x1",
    "coefficient.mu='2+sin(2*pi*x1/eps)'",
    "source=force",
    "upscaling=none",
    "coupling=none",
    "balancing=none",
    "problem.eps=0.5",
)
PLATE = (
    *BODY,
    "problem.sides=[2,1]",
    "problem.conditions={left:{dirichlet:[0,0]},right:{neumann:[1,0]},"
    "bottom:{dirichlet:[null,0],neumann:[0,null]},all:{neumann:[0,0]}}",
    "source.formulas=[1,x1]",
)
SMALL = (
    "network=mlp",
    "network.width=8",
    "network.depth=2",
    "collocation.interior_points=150",
    "collocation.boundary_points=60",
    "training.iterations=10",
    "training.log_every=5",
    "reference.h=0.1",
    "reference.baseline_h=0.1",
)


@pytest.mark.thorough
def test_the_derivatives_are_right(hpms):
    code, out, err = hpms("check", *PLATE, *SMALL, "optimizer=gauss_newton")
    assert code == 0, out + err
    assert "rows of the flux" in out


@pytest.mark.thorough
def test_the_coupling_by_coarse_hats_is_differentiated(hpms):
    coupled = [each for each in PLATE if each != "coupling=none"]
    more = ("coupling=galerkin", "coupling.spacing=0.25", "coupling.points=8", "optimizer=gauss_newton")
    code, out, err = hpms("check", *coupled, *SMALL, *more)
    assert code == 0, out + err
    assert "rows of the coupling" in out
    result = hpms("train", *coupled, *SMALL, *more, "training.iterations=2")
    assert result.code == 0, result.err


STRAINS = ("problem=unit_cube", "problem.dim=2", "source.formulas=[0,-1]", "upscaling=stiffness", "coarse.h=0.25")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "coupling", [("coupling=ball", "coupling.delta=0.5"), ("coupling=galerkin", "coupling.points=4")]
)
def test_the_unit_strains_are_coupled_by_a_stiffness(hpms, coupling):
    body = [each for each in BODY if each.partition("=")[0] not in ("problem", "upscaling", "coupling")]
    result = hpms("check", *body, *SMALL, *STRAINS, *coupling, "optimizer=gauss_newton")
    assert result.code == 0 and "rows of the coupling" in result.out, result.out + result.err


@pytest.mark.thorough
def test_unit_strains_are_trained_and_read_again(hpms):
    body = [each for each in BODY if each.partition("=")[0] not in ("problem", "upscaling", "coupling")]
    coupling = ("coupling=ball", "coupling.delta=0.5")
    result = hpms("train", *body, *SMALL, *STRAINS, *coupling, "training.iterations=4", "plot=true")
    assert result.code == 0 and "upscaled C̃₃₃" in result.out, result.err
    run = next(line for line in result.out.splitlines() if line.endswith("run.h5"))
    with h5py.File(run) as file:
        assert file["summary"].attrs["upscaled_coefficient"].shape == (3, 3)
        assert file["fields/stress"].shape[1:] == (6, 2) and file["fields/von_mises"].shape[1:] == (3,)
    fine = hpms("reference", *body, *STRAINS, *coupling, "reference.h=0.1", "reference.baseline_h=0.1")
    assert fine.code == 0, fine.err
    again = hpms("plot", run.removesuffix("run.h5"), "--format", "vtu")
    assert again.code == 0, again.err
    beside = hpms("upscale", f"run={run.removesuffix('run.h5')}", "reference.h=0.1")
    assert beside.code == 0 and "C̃ of the network" in beside.out, beside.err


@pytest.mark.thorough
def test_a_plate_is_trained_measured_and_read_again(hpms):
    result = hpms("train", *PLATE, *SMALL, "plot=true")
    assert result.code == 0, result.err
    assert "There is no bound of the error: Korn" in result.out
    assert "-div σ(w) = q" in result.err and "σn_1 = 0, w_2 = 0 at bottom" in result.err
    with h5py.File(result.last_line) as file:
        found, summary = {k: np.asarray(v) for k, v in file["fields"].items()}, dict(file["summary"].attrs)
    x, w = found["points"], found["w"]
    moduli = np.stack([1 + x[:, 0], 2 + np.sin(4 * np.pi * x[:, 0])], axis=1)
    assert w.shape == (len(x), 2) and found["gradient"].shape == (len(x), 2, 2)
    np.testing.assert_allclose(found["stress"], stress(moduli, found["gradient"]), rtol=1e-6, atol=1e-6)
    error, size = w - found["reference_value"], found["reference_value"]
    relative = np.sqrt((found["weights"] @ error**2).sum() / (found["weights"] @ size**2).sum())
    assert summary["relative_l2"] == pytest.approx(relative, rel=1e-6)
    assert summary["relative_energy_error"] > 0 and summary["reference_own_h1"] < 0.03
    again = hpms("evaluate", f"run={result.last_line.removesuffix('run.h5')}")
    assert again.code == 0 and "There is no bound" in again.out


@pytest.mark.thorough
def test_a_body_in_three_dimensions_is_trained(hpms):
    clamped = "problem.conditions={left:{dirichlet:[0,0,0]},right:{neumann:[1,0,0]},all:{neumann:[0,0,0]}}"
    result = hpms("train", *BODY, *SMALL, "problem.dim=3", clamped, "reference.h=0.25", "reference.baseline_h=0.25")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        assert file["fields/stress"].shape[1:] == (3, 3) and len(file["metrics/lifted_l2"][0]) == 3


@pytest.mark.thorough
def test_the_reference_of_a_plate_has_its_stress(hpms):
    result = hpms("reference", *PLATE, "reference.h=0.1", "reference.baseline_h=0.1")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        assert {"stress", "von_mises", "w"} <= set(file["fields"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("coefficient.mu=x1-1",), "must be finite with mu > 0 and 2 lam + 2 mu > 0, but at ("),
        (("coefficient.lam=-5",), "must be finite with mu > 0 and 2 lam + 2 mu > 0, but at ("),
        (("coefficient=osc2d",), "law=elasticity needs two moduli: take coefficient=lame"),
        (
            ("law=diffusion", "problem.conditions={all:{dirichlet:0}}"),
            "coefficient=lame is not allowed: law=diffusion has",
        ),
        (("law=diffusion", "source=constant"), "is not allowed: w of law=diffusion is a number"),
        (("source=constant",), "law=elasticity needs a force with a component for each axis: take source=force"),
        (("source.formulas=[1]",), "source.formulas=['1'] is not allowed: give one number or formula per axis"),
        (("problem.conditions={all:{dirichlet:0}}",), "needs a number or formula for each component"),
        (("problem.conditions={all:{dirichlet:[0,0],neumann:[0,null]}}",), "component 1 has a displacement there"),
        (
            ("problem=perforated", "problem.conditions={all:{dirichlet:0}}"),
            "law=elasticity is for unit_cube (w = E x on its boundary) and box",
        ),
        (("problem=unit_cube", "problem.dim=2", "upscaling=tensor"), "with law=elasticity take stiffness, or none"),
        (("problem=unit_cube", "problem.dim=2", "coupling=consistent"), "take ball, galerkin or none"),
        (
            (
                "coefficient=osc2d",
                "source=constant",
                "law=diffusion",
                "problem=unit_cube",
                "problem.dim=2",
                "upscaling=stiffness",
            ),
            "it is for law=elasticity",
        ),
        (("law.reaction=1",), "'law.reaction' is not a key"),
        (("boundary=soft",), "boundary=soft is not allowed"),
        (("training.accuracy=0.1",), "there is no bound of the error with these conditions"),
        (("upscaling=isotropic",), "upscaling=isotropic is not allowed"),
        (("reference.method=exact",), "reference.method=exact is not allowed"),
        (
            ("problem.dim=1", "problem.sides=[1]", "problem.conditions={all:{dirichlet:[0]}}", "source.formulas=[1]"),
            "law=elasticity is for 2 (plane strain) and 3",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(hpms, options, message):
    dropped = {each.partition("=")[0] for each in options}
    if "source=constant" in options or "coefficient=osc2d" in options or "problem=unit_cube" in options:
        dropped |= {"source.formulas"} if "source=constant" in options else set()
        dropped |= {"coefficient.lam", "coefficient.mu"} if "coefficient=osc2d" in options else set()
        dropped |= {"problem.sides", "problem.conditions"} if "problem=unit_cube" in options else set()
    kept = [each for each in PLATE if each.partition("=")[0] not in dropped]
    code, _, err = hpms("train", *kept, *options)
    assert code == 1 and message in err, err
    assert len(err.strip().splitlines()) == 1, err
