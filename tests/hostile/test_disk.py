"""A disk that is full or broken costs one sentence and nothing that was there."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hpms.errors import UserError
from hpms.machine import files
from hpms.results.run import StoredRun
from tests.cli.test_signals import start
from tests.cli.test_train import status, theta

FAULTS = [("fsync", errno.ENOSPC), ("fsync", errno.EIO), ("replace", errno.EIO)]


def broken(monkeypatch, function, number, after):
    """Lets a function of the system fail from its call `after` on."""
    calls, works = iter(range(10**9)), getattr(os, function)

    def fails(*arguments, **keys):
        if next(calls) >= after:
            raise OSError(number, os.strerror(number))
        return works(*arguments, **keys)

    monkeypatch.setattr(files.os, function, fails)


@pytest.mark.parametrize(("function", "number"), FAULTS)
def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch, function, number):
    files.replace(tmp_path / "a", b"old")
    broken(monkeypatch, function, number, after=0)
    with pytest.raises(UserError, match=f"a cannot be written .{os.strerror(number).lower()}"):
        files.replace(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.thorough
@pytest.mark.parametrize(("function", "number", "after"), [(*FAULTS[0], 0), (*FAULTS[1], 9), (*FAULTS[2], 4)])
def test_a_run_on_a_failing_disk_ends_in_one_sentence_and_goes_on_later(
    hpms, tiny, finished, monkeypatch, function, number, after
):
    arguments = ("train", *tiny, "training.checkpoint_seconds=0")
    whole = theta(finished)
    shutil.rmtree("outputs/train")
    with monkeypatch.context() as patch:
        broken(patch, function, number, after)
        code, _, err = hpms(*arguments)
    assert code == 1 and "Traceback" not in err
    assert err.splitlines()[-1].startswith("hpms train: outputs/") and os.strerror(number).lower() in err
    for path in Path("outputs").rglob("run.h5"):
        assert StoredRun(path.parent).status in ("running", "finished")
    assert not list(Path("outputs").rglob(".run.h5.*"))
    again = hpms(*arguments)
    assert again.code == 0 and (theta(again.last_line) == whole).all()


@pytest.mark.slow
@pytest.mark.parametrize("size", ["150k", "400k"])
def test_a_full_disk(tmp_path, tiny, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], stderr=subprocess.DEVNULL):
        pytest.skip("a file system can be mounted by root only")
    try:
        large = [key for key in tiny if not key.startswith("network.")]
        process = start(tmp_path, (*large, "training.checkpoint_seconds=0"), "disk/o")
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1 and "Traceback" not in err.decode(), err.decode()
        assert "no space left" in err.decode()
        shutil.copytree(disk / "o", tmp_path / "o")
    finally:
        subprocess.check_call(["umount", disk])
    process = start(tmp_path, (*large, "training.checkpoint_seconds=0"), "o")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert [status(path) for path in (tmp_path / "o").rglob("run.h5")] == ["finished"]
