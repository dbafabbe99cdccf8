"""The command line, called in this process and in an empty folder."""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import pytest
from hydra._internal import defaults_list
from hydra._internal.hydra import Hydra
from jax.experimental.compilation_cache import compilation_cache

from hpms.cli import main as cli
from hpms.config import registry

TINY = (
    "+experiment=osc1d",
    "problem.eps=0.25",
    "network.width=8",
    "network.features=4",
    "collocation.interior_points=200",
    "coarse.h=0.1",
    "training.iterations=20",
    "training.log_every=5",
    "training.bound_points=0",
    "coupling.interval=10",
    "balancing.interval=10",
    "reference.baseline_h=0.02",
)


PLUGINS = Path(__file__).resolve().parents[2] / "examples/plugins"

PLANE = (  # four steps in two dimensions
    "network=mlp",
    "network.width=6",
    "network.depth=2",
    "boundary=hard",
    "collocation.interior_points=100",
    "collocation.boundary_points=40",
    "training.iterations=4",
    "training.log_every=2",
    "training.bound_points=0",
    "problem.dim=2",
    "problem.eps=0.5",
    "reference.baseline_h=0.1",
    "reference.h=0.1",
)


def with_perceptron(arguments):
    """A command with the network that compiles soonest, where it does not matter which."""
    rest = (argument for argument in arguments if not argument.startswith("network."))
    return (*rest, "network=mlp", "network.width=8", "network.depth=1")


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.rstrip().splitlines()[-1]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def trained_once(hpms, tiny, kept, tmp_path):
    """`trained_once(train)` -> the folder of the runs that `train(hpms, tiny)` made for the first test of a module."""

    def runs(train):
        if not any(kept.iterdir()):
            train(hpms, tiny)
            shutil.copytree(tmp_path / "outputs/train", kept / "train")
        else:
            shutil.copytree(kept / "train", tmp_path / "outputs/train")
        return Path("outputs/train/osc1d")

    return runs


choices = defaults_list._create_interpolation_map


def where_asked_for(overrides, defaults, self_added):
    """Hydra makes a configuration of all choices for each file that it reads, and few have defaults that ask for it."""
    return choices(overrides, defaults, self_added) if any(each.is_interpolation() for each in defaults) else None


@pytest.fixture
def hpms(monkeypatch, tmp_path, capsys):
    """`hpms("train", "key=value", ...)` -> exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(Hydra, "get_mode", lambda *_, **__: None)  # it composes all once more, only to ask for its mode
    monkeypatch.setattr(defaults_list, "_create_interpolation_map", where_asked_for)
    promotion, folder = jax.config.jax_numpy_dtype_promotion, jax.config.jax_compilation_cache_dir

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
    if jax.config.jax_compilation_cache_dir != folder:
        jax.config.update("jax_compilation_cache_dir", folder)
        compilation_cache.reset_cache()


@pytest.fixture
def plugins(monkeypatch, tmp_path):
    """examples/plugins in the working directory, as if this process had imported nothing of it yet."""
    shutil.copytree(PLUGINS, tmp_path, dirs_exist_ok=True)
    registry.options("problem")
    ours = {group: dict(known) for group, known in registry._options.items()}
    monkeypatch.setattr(registry, "_options", ours)
    monkeypatch.setattr(registry, "_plugins", set())
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for path in PLUGINS.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def tiny():
    """A run of two seconds."""
    return TINY


@pytest.fixture(scope="session")
def one_run(tmp_path_factory):
    return tmp_path_factory.mktemp("one_run")


@pytest.fixture
def finished(hpms, tiny, one_run, tmp_path):
    """The file of a run of `tiny`, which was trained once and stands in the working directory as if it were here."""
    if not any(one_run.iterdir()):
        result = hpms("train", *tiny)
        assert result.code == 0, result.err
        shutil.copytree(tmp_path / "outputs", one_run / "outputs")
    else:
        shutil.copytree(one_run / "outputs", tmp_path / "outputs")
    (path,) = Path("outputs/train").rglob("run.h5")
    return path
