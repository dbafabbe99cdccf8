from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

SMALL = (
    "consistency",
    "+experiment=osc1d",
    "sweep.eps=[eps,eps/2,eps/4]",
    "sweep.fine_h=[1/480,1/960,1/1920]",
    "sweep.coarse_h=[1/25,1/50,1/100]",
)
ONE = ("sweep.eps=[eps]", "sweep.fine_h=[1/100]", "sweep.coarse_h=[1/10]", "sweep.fixed_delta=[]")


def read(path):
    """All groups but the provenance."""
    with h5py.File(path) as file:
        found = {"summary": dict(file["summary"].attrs)}
        return found | {g: {k: v[()] for k, v in file[g].items()} for g in file if g not in ("summary", "provenance")}


@pytest.fixture
def undrawn(monkeypatch):
    """Figures take seconds."""
    monkeypatch.setattr("hpms.commands.consistency.figure", lambda groups, path: None)


@pytest.mark.thorough
def test_osc1d_has_the_gaps_measured_by_another_code_and_the_rates_of_the_theory(hpms, undrawn, monkeypatch):
    result = hpms(*SMALL)
    assert result.code == 0, result.err
    groups = read(result.last_line)
    gaps, fixed, fem, coarse, bound = (groups[name] for name in ("gaps", "fixed_delta", "fem", "coarse", "bound"))
    assert gaps["gap"][0] == pytest.approx([0.35198, 0.33746, 0.34391], rel=1e-3)
    assert gaps["gap"] == pytest.approx(np.hypot(gaps["interior_gap"], gaps["frame_gap"]))
    assert gaps["absolute_gap"][0] == pytest.approx(gaps["gap"][0] * 0.0215544575)
    assert gaps["delta"][1] == pytest.approx(np.array([1 / 2, 1, 2]) / 30)
    # The limit of the gap is 0: the corrector, of size ε, is pinned in a frame of width ~ ε.
    assert gaps["gap_rate"] == pytest.approx(np.ones(3), abs=0.1)
    assert gaps["absolute_rate"] == pytest.approx(np.ones(3), abs=0.03)
    assert gaps["frame_rate"] == pytest.approx(np.full(3, 1.5), abs=0.1)
    assert gaps["compression_delta_rate"][-1] == pytest.approx(2, abs=0.05)
    # With δ fixed it is not.
    assert (fixed["interior_gap"][-1] > 0.9 * fixed["compression"][-1]).all()
    assert fem["relative_l2_rate"] == pytest.approx(2, abs=0.05)
    assert fem["relative_h1_rate"] == pytest.approx(1, abs=0.05)
    for name, rate in {"state_l2": 2, "state_h1": 1, "adjoint_l2": 2, "adjoint_h1": 1, "gradient": 2}.items():
        assert coarse[f"{name}_rate"] == pytest.approx(rate, abs=0.15), name
    assert coarse["nodal_adjoint_h1_rate"] == pytest.approx(1, abs=0.2)
    assert bound["alpha"] == pytest.approx(np.ones(3), abs=1e-6)
    assert bound["source_norm"] == pytest.approx(np.full(3, 3**0.5))
    assert bound["bound"][0] == pytest.approx((1 + 0.4169732714**2) / 0.0215544575)
    assert bound["nu"][0] == pytest.approx(3**0.5 * 0.0215544575 - 0.4169732714**2)
    assert bound["lower_bound"] == pytest.approx((1 - bound["nu"]) * bound["alpha"])
    assert bound["holds"].all() and (bound["lower_bound"] < bound["upscaled"]).all()
    assert groups["summary"]["bound_holds"]
    assert "rate in ε" in result.out and "Proposition 4.9" in result.out

    _check_the_second_call(hpms, monkeypatch, result, groups)


def _check_the_second_call(hpms, monkeypatch, first, groups):
    """It comes from the cache, and all but the provenance is the same."""
    monkeypatch.setattr("hpms.fem.fine.gaps.consistency_gaps", None)
    monkeypatch.setattr("hpms.fem.fine.reference._compute", None)
    monkeypatch.setattr("hpms.fem.fine.baseline.solve_fine", None)
    monkeypatch.setattr("hpms.fem.fine.discretisation._errors", None)
    second = hpms(*SMALL)
    assert second.out == first.out
    again = read(second.last_line)
    assert again.keys() == groups.keys()
    for name, group in groups.items():
        assert again[name].keys() == group.keys()
        for key, value in group.items():
            np.testing.assert_array_equal(again[name][key], value, err_msg=f"{name}/{key}")


