import json
from pathlib import Path

import h5py
import numpy as np
import pytest

RISING = ("optimizer.learning_rate=1", "training.divergence=null")  # the residual is smallest at iteration 0


def theta(path):
    with h5py.File(path) as file:
        return np.asarray(file["checkpoint/latest/theta"])


def status(path):
    with h5py.File(path) as file:
        return str(file["summary"].attrs["status"])


def seconds(path):
    with h5py.File(path) as file:
        return [float(file["summary"].attrs[name]) for name in ("elapsed_seconds", "compile_seconds")]


def without_times(path):
    timed = ("elapsed_seconds", "compile_seconds")
    with h5py.File(path) as file:
        return {name: np.asarray(column) for name, column in file["metrics"].items() if name not in timed}


def outcome(path):
    """The summary without times and what is not known, and the best checkpoint."""
    with h5py.File(path) as file:
        summary = {name: each for name, each in file["summary"].attrs.items() if not name.endswith("_seconds")}
        summary = {name: each for name, each in summary.items() if not (isinstance(each, float) and np.isnan(each))}
        return summary | {f"best {name}": np.asarray(each) for name, each in file["checkpoint/best"].items()}


def test_a_run_writes_its_record(hpms, tiny):
    code, out, _ = result = hpms("train", *tiny, *RISING)
    assert code == 0
    assert "relative L² error" in out and "fine FEM" in out
    path = Path(result.last_line)
    assert path.parts[:3] == ("outputs", "train", "osc1d") and path.parts[-2:] == ("seed=0", "run.h5")
    with h5py.File(path) as file:
        summary, metrics = dict(file["summary"].attrs), file["metrics"]
        assert summary["status"] == "finished"
        assert list(metrics["iteration"]) == [0, 5, 10, 15, 20]
        best = int(np.argmin(metrics["residual"]))
        assert best < 4
        assert summary["iteration"] == metrics["iteration"][best]
        assert summary["residual_loss"] == metrics["residual"][best]
        assert summary["relative_l2"] == metrics["relative_l2"][best]
        assert summary["relative_h1"] == metrics["relative_h1"][best]
        assert summary["relative_energy_error"] > 0 and "error_bound" not in summary
        assert summary["wall_seconds"] == metrics["elapsed_seconds"][best] + metrics["compile_seconds"][best]
        np.testing.assert_array_equal(summary["upscaled_coefficient"], metrics["upscaled_coefficient"][best])
        assert file["points/interior"].shape == (200, 1)
        weights, v, u = (np.asarray(file["fields"][name]) for name in ("weights", "value", "reference_value"))
        error = (weights @ (v - u) ** 2 / (weights @ u**2)) ** 0.5
        assert summary["relative_l2"] == pytest.approx(error, rel=1e-5)
        assert file["coarse/state"].shape == (11,)
        assert file["provenance/0"].attrs["jax"]
    lines = (path.parent / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in lines] == [0, 5, 10, 15, 20]


def test_the_same_command_gives_the_same_bits(hpms, tiny):
    first = hpms("train", *tiny, "output=a").last_line
    second = hpms("train", *tiny, "output=b").last_line
    assert first != second
    assert np.array_equal(theta(first), theta(second))


