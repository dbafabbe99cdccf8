import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from tests.cli.test_train import outcome, status, theta, without_times


def start(folder, arguments, output):
    command = [sys.executable, "-m", "hpms", "train", *arguments, f"output={output}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heard = lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)  # noqa: E731 (pytest under nohup hands on that it is not)
    return subprocess.Popen(command, cwd=folder, env=environment, preexec_fn=heard, **pipes)


def wait_for_iteration(folder, output, iteration):
    for _ in range(600):
        for path in (folder / output).glob("train/*/*/seed=0/metrics.jsonl"):
            lines = path.read_text().splitlines()
            if lines and f'"iteration": {iteration},' in "".join(lines):
                return path.parent / "run.h5"
        time.sleep(0.1)
    raise AssertionError("the run did not get there")


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_a_checkpoint(tmp_path, tiny, number):
    process = start(tmp_path, (*tiny, "training.iterations=1000000"), "out")
    path = wait_for_iteration(tmp_path, "out", 10)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert status(path) == "interrupted"
    assert "same command continues" in err.decode() and "Traceback" not in err.decode()
    assert out.decode().rstrip().endswith("run.h5")


@pytest.mark.slow
def test_ctrl_c_ends_a_sweep(tmp_path, tiny):
    process = start(tmp_path, ("-m", *tiny, "training.iterations=1000000", "seed=0,1,2"), "out")
    wait_for_iteration(tmp_path, "out", 10)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.decode().count("run.h5") == 1 and "Traceback" not in err.decode()


@pytest.mark.thorough
def test_a_killed_run_is_resumed_to_the_same_bits(tmp_path, tiny):
    arguments = (*tiny, "training.iterations=600", "training.log_every=50", "training.checkpoint_seconds=0")
    whole = start(tmp_path, arguments, "whole")
    killed = start(tmp_path, arguments, "killed")
    path = wait_for_iteration(tmp_path, "killed", 50)
    killed.kill()
    killed.communicate()
    with h5py.File(path) as file:
        saved = int(file["checkpoint/latest/iteration"][()])
        assert file["summary"].attrs["status"] == "running"
        assert list(file["metrics/iteration"]) == list(range(0, saved + 1, 50))
    last = start(tmp_path, arguments, "killed")
    _, errors = last.communicate(timeout=120)
    assert last.returncode == 0 and f"continues at iteration {saved}\n" in errors.decode()
    whole.communicate(timeout=120)
    (expected,) = (tmp_path / "whole").glob("train/*/*/seed=0/run.h5")
    assert status(path) == status(expected) == "finished"
    assert (theta(path) == theta(expected)).all()
    found, whole = (without_times(each) | outcome(each) for each in (path, expected))
    assert [name for name in whole if not np.array_equal(found[name], whole[name])] == []
