"""A stored network, built again from its run file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.config import Config, read_config
from hpms.errors import ConfigError
from hpms.experiment import Experiment, build, fine_problem, fingerprint
from hpms.measure import Measure, measure
from hpms.results.run import StoredRun
from hpms.size import check_size


@dataclass(frozen=True)
class Reloaded:
    """The experiment of a run, the parameters θ of one of its checkpoints, and what they are measured by."""

    built: Experiment
    theta: Array
    measured: Measure

    @property
    def block(self) -> int:
        return self.built.config.runtime.block_size()

    def fields(self) -> dict[str, np.ndarray]:
        """What a run file has in `fields`."""
        return self.measured.fields(self.built, self.theta, self.block)


def config_here(stored: StoredRun, reference: Mapping[str, Any] | None = None) -> Config:
    """The run's configuration on whatever device this machine has, with other values of `reference`."""
    anywhere = {"runtime": stored.values["runtime"] | {"platform": None}}
    return read_config(stored.values | anywhere | {"reference": stored.values["reference"] | dict(reference or {})})


def reload(stored: StoredRun, checkpoint: str, config: Config, programs: str | None = "auto") -> Reloaded:
    """The network of the checkpoint `best` or `latest`.

    **Arguments:** `config` from `config_here`, and where compiled `programs` are kept. Raises `UserError` where there
    is no such checkpoint, where it does not fit the network, or where K or q are not those of the run any more.
    """
    config.runtime.setup(programs)
    theta = jnp.asarray(stored.theta(checkpoint))
    problem = fine_problem(config)
    stored.check_medium(fingerprint(problem))
    check_size(config, problem)
    built = build(config, problem, stored.points, stored.fixed)
    if theta.shape != built.theta.shape:
        fits = f"{theta.size} parameters do not fit a network of {built.theta.size}"
        raise ConfigError("run", stored.path.parent, fits)
    return Reloaded(built, theta, measure(config, problem))