def test_a_finished_run_is_left_alone_and_force_starts_anew(hpms, tiny, finished):
    path, before = finished, finished.read_bytes()
    again = hpms("train", *tiny)
    assert again.code == 0 and Path(again.last_line) == path
    assert "finished already" in again.out and "force=true" in again.out
    forced = Path(hpms("train", *tiny, "force=true").last_line)
    assert forced.parent.name == "seed=0-2"
    assert path.read_bytes() == before
    assert np.array_equal(theta(forced), theta(path))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "coupling",
    [
        "coupling.update=lazy",
        "coupling.update=every_step",
        pytest.param("coupling=none", marks=pytest.mark.slow),
    ],
)
def test_interrupted_and_resumed_ends_in_the_same_bits(hpms, tiny, coupling, monkeypatch):
    tiny += ("training.log_every=2", "training.iterations=10", "coupling.interval=2", "balancing.interval=2")
    tiny = (*(key for key in tiny if coupling != "coupling=none" or not key.startswith("coupling.")), coupling, *RISING)
    whole = hpms("train", *tiny, "output=whole").last_line
    spent = [[0.0, 0.0]]
    monkeypatch.setattr("hpms.training.loop._RESPONSE_SECONDS", 0)
    for iteration in range(1, 4):
        part = hpms("train", *tiny, "output=part", "training.wall_limit=1e-9")
        assert part.code == 0 and status(part.last_line) == "interrupted"
        with h5py.File(part.last_line) as file:
            assert file["checkpoint/latest/iteration"][()] == iteration
            assert len(file["provenance"]) == iteration
        spent.append(seconds(part.last_line))
    part = hpms("train", *tiny, "output=part")
    assert "continues at iteration 3" in part.err and status(part.last_line) == "finished"
    assert (np.diff([*spent, seconds(part.last_line)], axis=0) > 0).all()
    assert np.array_equal(theta(part.last_line), theta(whole))
    expected, found = (without_times(path) | outcome(path) for path in (whole, part.last_line))
    assert expected["best iteration"] < 3
    assert expected.keys() == found.keys()
    assert [name for name in expected if not np.array_equal(expected[name], found[name])] == []


def test_resume_false_starts_anew_beside_an_interrupted_run(hpms, tiny):
    part = Path(hpms("train", *tiny, "training.wall_limit=1e-9").last_line)
    anew = Path(hpms("train", *tiny, "resume=false").last_line)
    assert anew.parent.name == "seed=0-2"
    assert status(part) == "interrupted" and status(anew) == "finished"


def test_a_run_directory_of_another_configuration_is_refused(hpms, tiny):
    path = Path(hpms("train", *tiny, "run_dir=mine").last_line)
    assert path == Path("mine/run.h5")
    before = path.read_bytes()
    code, _, err = hpms("train", *tiny, "run_dir=mine", "problem.eps=0.2")
    assert code == 1 and "problem.eps=0.25 there, problem.eps=0.2 here" in err
    code, _, err = hpms("train", *tiny, "run_dir=mine", "seed=3")
    assert code == 1 and "seed=0 there, seed=3 here" in err
    assert path.read_bytes() == before


