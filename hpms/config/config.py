"""From a composed configuration to typed options, with the checks that need more than one key."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpms.config import aliases
from hpms.config.choices import EXAMPLES, not_chosen
from hpms.config.registry import option
from hpms.config.schema import Folder, read
from hpms.errors import ConfigError, UserError
from hpms.options.balancing import BalancingOptions
from hpms.options.boundary import BoundaryOptions
from hpms.options.coarse import CoarseOptions
from hpms.options.coefficient import CoefficientOptions
from hpms.options.collocation import CollocationOptions
from hpms.options.coupling import CouplingOptions
from hpms.options.law import LawOptions
from hpms.options.network import NetworkOptions
from hpms.options.optimizer import OptimizerOptions
from hpms.options.problem import ProblemOptions
from hpms.options.reference import ReferenceOptions
from hpms.options.runtime import RuntimeOptions
from hpms.options.source import SourceOptions
from hpms.options.training import TrainingOptions
from hpms.options.upscaling import UpscalingOptions

if TYPE_CHECKING:
    from hpms.fem.p1 import P1Space

GROUPS = (
    "problem",
    "coefficient",
    "source",
    "law",
    "network",
    "boundary",
    "collocation",
    "coarse",
    "upscaling",
    "coupling",
    "balancing",
    "optimizer",
    "training",
    "reference",
    "runtime",
)
_NOT_IDENTITY = {("training", "wall_limit"), ("training", "checkpoint_seconds"), ("runtime", "platform")}
_NOT_IDENTITY |= {("reference", "cache"), ("runtime", "devices"), ("runtime", "distributed")}
_NOT_IDENTITY |= {("training", "bound_points")}


def is_identity(group: str, key: str) -> bool:
    """Whether a key changes what is computed, and not only where, when or how long."""
    return (group, key) not in _NOT_IDENTITY


@dataclass(frozen=True)
class Config:
    """One experiment: the options of every group of `GROUPS`, the seed, the options' names, the values that it was
    `read` from, the run whose parameters are the start where there is one, and a digest of these once they are known.
    """

    problem: ProblemOptions
    coefficient: CoefficientOptions
    source: SourceOptions
    law: LawOptions
    network: NetworkOptions
    boundary: BoundaryOptions
    collocation: CollocationOptions
    coarse: CoarseOptions
    upscaling: UpscalingOptions
    coupling: CouplingOptions
    balancing: BalancingOptions
    optimizer: OptimizerOptions
    training: TrainingOptions
    reference: ReferenceOptions
    runtime: RuntimeOptions
    seed: int
    names: Mapping[str, str]
    values: Mapping[str, Any] = field(compare=False, repr=False)
    init_from: str | None = None
    start: str | None = None

    @property
    def outputs(self) -> int:
        """Those of the network: the components of w, of each lifted problem."""
        return self.upscaling.lifts(self.problem.dim) * self.law.components(self.problem.dim)

    def coarse_space(self) -> "P1Space":
        """The coarse space, whose elements each lie in one cell of the upscaling."""
        return self.coarse.build(self.problem.dim, self.upscaling.multiple(self.problem.dim))

    def plain(self) -> dict[str, Any]:
        """Plain values that `read_config` turns into an equal `Config`."""
        groups = {g: {"name": self.names[g], **dataclasses.asdict(getattr(self, g))} for g in GROUPS}
        return json.loads(json.dumps({**groups, "seed": self.seed}))

    def solved(self) -> "Config":
        """Without what no fine solution depends on: a weight in the loss, and where a medium was read from."""
        return dataclasses.replace(self, problem=self.problem.untrained(), coefficient=self.coefficient.unplaced())

    def identity(self, *groups: str) -> str:
        """A hash of what determines the results: all groups (or those given), not the seed, nor where and how long.

        Behind that of all groups stands the digest of the start, if there is one.
        """
        training = self.training
        unasked = {key for key in ("bound_every", "accuracy") if getattr(training, key) is None}
        asked = set() if training.accuracy is None else {"bound_points"}
        plain = {
            group: {
                k: v
                for k, v in self.plain()[group].items()
                if k in asked or (is_identity(group, k) and k not in unasked)
            }
            for group in groups or GROUPS
            if group != "law" or not self.law.is_the_papers
        }
        plain = {group: aliases.hashed(group, values) for group, values in plain.items()}
        found = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
        return f"{found}-{self.start}" if self.start and not groups else found


@dataclass(frozen=True)
class _Alone:
    seed: int
    init_from: Folder | None


def read_config(values: Mapping[str, Any]) -> Config:
    """The typed configuration from the groups and the seed in `values`.

    Raises `UserError` for unknown keys and options, wrong types, numbers out of range and contradictions.
    """
    for group in GROUPS:
        if not isinstance(values.get(group), Mapping) or (group in EXAMPLES and "name" not in values[group]):
            raise not_chosen(group)
    names = {group: values[group].get("name") for group in GROUPS}
    stated = values["problem"]
    known = {"dim": stated["dim"]} if type(stated.get("dim")) is int else {}
    found: dict[str, Any] = {"problem": read(option("problem", names["problem"]), stated, "problem", known)}
    names["upscaling"] = found["problem"].upscaling(names["upscaling"], option("law", names["law"]).upscaling)
    schemas = {group: option(group, names[group]) for group in GROUPS}
    variables = {"eps": found["problem"].eps, "dim": found["problem"].dim}
    for group in GROUPS[1:]:
        found[group] = read(schemas[group], values[group], group, variables)
    for group in ("coefficient", "network"):
        found[group] = found[group].in_dimensions(found["problem"].dim)
    alone = read(_Alone, {"seed": values.get("seed", 0), "init_from": values.get("init_from")}, "")
    if getattr(found["optimizer"], "learning_rate", 0.0) is None:
        rate = getattr(found["network"], "learning_rate", None)
        if rate is None:
            raise UserError(f"optimizer.learning_rate has no value, and network={names['network']} names none.")
        found["optimizer"] = dataclasses.replace(found["optimizer"], learning_rate=rate)
    config = Config(**found, seed=alone.seed, names=names, values=values, init_from=alone.init_from)
    _cross_checks(config)
    return config


def _cross_checks(config: Config) -> None:
    if not 0 <= config.seed < 2**32:
        raise ConfigError("seed", config.seed, "it must be between 0 and 2**32 - 1")
    for group in GROUPS:
        getattr(config, group).check(config)


def experiment_directory(config: Config, root: str, verb: str, experiment: str) -> Path:
    """`root/verb/experiment/hash`: the same configuration always maps to the same place."""
    return Path(root) / verb / experiment / config.identity()
