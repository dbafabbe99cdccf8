"""From a composed configuration to typed options, with the checks that need more than one key."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hpms.errors import ConfigError, UserError
from hpms.registry import load_plugins, option
from hpms.schema import Count, Folder, read, unknown_key

GROUPS = (
    "problem",
    "coefficient",
    "source",
    "network",
    "boundary",
    "collocation",
    "coarse",
    "coupling",
    "balancing",
    "optimizer",
    "training",
    "reference",
    "runtime",
)
_NOT_IDENTITY = {("training", "wall_limit"), ("training", "checkpoint_seconds"), ("runtime", "platform")}
_NOT_IDENTITY |= {("reference", "cache")}


def is_identity(group: str, key: str) -> bool:
    """Whether a key changes what is computed, and not only where, when or how long."""
    return (group, key) not in _NOT_IDENTITY


@dataclass(frozen=True)
class Config:
    """One experiment: an option (a dataclass instance) for every group of `GROUPS`, and the seed."""

    problem: Any
    coefficient: Any
    source: Any
    network: Any
    boundary: Any
    collocation: Any
    coarse: Any
    coupling: Any
    balancing: Any
    optimizer: Any
    training: Any
    reference: Any
    runtime: Any
    seed: int
    names: Mapping[str, str]

    def plain(self) -> dict[str, Any]:
        """Plain values that `read_config` turns into an equal `Config`."""
        groups = {g: {"name": self.names[g], **dataclasses.asdict(getattr(self, g))} for g in GROUPS}
        return json.loads(json.dumps({**groups, "seed": self.seed}))

    def identity(self, *groups: str) -> str:
        """A hash of what determines the results: all groups (or those given), not the seed, nor where and how long."""
        plain = {
            group: {k: v for k, v in self.plain()[group].items() if is_identity(group, k)} for group in groups or GROUPS
        }
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Invocation:
    """What belongs to a command and not to the experiment: the folder to write to, the user's modules, and where
    compiled programs are kept: auto (below the user's cache folder), a folder, or None.
    """

    output: Folder
    plugins: tuple[str, ...]
    compilation_cache: Folder | None


@dataclass(frozen=True)
class TrainInvocation(Invocation):
    """Also whether to continue an interrupted run, to start anew in a new place, a run directory to use, how many seeds
    to train at once, and whether to leave a figure beside each run.
    """

    resume: bool
    force: bool
    run_dir: Folder | None
    ensemble: Count
    plot: bool


InvocationT = TypeVar("InvocationT", bound=Invocation)


@dataclass(frozen=True)
class _Seed:
    seed: int


def read_command(values: Mapping[str, Any], schema: type[InvocationT]) -> tuple[InvocationT, Config]:
    """The invocation and the typed configuration of a command's composed values; imports the user's modules.

    An experiment may set keys of `hpms train`, such as `plot`, that the other commands ignore. Raises `UserError` for
    what `read_config` raises it for.
    """
    elsewhere = {field.name for field in dataclasses.fields(TrainInvocation)}
    names = {field.name for field in dataclasses.fields(schema)}
    for key in values:
        if key not in GROUPS and key not in names | elsewhere | {"seed"}:
            raise unknown_key(key, [*GROUPS, "seed", *sorted(names)])
    invocation = read(schema, {k: v for k, v in values.items() if k in names}, "")
    load_plugins(invocation.plugins)
    check_output(Path(invocation.output))
    return invocation, read_config(values)


def check_output(folder: Path) -> None:
    """Raises `ConfigError` where nothing can be written to `folder`."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ConfigError("output", folder, "give a folder that can be written to")


def read_config(values: Mapping[str, Any]) -> Config:
    """The typed configuration from the groups and the seed in `values`.

    Raises `UserError` for unknown keys and options, wrong types, numbers out of range and contradictions.
    """
    for group in GROUPS:
        if not isinstance(values.get(group), Mapping):
            raise UserError(f"the group '{group}' is missing: choose one with {group}=... .")
    names = {group: values[group].get("name") for group in GROUPS}
    schemas = {group: option(group, names[group]) for group in GROUPS}
    found: dict[str, Any] = {"problem": read(schemas["problem"], values["problem"], "problem")}
    variables = {"eps": found["problem"].eps, "dim": found["problem"].dim}
    for group in GROUPS[1:]:
        found[group] = read(schemas[group], values[group], group, variables)
    seed = read(_Seed, {"seed": values.get("seed", 0)}, "").seed
    if getattr(found["optimizer"], "learning_rate", 0.0) is None:
        rate = getattr(found["network"], "learning_rate", None)
        if rate is None:
            raise UserError(f"optimizer.learning_rate has no value, and network={names['network']} names none.")
        found["optimizer"] = dataclasses.replace(found["optimizer"], learning_rate=rate)
    config = Config(**found, seed=seed, names=names)
    _cross_checks(config)
    return config


def _cross_checks(config: Config) -> None:
    if not 0 <= config.seed < 2**32:
        raise ConfigError("seed", config.seed, "it must be between 0 and 2**32 - 1")
    for group in GROUPS:
        if check := getattr(getattr(config, group), "check", None):
            check(config)


def experiment_directory(config: Config, root: str, verb: str, experiment: str) -> Path:
    """`root/verb/experiment/hash`: the same configuration always maps to the same place."""
    return Path(root) / verb / experiment / config.identity()