def test_keys_that_depend_on_eps_follow_it(hpms, undrawn):
    one = ("sweep.fine_h=[1/100]", "sweep.coarse_h=[1/10]", "sweep.fixed_delta=[]", "sweep.delta_over_eps=[1]")
    both = hpms("consistency", "+experiment=osc1d", "sweep.eps=[1/15,0.01]", *one)
    other = hpms("reference", "+experiment=osc1d", "problem.eps=0.01")
    gap = read(both.last_line)["gaps"]["gap"][1, 0]
    with h5py.File(other.last_line) as file:
        assert gap == pytest.approx(file["summary"].attrs["consistency_gap"], rel=1e-10)
    assert np.isnan(read(both.last_line)["fem"]["relative_l2_rate"])


@pytest.mark.thorough
def test_a_source_that_is_too_strong_is_said_to_be(hpms):
    result = hpms("consistency", "+experiment=osc1d", "source=constant", "source.constants.q=100", *ONE)
    bound = read(result.last_line)["bound"]
    assert not bound["holds"].any() and bound["nu"][0] >= 1 and bound["source_norm"][0] > bound["bound"][0]
    assert bound["source_norm"] == pytest.approx(100) and bound["alpha"] == pytest.approx(1, abs=1e-6)
    assert bound["lower_bound"] == pytest.approx((1 - bound["nu"]) * bound["alpha"]) and bound["lower_bound"][0] <= 0
    with h5py.File(result.last_line) as file:
        assert not file["summary"].attrs["bound_holds"]
    if find_spec("matplotlib"):
        folder = Path(result.last_line).parent
        assert (folder / "consistency.png").stat().st_size > 1e4 and (folder / "consistency.pdf").stat().st_size > 1e3


def test_without_matplotlib_the_log_says_so(hpms, monkeypatch):
    monkeypatch.setattr("hpms.figures.style.importlib.util.find_spec", lambda name: None)
    result = hpms("consistency", "+experiment=osc1d", *ONE)
    assert result.code == 0 and "Matplotlib is not installed" in result.err
    assert [path.name for path in Path(result.last_line).parent.iterdir()] == ["consistency.h5"]


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("sweep.eps=[0]", "at least 1e-09"),
        ("sweep.eps=[]", "one or more different numbers"),
        ("sweep.eps=[0.1,0.1]", "one or more different numbers"),
        ("sweep.eps=0.1", "give a list"),
        ("sweep.delta_over_eps=[1,15]", "less than the domain's size 1"),
        ("sweep.fixed_delta=[1]", "less than the domain's size 1"),
        ("sweep.delta_over_eps=[two]", "a number"),
        ("sweep.fine_h=[0.6]", "at most 0.5"),
        ("sweep.coarse_h=[-0.1]", "at least 1e-09"),
        ("+sweep.delta=[1]", "is not a key"),
    ],
)
def test_wrong_sweeps_are_one_sentence(hpms, key, allowed):
    result = hpms("consistency", "+experiment=osc1d", key)
    assert result.code == 1 and result.out == ""
    assert key.split("=")[0].lstrip("+") in result.err and allowed in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_medium_that_does_not_fit_a_smaller_eps_is_refused(hpms):
    medium = ("coefficient=inclusions", "coefficient.radius=0.02", "coefficient.smoothing=0.004")
    result = hpms("consistency", "+experiment=osc1d", *medium, "sweep.eps=[eps,eps/2]")
    assert result.code == 1 and "a cell of side eps=0.0333333 has room for radii up to" in result.err


@pytest.mark.slow
def test_osc2d_has_the_gaps_measured_by_another_code(hpms):
    groups = read(hpms("consistency", "+experiment=osc2d").last_line)
    assert groups["gaps"]["gap"][0] == pytest.approx([0.80491, 0.70870, 0.64633], rel=1e-3)
    assert groups["gaps"]["gap_rate"] == pytest.approx(np.ones(3), abs=0.15)
    assert groups["gaps"]["absolute_rate"] == pytest.approx(np.ones(3), abs=0.1)
    assert groups["gaps"]["frame_rate"] == pytest.approx(np.full(3, 1.5), abs=0.2)
    for name, rate in {"state_l2": 2, "state_h1": 1, "adjoint_l2": 2, "adjoint_h1": 1}.items():
        assert groups["coarse"][f"{name}_rate"] == pytest.approx(rate, abs=0.15), name
    assert groups["fem"]["relative_l2_rate"] == pytest.approx(2, abs=0.15)
    assert groups["bound"]["holds"].all()
