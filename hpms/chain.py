"""A chain of a sweep: along one key each job starts from the run of the one before.

Jobs are numbered with that key outermost, and the sweeper launches its values one after the other, each with all other
keys' values at a time: so whatever launches them, a parent has ended before its child begins.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.types import RunMode
from omegaconf import DictConfig, read_write

from hpms.errors import ConfigError, UserError
from hpms.job import Job

_BESIDE = "seed"  # what may be swept beside the key of a chain


def link(hydra: DictConfig, overrides: Sequence[str], values: Mapping[str, Sequence[str]]) -> list[str]:
    """The overrides with the key of the chain in front, as Hydra gets them, too; `values` are those of each key.

    Raises `UserError` where it is not one key beside the seed that has several values.
    """
    swept = [key for key, each in values.items() if len(each) > 1 and key != _BESIDE]
    if len(swept) != 1:
        found = f"{' and '.join(swept)} have several" if swept else "none has several"
        allowed = f"it goes along the values of one key beside the seed, such as problem.eps=0.2,0.1, and {found}"
        raise ConfigError("chain", "true", allowed)
    (key,) = swept
    ordered = sorted(overrides, key=lambda override: override.partition("=")[0] != key)
    step = math.prod(len(each) for other, each in values.items() if other != key)
    with read_write(hydra):
        hydra.sweeper.params, hydra.sweeper.max_batch_size = {}, step
        hydra.overrides.task = ordered
        hydra.overrides.hydra.append(f"hydra.sweeper.max_batch_size={step}")  # jobs are composed from these
    return ordered


def origin(hydra: Any) -> str | None:
    """The folder of the run that this job starts from, None of a chain's first job.

    Raises `UserError` where there is no sweep, or that run is not finished.
    """
    step = hydra.sweeper.get("max_batch_size")
    if hydra.mode != RunMode.MULTIRUN or step is None:
        allowed = "it links the jobs of a sweep: add -m and several values of a key, such as problem.eps=0.2,0.1"
        raise ConfigError("chain", "true", allowed)
    number = hydra.job.num - step
    if number < 0:
        return None
    before = Job.read(Path(hydra.sweep.dir), number)
    if before is None or not _is_finished(before):
        raise UserError(f"this job starts from the run of job {number}, which is not finished.")
    return str(Path(before.paths[0]).parent)


def _is_finished(job: Job) -> bool:
    from hpms.results.run import StoredRun
    from hpms.training.session import FINISHED

    return job.code == 0 and bool(job.paths) and StoredRun.at(job.paths[0]).status == FINISHED
