"""Four CPU devices against one. `devices_worker.py` has the four, as JAX counts devices once in a process."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from hpms.machine import devices
from tests.cli import devices_worker


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """The folder that the worker fills, and the worker, which meanwhile is at work."""
    folder = tmp_path_factory.mktemp("spread")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-m", "tests.cli.devices_worker", str(folder)]
    return folder, subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def waited(spread):
    folder, worker = spread
    _, err = worker.communicate() if worker.returncode is None else (b"", b"")
    assert worker.returncode == 0, err.decode()
    return folder


@pytest.mark.thorough
def test_blocks_on_four_devices_give_what_one_device_gives(spread):
    expected = devices_worker.numbers(16)
    found = np.load(waited(spread) / "numbers.npz")
    assert devices.count() == 1 and sorted(found) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12 * np.abs(value).max(), err_msg=name)


@pytest.mark.thorough
@pytest.mark.parametrize("name", devices_worker.RUNS)
def test_a_run_on_several_devices_is_that_on_one(spread, hpms, name):
    count, arguments = devices_worker.RUNS[name]
    assert hpms("train", *arguments, "output=one").code == 0
    several, one = (sorted(Path(folder).rglob("run.h5")) for folder in (waited(spread) / name, "one"))
    assert [path.parts[-4:] for path in several] == [path.parts[-4:] for path in one] != []
    for there, here in zip(several, one, strict=True):
        with h5py.File(there) as a, h5py.File(here) as b:
            assert (a["provenance/0"].attrs["devices"], b["provenance/0"].attrs["devices"]) == (count, 1)
            compared = [f"metrics/{key}" for key in b["metrics"] if not key.endswith("_seconds")]
            compared += ["checkpoint/latest/theta", *(f"fields/{key}" for key in b["fields"])]
            for key in compared:
                scale = np.abs(np.asarray(b[key])).max()
                np.testing.assert_allclose(a[key], b[key], rtol=1e-12, atol=1e-12 * scale, err_msg=key)


def test_more_devices_than_there_are_are_refused_in_one_sentence(hpms, tiny):
    code, _, err = hpms("train", *tiny, "runtime.devices=3")
    assert code == 1
    assert err == "hpms train: runtime.devices=3 is not allowed: JAX has 1 cpu device in this process.\n"


def test_processes_that_nobody_has_started_are_refused_in_one_sentence(hpms, tiny):
    code, _, err = hpms("train", *tiny, "runtime.distributed=true")
    assert code == 1 and err.count("\n") == 1
    assert err.startswith("hpms train: runtime.distributed=true is not allowed: start it by `srun -n N hpms train")
