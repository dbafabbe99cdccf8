"""The Python API, README's lines among others."""

import re
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import hpms
from hpms.errors import UserError
from hpms.results.run import StoredRun
from tests.cli.test_train import RISING

README = Path(__file__).parents[2] / "README.md"
PRECISE = {"jax_enable_x64": True}


@pytest.mark.thorough
def test_the_lines_of_the_readme_give_a_solution_and_its_bound(tmp_path):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    program = program.replace('"training.accuracy=0.02"', '"training.accuracy=0.02", "reference=none"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    numbers = [float(found) for found in re.findall(r"-?[0-9]+\.[0-9]*(?:e-?[0-9]+)?", done.stdout)]
    bound, w, along, _ = numbers
    assert bound <= 0.02
    assert (w, along) == (pytest.approx(0.446, rel=0.01), pytest.approx(-1.415, rel=0.02))
    assert not [path for path in tmp_path.iterdir() if path.name != "outputs"]


def test_nothing_heavy_comes_with_the_package():
    program = "import sys, hpms; print([name for name in ('jax', 'numpy', 'hydra') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'answer'"):
        hpms.answer  # noqa: B018


@pytest.fixture
def few(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return hpms.configure(*tiny)


def test_a_run_in_memory_is_that_of_the_command_line(few, hpms_run, tmp_path):
    before = {name: getattr(jax.config, name) for name in ("jax_numpy_dtype_promotion", "jax_default_matmul_precision")}
    solution = hpms.train(few)
    assert before == {name: getattr(jax.config, name) for name in before}
    stored = StoredRun(hpms_run)
    assert solution.status == "finished" and solution.iteration == stored.summary["iteration"]
    assert solution.errors["relative_l2"] == pytest.approx(stored.summary["relative_l2"], rel=1e-6)
    assert solution.upscaled == pytest.approx(stored.summary["upscaled_coefficient"], rel=1e-6)
    np.testing.assert_array_equal(solution.history["residual"], stored.history()["residual"])
    fields = stored.fields()
    np.testing.assert_allclose(solution.value(fields["points"]), fields["value"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(solution.gradient(fields["points"]), fields["gradient"], rtol=1e-6, atol=1e-6)
    x = fields["points"]
    np.testing.assert_allclose(solution.w(x), fields["value"] + x[:, 0], rtol=1e-6)
    slope = -(2 + np.sin(2 * np.pi * x / 0.25)) * (fields["gradient"] + 1)
    np.testing.assert_allclose(solution.flux(x), slope, rtol=1e-6)
    np.testing.assert_allclose(fields["w"], solution.w(x), rtol=1e-6)
    np.testing.assert_allclose(fields["flux"], solution.flux(x), rtol=1e-6)
    assert not [path for path in tmp_path.rglob("run.h5") if "outputs/train" not in str(path)]


@pytest.fixture
def hpms_run(few, tiny, tmp_path):
    from hpms.cli.compose import composed
    from hpms.cli.invocation import read_command
    from hpms.commands import train

    invocation, config = read_command("train", composed("train", *tiny))
    return train.run(invocation, config, "osc1d").paths[0].parent


def test_a_run_in_a_directory_is_continued_and_loaded(few, tiny, tmp_path):
    rising = hpms.configure(*tiny, *RISING)
    begun = hpms.train(hpms.configure(*tiny, *RISING, "training.wall_limit=1e-9"), tmp_path / "run")
    assert begun.status == "interrupted"
    first = hpms.train(rising, tmp_path / "run")
    assert first.status == "finished" and len(StoredRun(tmp_path / "run").sessions) == 2
    before = (tmp_path / "run" / "run.h5").read_bytes()
    again = hpms.train(rising, tmp_path / "run")
    np.testing.assert_array_equal(first.theta, again.theta)
    assert (tmp_path / "run" / "run.h5").read_bytes() == before
    latest = hpms.load(tmp_path / "run" / "run.h5", "latest")
    assert first.iteration < latest.iteration == 20
    for solution in (first, latest):
        (row,) = np.flatnonzero(first.history["iteration"] == solution.iteration)
        assert solution.errors["relative_l2"] == pytest.approx(first.history["relative_l2"][row], rel=1e-5)


def test_a_directory_of_another_configuration_is_left_alone(few, tiny, tmp_path):
    hpms.train(few, tmp_path / "run")
    before = (tmp_path / "run" / "run.h5").read_bytes()
    other = hpms.configure(*tiny, "seed=3", "training.iterations=30")
    with pytest.raises(UserError, match="belongs to another configuration"):
        hpms.train(other, tmp_path / "run")
    assert (tmp_path / "run" / "run.h5").read_bytes() == before


@pytest.mark.thorough
def test_a_signal_reaches_the_program_behind_the_checkpoint(tmp_path):
    program = """
import hpms, os, signal, threading, time, pathlib
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits that it is ignored
config = hpms.configure("+experiment=osc1d", "network=mlp", "network.width=8", "network.depth=1",
                        "training.iterations=1000000", "training.log_every=1000", "collocation.interior_points=50")
def late():
    while not list(pathlib.Path("run").glob("metrics.jsonl")):
        time.sleep(0.1)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=late).start()
try:
    hpms.train(config, "run")
except KeyboardInterrupt:
    print(hpms.load("run", "latest").status)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split() == ["interrupted"], (done.returncode, done.stderr)


def test_a_run_ends_when_it_is_told_to(few):
    seen = []
    solution = hpms.train(few, stop=lambda row: seen.append(row["iteration"]) or row["iteration"] >= 10)
    assert seen == [0, 5, 10]
    assert solution.status == "interrupted" and solution.history["iteration"].tolist() == [0, 5, 10]
    with pytest.raises(ValueError, match="leave out stop or run_dir"):
        hpms.train(few, "run", stop=lambda row: True)


def test_what_is_wrong_is_one_sentence(tiny, few):
    with pytest.raises(UserError, match=r"network\.width=-1 is not allowed"):
        hpms.configure(*tiny, "network.width=-1")
    with pytest.raises(UserError, match="not a run"):
        hpms.load("nowhere")


def test_a_solution_takes_points_of_its_domain_and_no_others(few):
    solution = hpms.train(few, stop=lambda row: True)
    assert repr(solution) == "Solution: network=ms_pinn with P = 161 parameters at iteration 0, interrupted"
    w, flux = solution.w(np.array([[0.5]])), solution.flux(np.array([[0.5]]))
    assert solution.w([0.5]) == w[0] and solution.flux([0.5]).tolist() == flux[0].tolist()
    assert solution.w([[0.0], [1 + 1e-13]]).shape == (2,)
    with pytest.raises(
        ValueError, match=r"^\(1\.1\) is not in \(0,1\): the network knows nothing of what is outside\.$"
    ):
        solution.w([[0.5], [1.1]])
    for wrong in (0.5, [0.1, 0.2], np.zeros((3, 2))):
        with pytest.raises(ValueError, match=r"are not \(M, 1\): give one row for each point, such as \[\[0\.5\]\]"):
            solution.value(wrong)


def test_an_experiment_is_built_without_training(few):
    built = hpms.build(few)
    assert built.loss.names == ("residual", "coupling") and built.theta.shape == (built.theta.size,)
