"""The command line, called in this process and in an empty folder."""

import sys
from typing import NamedTuple

import jax
import pytest
from hydra._internal.hydra import Hydra

from hpms.cli import main as cli

TINY = (
    "+experiment=osc1d",
    "problem.eps=0.25",
    "network.width=8",
    "network.features=4",
    "collocation.interior=200",
    "coarse.h=0.1",
    "training.iterations=20",
    "training.log_every=5",
    "coupling.interval=10",
    "balancing.interval=10",
    "reference.fem_h=0.02",
)


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.rstrip().splitlines()[-1]


@pytest.fixture
def hpms(monkeypatch, tmp_path, capsys):
    """`hpms("train", "key=value", ...)` -> exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(Hydra, "get_mode", lambda *_, **__: None)  # it composes all once more, only to ask for its mode
    promotion = jax.config.jax_numpy_dtype_promotion

    def call(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["hpms", *arguments])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code
            if isinstance(code, str):
                print(code, file=sys.stderr)
                code = 1
        return Result(code or 0, *capsys.readouterr())

    yield call
    jax.config.update("jax_numpy_dtype_promotion", promotion)


@pytest.fixture
def tiny():
    """A run of two seconds."""
    return TINY