def test_a_folder_with_other_files_is_refused(hpms, tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    code, _, err = hpms("train", *tiny, "run_dir=mine")
    assert code == 1 and "other files" in err
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


def test_a_run_whose_loss_jumps_is_told_of_it_and_ends(hpms, tiny):
    wild = (*tiny, "optimizer.learning_rate=1")
    code, out, err = result = hpms("train", *wild)
    assert code == 1 and "diverged: the residual loss of iteration" in out and "training.divergence=100" in out
    assert "times its least" in err
    with h5py.File(result.last_line) as file:
        summary, metrics = dict(file["summary"].attrs), file["metrics"]
        assert summary["status"] == "diverged" and summary["iterations_done"] < 20
        assert metrics["residual"][-1] > 100 * summary["residual_loss"] == 100 * metrics["residual"][:].min()
        assert np.isfinite(file["checkpoint/best/theta"]).all()
    again = hpms("train", *wild)
    assert again.code == 1 and "diverged already" in again.out
    assert hpms("train", *wild, "training.divergence=null").code == 0


def test_nan_ends_a_run_with_its_last_good_state(hpms, tiny):
    code, out, _ = result = hpms("train", *tiny, "optimizer.learning_rate=1e36")
    assert code == 1 and "nan" in out and "residual" in out
    with h5py.File(result.last_line) as file:
        assert file["summary"].attrs["status"] == "nan"
        latest, first = file["checkpoint/latest"], file["checkpoint/best"]
        assert latest["iteration"][()] == first["iteration"][()] == 0
        np.testing.assert_array_equal(latest["theta"], first["theta"])
        assert np.isfinite(file["summary"].attrs["residual_loss"])
    again = hpms("train", *tiny, "optimizer.learning_rate=1e36")
    assert again.code == 1 and "change the rate of learning" in again.out


def test_training_stops_at_the_tolerance(hpms, tiny):
    result = hpms("train", *tiny, "training.tolerance=1e30")
    with h5py.File(result.last_line) as file:
        assert file["summary"].attrs["iterations_done"] == 0
        assert "tolerance" in file["summary"].attrs["reason"]
        assert list(file["metrics/iteration"]) == [0]


def test_with_fresh_points_the_tolerance_is_for_the_fixed_ones_of_the_log(hpms, tiny):
    result = hpms("train", *tiny, "collocation=resampled", "training.tolerance=1e30")
    with h5py.File(result.last_line) as file:
        summary = file["summary"].attrs
        assert summary["iterations_done"] in file["metrics/iteration"][:] and summary["iterations_done"] < 20
        assert "tolerance" in summary["reason"]
        errors = file["metrics/relative_l2"][:]
        assert summary["least_relative_l2"] == errors.min()
        assert summary["least_iteration"] == file["metrics/iteration"][errors.argmin()]


def test_a_formula_is_typed_as_it_is(hpms, tiny):
    formula = "exp(0.8*sin(2*pi*x1/eps)*cos(2*pi*x1/eps))"
    result = hpms("train", *tiny, "coefficient=expression", f"coefficient.formula={formula}")
    assert result.code == 0
    with h5py.File(result.last_line) as file:
        assert formula in file["config"][()].decode()


@pytest.mark.slow
def test_a_sweep_survives_a_failing_job(hpms, tiny):
    code, out, err = hpms("train", "-m", *tiny, "problem.eps=1/4,0.2", "coupling.delta=eps,3")
    assert code == 1
    assert err.count("coupling.delta=3 is not allowed") == 2
    assert out.count("run.h5") == 2


def test_what_is_logged_is_what_happened(finished):
    with h5py.File(finished) as file:
        rows = {name: np.asarray(column) for name, column in file["metrics"].items()}
        kappa = np.asarray(file["checkpoint/latest/coarse/kappa"])
    for name in ("residual", "coupling"):
        assert np.allclose(rows[f"weighted_{name}"], rows[f"weight_{name}"] * rows[name], rtol=1e-6)
    assert np.allclose(rows["loss"], rows["weighted_residual"] + rows["weighted_coupling"])
    assert list(rows["weight_residual"][:2]) == [1, 1] and (rows["weight_coupling"][2:] != 1).all()
    assert rows["weight_coupling"][2] == rows["weight_coupling"][3] != rows["weight_coupling"][4]
    assert list(rows["coarse_updates"] + rows["coarse_rejections"]) == [1, 1, 2, 2, 3]
    assert kappa[0] == pytest.approx(rows["upscaled_coefficient"][-1, 0, 0], rel=1e-6)
    assert ((rows["adjoint_share"] >= 0) & (rows["adjoint_share"] < 1)).all()


def test_a_coupling_that_is_switched_off_is_logged_and_counts_no_more(hpms, tiny):
    result = hpms("train", *tiny, "coupling.schedule=until", "coupling.level=1100")
    with h5py.File(result.last_line) as file:
        rows = {name: np.asarray(column) for name, column in file["metrics"].items()}
    assert list(rows["coupling_strength"]) == [1, 1, 0, 0, 0]
    assert (rows["coupling"] > 0).all()
    weighted = rows["coupling_strength"] * rows["weight_coupling"] * rows["coupling"]
    assert np.allclose(rows["weighted_coupling"], weighted, rtol=1e-6)
    assert np.allclose(rows["loss"], rows["weighted_residual"] + weighted)
    assert list(rows["gradient_norm_coupling"] > 0) == [True, True, False, False, False]
    assert list(rows["coarse_updates"] + rows["coarse_rejections"]) == [1] * 5


def test_what_a_killed_process_left_behind_is_removed(hpms, tiny, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / f".run.h5.{'0' * 32}.tmp").write_text("half a file")
    assert hpms("train", *tiny, "run_dir=mine").code == 0
    assert sorted(p.name for p in (tmp_path / "mine").iterdir()) == [".lock", "metrics.jsonl", "run.h5"]


@pytest.mark.parametrize("other", ["network=mlp", "coupling=none", "+method=paper"])
def test_the_quickstart_takes_another_network_coupling_or_method(hpms, other):
    code, _, err = hpms("train", "+experiment=quickstart", other, "seed=x")
    assert code == 1 and "seed=x is not allowed" in err
