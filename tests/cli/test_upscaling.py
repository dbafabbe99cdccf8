"""`upscaling=tensor` and `upscaling=cells` from the command line."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from hpms.api import load

SMALL = (
    "problem.dim=2",
    "problem.eps=0.5",
    "coefficient=expression",
    "coefficient.formula=3+sin(2*pi*(x1+x2)/eps)+x1*x2",
    "source=constant",
    "network=mlp",
    "network.width=6",
    "network.depth=1",
    "collocation.interior_points=200",
    "coarse.h=0.2",
    "reference.h=0.05",
    "reference.baseline_h=0.1",
    "training.iterations=4",
    "training.log_every=2",
    "coupling.interval=2",
    "coupling.delta=0.5",
)


def attributes(path, group="summary"):
    with h5py.File(path) as file:
        return dict(file[group].attrs)


def arrays(path, group):
    with h5py.File(path) as file:
        return {name: np.asarray(value) for name, value in file[group].items()}


@pytest.mark.thorough
def test_a_tensor_is_trained_from_two_lifted_problems_and_continued(hpms):
    command = (
        "train",
        *SMALL,
        "upscaling=tensor",
        "boundary=soft",
        "collocation.boundary_points=20",
        "training.iterations=3",
    )
    whole = hpms(*command, "output=whole")
    assert whole.code == 0, whole.err
    summary, fields = attributes(whole.last_line), arrays(whole.last_line, "fields")
    assert summary["upscaled_coefficient"].shape == summary["fem_upscaled_coefficient"].shape == (2, 2)
    assert summary["lifted_l2"].shape == summary["lifted_h1"].shape == (2,)
    assert fields["value"].shape == fields["reference_value"].shape == (len(fields["points"]), 2)
    assert fields["gradient"].shape == (len(fields["points"]), 2, 2)
    assert fields["averages"].shape == fields["reference_coarse_state"].shape == (len(fields["nodes"]), 2)
    u, v, weights = fields["reference_value"], fields["value"], fields["weights"]
    each = ((weights @ (v - u) ** 2) / (weights @ u**2)) ** 0.5
    np.testing.assert_allclose(summary["lifted_l2"], each, rtol=1e-5)
    together = (weights @ (v - u) ** 2).sum() / (weights @ u**2).sum()
    assert summary["relative_l2"] == pytest.approx(together**0.5, rel=1e-5)
    half = hpms(*command, "output=half", "training.wall_limit=1e-9")
    assert "wall_limit" in half.out
    for _ in range(2):
        half = hpms(*command, "output=half", "training.wall_limit=1e-9")
    assert attributes(half.last_line)["status"] == "finished"
    first, second = (arrays(result.last_line, "checkpoint/best")["theta"] for result in (whole, half))
    np.testing.assert_array_equal(first, second)
    evaluated = hpms("evaluate", f"run={Path(whole.last_line).parent}")
    assert evaluated.code == 0, evaluated.err
    assert attributes(evaluated.last_line)["lifted_l2"] == pytest.approx(summary["lifted_l2"], rel=1e-6)
    solution = load(Path(whole.last_line).parent)
    np.testing.assert_allclose(solution.value(fields["points"]), v, rtol=1e-5, atol=1e-7)
    assert solution.gradient(fields["points"][:3]).shape == (3, 2, 2)
    np.testing.assert_allclose(solution.upscaled, summary["upscaled_coefficient"], rtol=1e-6)


@pytest.mark.thorough
def test_each_cell_has_a_tensor_beside_that_of_the_reference(hpms):
    result = hpms("train", *SMALL, "upscaling=cells", "upscaling.cells=[2,3]")
    assert result.code == 0, result.err
    summary, rows = attributes(result.last_line), arrays(result.last_line, "metrics")
    assert summary["upscaled_coefficient"].shape == summary["reference_cell_coefficient"].shape == (6, 2, 2)
    assert summary["reference_cell_condition"].shape == (6,) and (summary["reference_cell_condition"] >= 1).all()
    assert rows["upscaled_coefficient"].shape[1:] == (6, 2, 2)
    assert (np.diff(rows["coarse_updates"]) > 0).all() and (rows["coarse_rejections"] == 0).all()
    fields, record = arrays(result.last_line, "fields"), arrays(result.last_line, "coarse")
    assert len(record["nodes"]) == 7**2  # 5 elements become 6 along each axis
    edge = ((record["nodes"] == 0) | (record["nodes"] == 1)).any(axis=1)
    for state in (record["state"], fields["coarse_state"], fields["reference_coarse_state"]):
        assert np.abs(state[edge]).max() < 1e-12 < 1e-3 < np.abs(state[~edge]).max()
    assert "in 6 cells" in result.out
    assert summary["reference_own_l2"] < 0.02 < summary["reference_own_h1"]
    assert "the reference's own relative H¹ error is about 0.05" in result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("upscaling=cells", "upscaling.cells=[2]"), "upscaling.cells=[2] is not allowed: give 2 numbers"),
        (("upscaling=cells", "upscaling.cells=[20,20]"), "400 cells are more than 256"),
        (("upscaling=cells", "upscaling.cells=[2,9]"), "the coarse mesh would need 18 along each axis"),
        (("upscaling=cells", "upscaling.cells=[0,2]"), "upscaling.cells[0]=0"),
        (("upscaling=cells", "coupling=consistent"), "coupling=consistent with upscaling=cells"),
        (("upscaling=cells", "upscaling.cells=[4,4]", "collocation.interior_points=9"), "hold none of the collocation"),
        (("upscaling=cells", "upscaling.cells=[]"), "upscaling.cells=[] is not allowed"),
        (("upscaling=scalar",), "upscaling"),
    ],
)
def test_what_is_not_allowed_is_said_in_one_sentence(hpms, options, message):
    rest = [option for option in SMALL if not ("coupling=consistent" in options and option.startswith("coupling."))]
    code, _, err = hpms("train", *rest, *options)
    assert code == 1 and message in err, err


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("coupling", "upscaling", "boundary"),
    [
        ("ball", "cells", "soft"),
        ("consistent", "tensor", "hard"),
        pytest.param("ball", "cells", "hard", marks=pytest.mark.slow),
        pytest.param("ball", "tensor", "hard", marks=pytest.mark.slow),  # soft: test_law.py
        pytest.param("ball", "tensor", "soft", marks=pytest.mark.slow),
        pytest.param("consistent", "tensor", "soft", marks=pytest.mark.slow),
    ],
)
def test_the_derivatives_are_right(hpms, coupling, upscaling, boundary):
    options = (f"coupling={coupling}", f"upscaling={upscaling}", f"boundary={boundary}", "coarse.h=0.1")
    if upscaling == "cells":
        options += ("upscaling.cells=[2,1]",)
    if coupling == "consistent":
        options += ("coupling.delta=0.3", "coupling.points=4", "source.constants.q=90")
    code, out, err = hpms("check", *SMALL, *options)
    assert code == 0, out + err
    count = {"hard": 15, "soft": 16}[boundary]
    assert f"All {count} checks passed." in out
