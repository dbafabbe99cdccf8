"""A run that is killed again and again ends in the same bits; a run file that was cut or changed is never taken."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpms.errors import UserError
from hpms.results.run import StoredRun
from tests.cli.test_train import theta

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("HPMS_KILLS", 1000))
PROGRAM = """
import os, sys
import hpms.cli.app, hpms.commands.train, hydra, jax, equinox, optax, skfem, scipy.sparse.linalg
from hpms.cli import main as cli
for line in sys.stdin:  # a fork has all imports, and JAX has not begun yet
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        sys.argv = ["hpms", *line.split()]
        cli.main()
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forks(contextlib.ExitStack):
    """Runs of `hpms` without the seconds that its imports take."""

    def __init__(self, folder: Path):
        super().__init__()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        server = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=folder, env=environment, **pipes)
        self.server = self.enter_context(server)

    def run(self, arguments, seconds=None) -> int:
        self.server.stdin.write(" ".join(arguments) + "\n")
        self.server.stdin.flush()
        child = int(self.server.stdout.readline())
        if seconds is not None:
            time.sleep(seconds)
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                os.kill(child, signal.SIGKILL)
        return int(self.server.stdout.readline())


def test_kills_at_random_moments(tmp_path, tiny):
    """One run after the other, killed at moments that are uniform over its length until it ends."""
    arguments = ("train", *tiny, "training.iterations=400", "training.log_every=20", "training.checkpoint_seconds=0")
    kills, ended, moments = 0, 0, random.Random(0)
    with Forks(tmp_path) as forks:
        assert forks.run((*arguments, "output=whole")) == 0
        begun = time.monotonic()
        assert forks.run((*arguments, "output=timed")) == 0
        length = time.monotonic() - begun
        (whole,) = tmp_path.glob("whole/**/run.h5")
        while kills < KILLS:
            code = forks.run((*arguments, "output=killed"), moments.uniform(0, 1.1 * length))
            assert code in (0, -signal.SIGKILL)
            kills += code == -signal.SIGKILL
            for path in list(tmp_path.glob("killed/**/run.h5")):
                assert StoredRun(path.parent).status in ("running", "finished")
                if StoredRun(path.parent).status == "finished":
                    assert (theta(path) == theta(whole)).all() and not list(path.parent.glob(".*.tmp"))
                    shutil.rmtree(tmp_path / "killed")
                    ended += 1
            if kills % 50 == 0:
                print(f"{kills} kills, {ended} runs ended in the bits of an undisturbed one", flush=True)
    assert ended > 0


def test_cuts_and_flips(stored):
    path = stored / "run.h5"
    whole, chance = path.read_bytes(), random.Random(0)
    for i in range(200):
        data = bytearray(whole)
        if i % 2:
            del data[chance.randrange(len(data)) :]
        else:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"run\.h5"):
            StoredRun(stored)
