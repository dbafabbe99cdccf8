"""Sweeps: what is finished is skipped, what fails is named, what was killed goes on."""

import json
import re
import time
from pathlib import Path

import pytest

from hpms.sweep import combinations
from tests.cli.test_signals import start
from tests.cli.test_train import status


def rows(out):
    """The cells of the table of the last sweep in `out`."""
    lines = out.splitlines()
    first = max(i for i, line in enumerate(lines) if line.startswith("job ")) + 2
    return [line.split() for line in lines[first : lines.index("", first)]]


def test_the_jobs_are_numbered_as_hydra_numbers_them():
    assert combinations(["seed=0,1", "problem.eps=1/15,0.01", "+experiment=osc1d"]) == [
        ("seed=0", "problem.eps=1/15", "+experiment=osc1d"),
        ("seed=0", "problem.eps=0.01", "+experiment=osc1d"),
        ("seed=1", "problem.eps=1/15", "+experiment=osc1d"),
        ("seed=1", "problem.eps=0.01", "+experiment=osc1d"),
    ]


@pytest.mark.thorough
def test_the_table_names_the_failure_and_a_second_call_computes_nothing(hpms, tiny):
    sweep = ("train", "-m", *tiny, "optimizer.learning_rate=1e-3,1e36,-1")
    first = hpms(*sweep)
    assert first.code == 1
    assert [row[2] for row in rows(first.out)] == ["finished", "nan", "failed"]
    assert "1 of 3 jobs ended well" in first.out
    assert "job 1 (optimizer.learning_rate=1e+36): nan: the residual" in first.out
    assert "job 2 (optimizer.learning_rate=-1): optimizer.learning_rate=-1 is not allowed" in first.out
    files = {path: path.read_bytes() for path in Path().glob("outputs/train/**/run.h5")}
    assert len(files) == 2
    again = hpms(*sweep)
    assert [row[2:] for row in rows(again.out)] == [row[2:] for row in rows(first.out)]
    assert {path: path.read_bytes() for path in files} == files
    assert Path(again.last_line).is_dir() and again.last_line.startswith("outputs/sweep/train/")


@pytest.mark.thorough
def test_a_job_that_breaks_does_not_stop_the_others(hpms, tiny, tmp_path):
    (tmp_path / "broken.py").write_text(
        "from dataclasses import dataclass\nfrom hpms.options.source import SourceOptions\n"
        "from hpms.config.registry import register\n\n"
        "@register('source', 'broken')\n@dataclass(frozen=True)\nclass Broken(SourceOptions):\n"
        "    def build(self, dim, eps):\n        raise ZeroDivisionError('by design')\n"
    )
    (tmp_path / "mine/source").mkdir(parents=True)
    (tmp_path / "mine/source/broken.yaml").write_text("name: broken\n")
    plugin = ("--config-dir", "mine", "plugins=[broken]")
    result = hpms("train", "-m", *plugin, *tiny, "source=broken,osc1d")
    assert result.code == 1
    assert [row[2] for row in rows(result.out)] == ["failed", "finished"]
    assert "job 0 (source=broken): ZeroDivisionError: by design" in result.out
    assert "Traceback" in result.err and "Traceback" not in result.out


@pytest.mark.thorough
def test_jobs_of_one_process_do_not_share_their_precision(hpms, tiny):
    alone = [hpms("train", *tiny, f"runtime.precision={p}", "output=alone") for p in ("float64", "float32")]
    result = hpms("train", "-m", *tiny, "runtime.precision=float64,float32")
    assert result.code == 0
    errors = [re.search(r"relative L² error +(\S+)", single.out)[1] for single in alone]
    assert [row[3] for row in rows(result.out)] == errors


@pytest.mark.thorough
def test_a_glob_is_swept_and_the_flag_may_stand_anywhere(hpms, tiny):
    result = hpms("train", *tiny, "-m", "boundary=glob(h*)", "seed=-1,-2")
    assert result.code == 1 and [row[2] for row in rows(result.out)] == ["failed", "failed"]


def test_notes_of_an_earlier_sweep_in_the_same_folder_do_not_count(hpms, tiny):
    for seed, code in (("-1,-2", 1), ("-3", 1)):
        result = hpms("train", "-m", *tiny, f"seed={seed}", "hydra.sweep.dir=there")
        assert result.code == code
    assert len(list(Path("there/jobs").iterdir())) == 1


@pytest.mark.thorough
def test_a_killed_sweep_goes_on_where_it_was(hpms, tiny, tmp_path):
    sweep = ("-m", *tiny, "training.iterations=100", "training.log_every=20", "training.checkpoint_seconds=0")
    sweep += ("problem.eps=1/4,0.2", "seed=0,1", "optimizer.learning_rate=1e-3")
    process = start(tmp_path, sweep, "out")
    for _ in range(1200):
        if len(list(tmp_path.glob("out/train/*/*/seed=*/run.h5"))) >= 2:
            break
        time.sleep(0.1)
    process.kill()
    process.communicate()
    paths = sorted(tmp_path.glob("out/train/*/*/seed=*/run.h5"))
    done = {path: path.read_bytes() for path in paths if status(path) == "finished"}
    assert 1 <= len(done) < 4
    result = hpms("train", *sweep, "output=out")
    assert result.code == 0 and [row[3] for row in rows(result.out)] == ["finished"] * 4
    assert {path: path.read_bytes() for path in done} == done


@pytest.mark.thorough
def test_an_interrupted_sweep_says_what_did_not_run(tmp_path, tiny):
    process = start(tmp_path, ("-m", *tiny, "training.iterations=1000000", "seed=0,1"), "out")
    for _ in range(600):
        if list(tmp_path.glob("out/train/*/*/seed=0/metrics.jsonl")):
            break
        time.sleep(0.1)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143 and "Traceback" not in err.decode()
    assert [row[2] for row in rows(out.decode())] == ["interrupted", "did"]
    (note,) = tmp_path.glob("out/sweep/train/*/jobs/0.json")
    assert json.loads(note.read_text())["message"] == "interrupted: stopped by SIGTERM"


@pytest.mark.thorough
def test_joblib_runs_the_jobs_in_other_processes(tmp_path, tiny):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    process = start(tmp_path, ("-m", *launcher, *tiny, "seed=0,1", "problem.eps=0.25,-1"), "out")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in err.decode()
    assert [row[3] for row in rows(out.decode())] == ["finished"] * 2 + ["failed"] * 2
