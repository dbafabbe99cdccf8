"""Several processes that train together: which one writes, and what all of them agree on.

All do the same with the same numbers. The first alone writes files, holds locks and speaks; what a clock, a signal or a
directory says is what it says there.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from hpms.errors import ConfigError, UserError

T = TypeVar("T")
_ADDRESS, _NUMBER, _RANK = "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"
_TASKS, _TASK = "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"


def join() -> None:
    """Meets the other processes of a SLURM step, or those that the environment names; a lone task stays alone.

    Raises `ConfigError` where there is neither.
    """
    if jax.distributed.is_initialized():
        return
    try:
        if _ADDRESS in os.environ:
            count, rank = int(os.environ[_NUMBER]), int(os.environ[_RANK])
        else:
            count, rank = int(os.environ[_TASKS]), int(os.environ[_TASK])
    except (KeyError, ValueError):
        allowed = f"start it by `srun -n N hpms train ...`, or give {_ADDRESS}, {_NUMBER} and {_RANK}"
        raise ConfigError("runtime.distributed", "true", allowed) from None
    if count > 1:
        method = "deactivate" if _ADDRESS in os.environ else "slurm"
        jax.distributed.initialize(
            num_processes=count, process_id=rank, local_device_ids=_lone_gpu(), cluster_detection_method=method
        )


def _lone_gpu() -> list[int] | None:
    """The one GPU that a process sees where the scheduler has given each its own; else it is numbered by its task."""
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    return [0] if len(visible) == 1 else None


def is_first() -> bool:
    """Whether this process writes and speaks."""
    return jax.process_index() == 0


def decided(function: Callable[[], T]) -> T:
    """What `function` gives in the first process, in all; it has to be JSON. What it raises is a `UserError` in the
    others.
    """
    if jax.process_count() == 1:
        return function()
    answer: Mapping[str, object] = {}
    broken: Exception | None = None
    if is_first():
        try:
            answer = {"value": function()}
        except Exception as error:
            answer, broken = {"error": str(error)}, error
    told = json.loads(_broadcast(json.dumps(answer)))
    if broken is not None:
        raise broken
    if "error" in told:
        raise UserError(told["error"])
    return told["value"]


def agree(what: str, value: object) -> None:
    """Raises `UserError` in all processes where they do not have the same value of `what`."""
    if jax.process_count() > 1:
        mark = np.array(zlib.crc32(repr(value).encode()))
        if len(np.unique(multihost_utils.process_allgather(mark))) > 1:
            raise UserError(f"the processes of this run differ in {what}: they need one folder that all of them see.")


@contextmanager
def in_turn() -> Iterator[None]:
    """The first process does what is in the block, then the others: they find in files what it has left there."""
    if not is_first():
        decided(lambda: None)
    try:
        yield
    except Exception as error:
        sentence = str(error)
        if is_first() and jax.process_count() > 1:
            with suppress(UserError):
                decided(lambda: _raise(sentence))
        raise
    if jax.process_count() > 1 and is_first():
        decided(lambda: None)


def _raise(sentence: str) -> None:
    raise UserError(sentence)


def _broadcast(text: str) -> str:
    """The text of the first process."""
    data = np.frombuffer(text.encode(), np.uint8)
    size = int(multihost_utils.broadcast_one_to_all(np.array(len(data))))
    padded = np.zeros(size, np.uint8)
    padded[: min(size, len(data))] = data[:size]
    return np.asarray(multihost_utils.broadcast_one_to_all(padded)).astype(np.uint8).tobytes().decode()
