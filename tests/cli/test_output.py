"""What is said while a run goes on, and what becomes of it where nobody listens."""

import logging
import signal
import subprocess
import sys

import pytest

from hpms.results import progress
from tests.cli.test_signals import start, wait_for_iteration
from tests.cli.test_train import status


@pytest.fixture(autouse=True)
def levels():
    """Hydra sets them for the process."""
    loggers = [logging.getLogger(), logging.getLogger("hpms")]
    before = [each.level for each in loggers]
    yield
    for each, level in zip(loggers, before, strict=True):
        each.setLevel(level)


def test_without_a_terminal_a_line_says_how_far_a_run_is(hpms, tiny, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS", 0.0)
    monkeypatch.setattr("hpms.training.loop._RESPONSE_SECONDS", 0)
    err = hpms("train", *tiny).err
    assert err.startswith(
        "-∇·(K∇w) = q in (0,1), eps = 0.25, K = 2 + sin(2*pi*x1/eps), q = -3*(2*x1 - 1)\nw = x1 on the b"
    )
    assert "\nnetwork=ms_pinn has P = 161 parameters\n" in err
    assert "compiling" in err
    (line,) = [line for line in err.splitlines() if line.startswith("iteration 12 of 20")]
    assert "residual" in line and "L² error" in line and line.endswith("it/s")


def test_how_much_is_said(hpms, tiny):
    quiet = hpms("train", *tiny, "--quiet")
    assert quiet.code == 0 and not quiet.err and quiet.out.count("\n") == 1
    verbose = hpms("train", "-v", *tiny, "seed=1")
    said = {line.split()[1] for line in verbose.err.splitlines() if line.startswith("iteration")}
    assert said >= {"0", "5", "10", "15", "20"}  # and what was at work when a few seconds were over


@pytest.mark.thorough
def test_a_lost_terminal_ends_a_run_with_a_checkpoint_and_a_full_disk_behind_it_breaks_nothing(tmp_path, tiny):
    process = start(tmp_path, (*tiny, "training.iterations=1000000"), "out")
    path = wait_for_iteration(tmp_path, "out", 10)
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGHUP and "same command continues" in err.decode()
    assert status(path) == "interrupted"


@pytest.mark.thorough
def test_two_ctrl_c_say_what_stays(tmp_path, tiny):
    process = start(tmp_path, (*tiny, "training.iterations=1000000"), "out")
    wait_for_iteration(tmp_path, "out", 10)
    for _ in range(20):
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)  # the same to a shell: the last came while Python ended
    assert "same command" in err.decode() and "Traceback" not in err.decode()


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_a_reader_that_has_read_enough_is_no_error(arguments, tmp_path):
    command = [sys.executable, "-m", "hpms", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_what_was_computed_stands_although_standard_output_is_full(finished, tiny, tmp_path):
    command = [sys.executable, "-m", "hpms", "train", *tiny]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, text=True)
    assert done.returncode == 0 and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert status(finished) == "finished"
