"""Sweeps as jobs of a cluster: the same bits as one after another, through warnings and cancellations."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import TINY
from tests.cli.test_processes import assert_same_run
from tests.cli.test_signals import start, wait_for_iteration
from tests.cli.test_sweep import rows
from tests.cli.test_train import theta

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm")]
SLURM = ("-m", "hydra/launcher=slurm", "hydra.launcher.mem_gb=2", "hydra.launcher.cpus_per_task=1")


def slurm(*command: str) -> list[str]:
    return subprocess.check_output(command, text=True).split()


def sweep(folder: Path, arguments: tuple[str, ...], output: str):
    process = start(folder, arguments, output)
    out, err = process.communicate(timeout=240)
    return process.returncode, out.decode(), err.decode()


def states(folder: Path) -> dict[str, bytes]:
    """The parameters at the end of each run in `folder`, by the run's own folder."""
    return {f"{path.parent.relative_to(folder)}": theta(path).tobytes() for path in folder.glob("train/*/*/*/run.h5")}


def test_a_sweep_ends_in_the_bits_of_a_serial_one_and_names_the_failure(tmp_path):
    arguments = (*TINY, "seed=0,1", "optimizer.learning_rate=1e-3,-1")
    serial, *_ = sweep(tmp_path, ("-m", *arguments), "serial")
    code, out, err = sweep(tmp_path, (*SLURM, *arguments), "cluster")
    assert serial == code == 1 and "Traceback" not in err
    assert [row[3] for row in rows(out)] == ["finished", "failed"] * 2
    assert "job 1 (seed=0 optimizer.learning_rate=-1): optimizer.learning_rate=-1 is not allowed" in out
    assert len(states(tmp_path / "serial")) == 2
    assert states(tmp_path / "cluster") == states(tmp_path / "serial")


def test_a_warned_job_is_queued_again_and_ends_in_the_same_bits(tmp_path):
    arguments = (*TINY, "training.iterations=1500", "training.log_every=50")
    serial, *_ = sweep(tmp_path, arguments, "serial")
    process = start(tmp_path, (*SLURM, *arguments), "cluster")
    wait_for_iteration(tmp_path, "cluster", 200)
    (job,) = slurm("squeue", "-h", "-o", "%A")
    slurm("scancel", "--signal=USR2", job)
    out, err = process.communicate(timeout=240)
    assert serial == process.returncode == 0, err.decode()
    assert [row[1] for row in rows(out.decode())] == ["finished"]
    assert slurm("sacct", "-X", "-n", "-D", "-j", job, "-o", "State") == ["REQUEUED", "COMPLETED"]
    assert "continues at iteration" in next(tmp_path.glob("cluster/sweep/**/*_log.err")).read_text()
    assert states(tmp_path / "cluster") == states(tmp_path / "serial")


def test_a_cancelled_job_ends_the_sweep_with_an_error(tmp_path):
    process = start(tmp_path, (*SLURM, *TINY, "training.iterations=1000000"), "cluster")
    wait_for_iteration(tmp_path, "cluster", 10)
    slurm("scancel", *slurm("squeue", "-h", "-o", "%A"))
    out, err = process.communicate(timeout=240)
    assert process.returncode not in (0, None) and "Traceback" not in err.decode()
    assert "0 of 1 jobs ended well" in out.decode()


def test_the_tasks_of_a_step_train_one_run_together(tmp_path):
    arguments = (*TINY, "runtime.precision=float64")
    alone, *_ = sweep(tmp_path, arguments, "alone")
    command = ["srun", "-n", "2", "-c", "1", "--mem=2G", sys.executable, "-m", "hpms", "train", *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    step = subprocess.run(
        [*command, "output=together", "runtime.distributed=true"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert alone == step.returncode == 0, step.stderr
    assert step.stdout.count("run.h5") == 1
    (found,), (expected,) = ((tmp_path / name).rglob("run.h5") for name in ("together", "alone"))
    assert_same_run(found, expected)


def test_a_sweep_of_runs_that_may_be_distributed_is_as_before(tmp_path):
    arguments = (*TINY, "runtime.distributed=true")
    code, out, err = sweep(tmp_path, (*SLURM, *arguments), "cluster")
    assert code == 0 and "Traceback" not in err
    assert [row[1] for row in rows(out)] == ["finished"]
