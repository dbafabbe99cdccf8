"""A stored network, built again from its run file."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from hpms.cli.compose import composed
from hpms.config.config import Config, read_config
from hpms.config.registry import option
from hpms.errors import ConfigError
from hpms.experiment import build, fine_problem
from hpms.results.run import StoredRun
from hpms.size import check_size
from hpms.solution import Solution
from hpms.study.measure import measure

_CACHE = "outputs/reference/cache"


def config_here(stored: StoredRun, reference: Mapping[str, Any] | None = None) -> Config:
    """The run's configuration on whatever device this machine has, with other values of `reference`.

    Where references are kept is never the file's to say: in the usual place, unless `reference` names another.
    """
    runtime = stored.values["runtime"] | {"platform": None}
    coefficient = stored.values["coefficient"]
    coefficient = option("coefficient", coefficient["name"]).recalled(coefficient, stored.medium)  # type: ignore[attr-defined]
    problem = stored.values["problem"]
    problem = option("problem", problem["name"]).recalled(problem, stored.medium)  # type: ignore[attr-defined]
    given, found = dict(reference or {}), stored.values["reference"]
    if found["name"] == "none" and given.keys() - {"cache"}:
        found = composed("train", "coupling=none")["reference"]
    if found["name"] != "none":
        found = found | {"cache": _CACHE} | given
    return read_config(
        stored.values | {"runtime": runtime, "reference": found, "coefficient": coefficient, "problem": problem}
    )


def reload(stored: StoredRun, checkpoint: str, config: Config) -> Solution:
    """The network of the checkpoint `best` or `latest`.

    `config` comes from `config_here`, and JAX's flags are those of it. Raises `UserError` where there
    is no such checkpoint, where it does not fit the network, or where K or q are not those of the run any more.
    """
    found, iteration = stored.checkpoint(checkpoint)
    problem = fine_problem(config)
    stored.check_medium(problem)
    check_size(config, problem)
    built = build(config, problem, stored.points, stored.fixed)
    if found.shape != built.theta.shape or found.dtype != built.theta.dtype:
        fits = (
            f"{found.size} parameters ({found.dtype}) do not fit a network of {built.theta.size} ({built.theta.dtype})"
        )
        raise ConfigError("run", stored.path.parent, fits)
    measured, history = measure(config, problem), stored.history()
    return Solution(built, jnp.asarray(found), iteration, measured, history, stored.status)
