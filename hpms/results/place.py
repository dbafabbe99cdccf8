"""Where a run lies: the same command finds the same directory, and no run is ever written over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpms.cli.invocation import TrainInvocation
from hpms.config.config import Config, experiment_directory, is_identity
from hpms.errors import ConfigError, UserError
from hpms.machine.files import temporaries
from hpms.results.metrics import LOG
from hpms.results.run import FILE, StoredRun
from hpms.training.session import FINISHED

_OURS = {".lock", LOG}


def run_directory(config: Config, invocation: TrainInvocation, experiment: str) -> Path:
    """`run_dir` if given, else the latest attempt at OUTPUT/train/EXPERIMENT/HASH/seed=N, or a new one.

    A new one is made for `force=true`, and for `resume=false` where the latest attempt is unfinished. Raises
    `UserError` for a `run_dir` that holds another configuration or other files.
    """
    if invocation.run_dir is not None:
        return given(Path(invocation.run_dir), config, invocation.force, invocation.resume)
    attempts = list(_attempts(experiment_directory(config, invocation.output, "train", experiment), config.seed))
    latest, new = attempts[-2:] if len(attempts) > 1 else (attempts[0], attempts[0])
    if invocation.force:
        return new
    if not invocation.resume and (latest / FILE).exists() and StoredRun(latest).status != FINISHED:
        return new
    return latest


def begun_directories(config: Config, invocation: TrainInvocation, experiment: str) -> list[Path]:
    """Where runs of this configuration may lie that started from some other run."""
    if invocation.run_dir is not None:
        return [Path(invocation.run_dir)]
    place = experiment_directory(config, invocation.output, "train", experiment)
    return sorted(place.parent.glob(f"{place.name}-*/seed={config.seed}*"))


def _attempts(parent: Path, seed: int) -> Iterator[Path]:
    """The attempts there are, and behind them the first that is free."""
    attempt, count = parent / f"seed={seed}", 1
    while attempt.exists():
        yield attempt
        count += 1
        attempt = parent / f"seed={seed}-{count}"
    yield attempt


def given(directory: Path, config: Config, force: bool = False, resume: bool = True) -> Path:
    """A directory that was named, if the run of this configuration may lie there.

    Raises `UserError` where it holds another configuration, other files, or a run that is not to be gone on with.
    """
    if not directory.exists():
        return directory
    if not directory.is_dir():
        raise ConfigError("run_dir", directory, "it is a file; give a folder")
    if (directory / FILE).exists():
        stored = StoredRun(directory)
        if stored.identity != config.identity() or stored.values["seed"] != config.seed:
            difference = _difference(config.plain(), stored.values) or _otherwise(stored, config)
            raise UserError(f"run_dir={directory} belongs to another configuration: {difference}.")
        if force or (not resume and stored.status != FINISHED):
            raise UserError(f"run_dir={directory} holds a run already: give a new folder to start anew.")
    elif {f.name for f in directory.iterdir()} - {f.name for f in temporaries(directory)} - _OURS:
        raise ConfigError("run_dir", directory, f"it holds other files and no {FILE}; give a new or an empty folder")
    return directory


def _otherwise(stored: StoredRun, config: Config) -> str:
    """What differs where no key of the groups does."""
    has_start = stored.parent is not None or config.start is not None
    return "it has another start (init_from)" if has_start else "its keys differ"


def _difference(here: dict[str, Any], there: dict[str, Any]) -> str:
    """The first key whose value differs, "" where none does."""
    for group, values in here.items():
        other = there.get(group)
        if not isinstance(values, dict) or not isinstance(other, dict):
            if values != other:
                return f"{group}={other} there, {group}={values} here"
            continue
        for key in sorted({*values, *other}):
            if is_identity(group, key) and values.get(key) != other.get(key):
                return f"{group}.{key}={other.get(key)} there, {group}.{key}={values.get(key)} here"
    return ""
