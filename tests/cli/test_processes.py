"""Two processes of one CPU device each, which find each other by the environment, against one process."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.cli.conftest import with_perceptron
from tests.cli.test_signals import wait_for_iteration
from tests.cli.test_train import status, without_times


def start(folder, arguments, output):
    """Two processes that write one run."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "hpms", "train", *arguments, f"output={output}", "runtime.distributed=true"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    environment |= {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return [
        subprocess.Popen(command, cwd=folder, env=environment | {"JAX_PROCESS_ID": str(rank)}, **pipes)
        for rank in range(2)
    ]


def ended(pair):
    """Exit codes, and what the processes said on standard output and standard error."""
    said = [process.communicate(timeout=240) for process in pair]
    return [process.returncode for process in pair], [out for out, _ in said], [err for _, err in said]


def assert_same_run(found, expected, rtol=1e-12):
    with h5py.File(found) as file:
        assert file[f"provenance/{len(file['provenance']) - 1}"].attrs["devices"] == 2
    logged = without_times(found)
    for name, column in without_times(expected).items():
        np.testing.assert_allclose(logged[name], column, rtol=rtol, atol=1e-13, err_msg=name)


LEAST_SQUARES = ("optimizer=gauss_newton", "balancing=none", "training.iterations=4", "training.log_every=2")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("more", "rtol"),
    [((), 1e-12), pytest.param(LEAST_SQUARES, 1e-9, marks=pytest.mark.slow)],  # the normal equations' condition
    ids=["adam", "least_squares"],
)
def test_two_processes_go_on_and_end_where_one_does(hpms, tiny, tmp_path, more, rtol):
    small = with_perceptron(a for a in tiny if not a.startswith("balancing."))
    exact = (*small, "runtime.precision=float64", *more)
    expected = Path(hpms("train", *exact, "output=one").last_line)
    codes, _, errors = ended(start(tmp_path, (*exact, "training.wall_limit=1e-9"), "two"))
    assert codes == [0, 0], errors
    (found,) = (tmp_path / "two").rglob("run.h5")
    assert status(found) == "interrupted"
    codes, out, errors = ended(start(tmp_path, exact, "two"))
    assert codes == [0, 0] and status(found) == "finished", errors
    assert out[0].rstrip().endswith("run.h5") and "continues at iteration" in errors[0]
    assert "hpms" not in out[1] and "continues" not in errors[1]
    assert sorted(path.name for path in found.parent.iterdir()) == [".lock", "metrics.jsonl", "run.h5"]
    assert found.relative_to(tmp_path / "two") == expected.relative_to("one")
    assert_same_run(found, expected, rtol)


@pytest.mark.slow
def test_a_signal_to_the_first_ends_both(tmp_path, tiny):
    pair = start(tmp_path, (*tiny, "training.iterations=1000000"), "out")
    path = wait_for_iteration(tmp_path, "out", 10)
    pair[0].send_signal(signal.SIGTERM)
    codes, _, errors = ended(pair)
    assert codes == [128 + signal.SIGTERM, 0], errors
    assert status(path) == "interrupted"


@pytest.mark.slow
def test_a_mistake_that_the_first_alone_sees_ends_both(tmp_path, tiny):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").touch()
    codes, _, errors = ended(start(tmp_path, (*tiny, "run_dir=taken"), "out"))
    assert codes == [1, 1]
    assert all("run_dir=taken is not allowed: it holds other files" in error for error in errors)
