"""What belongs to a command and not to the experiment, read and checked before anything heavy is imported."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hpms.config.config import GROUPS, Config, read_config
from hpms.config.registry import load_plugins
from hpms.config.schema import Count, Folder, read, unknown_key
from hpms.errors import ConfigError
from hpms.options.sweep import Sweep


@dataclass(frozen=True)
class Invocation:
    """The folder to write to, the user's modules, and where compiled programs are kept: auto (below the user's cache
    folder), a folder, or None.
    """

    output: Folder
    plugins: tuple[str, ...]
    compilation_cache: Folder | None

    def check(self, config: Config) -> None:
        """Raises `ConfigError` where the command cannot do this with that configuration."""
        config.upscaling.check_mesh(config)


@dataclass(frozen=True)
class TrainInvocation(Invocation):
    """Also whether to continue an interrupted run, to start anew in a new place, or from the job of a sweep before this
    one, a run directory to use, how many seeds to train at once, and whether to leave a figure beside each run.
    """

    resume: bool
    force: bool
    chain: bool
    run_dir: Folder | None
    ensemble: Count
    plot: bool

    def check(self, config: Config) -> None:
        super().check(config)
        if self.ensemble > 1 and self.run_dir is not None:
            raise ConfigError("run_dir", self.run_dir, "an ensemble has a directory for each seed: leave it out")
        if self.ensemble > 1 and self.chain:
            raise ConfigError("ensemble", self.ensemble, "a chain has one run at a time: sweep the seed")
        if config.seed + self.ensemble > 2**32:
            raise ConfigError("ensemble", self.ensemble, f"seeds end at 2**32 - 1, and the first is {config.seed}")


@dataclass(frozen=True)
class ConsistencyInvocation(Invocation):
    """Also what is swept."""

    sweep: dict[str, Any]

    def check(self, config: Config) -> None:
        check_papers(config)
        if (name := config.names["upscaling"]) != "isotropic":
            raise ConfigError("upscaling", name, "what is studied is the paper's coarse problem: take isotropic")
        if config.reference.is_layered:
            reason = "the averages need the fine solution at more points than a series affords: take auto, p2 or p1"
            raise ConfigError("reference.method", "layered", reason)
        self.resolved(config)

    def resolved(self, config: Config) -> Sweep:
        """What is swept, with numbers for null; raises `ConfigError` for what does not fit."""
        dim, eps = config.problem.dim, config.problem.eps
        return read(Sweep, self.sweep, "sweep", {"eps": eps}).resolved(dim, eps)


@dataclass(frozen=True)
class EvaluateInvocation(Invocation):
    """The run's directory, which of its checkpoints, and keys of `reference` that replace the run's where not null."""

    run: Folder
    checkpoint: Literal["best", "latest"]
    reference: dict[str, Any]


@dataclass(frozen=True)
class UpscaleInvocation(Invocation):
    """Also the directory of a run whose medium, cells and network are taken."""

    run: Folder | None

    def check(self, config: Config) -> None:
        on_unit_cube(config)


def check_papers(config: Config) -> None:
    """Raises `ConfigError` where there is nothing to upscale."""
    if not config.problem.is_the_papers:
        reason = "upscaling is studied with w_i = x_i on the boundary of the unit cube: take problem=unit_cube"
        raise ConfigError("problem", config.names["problem"], reason)


def on_unit_cube(config: Config) -> Config:
    """With w_i = x_i on ∂Ω in place of conditions of one's own, and without any reaction: no upscaled coefficient
    depends on them. That of an elastic body is taken on its own box.

    Raises `ConfigError` on other domains than the unit cube.
    """
    if config.law.takes_moduli:
        return config
    if config.problem.is_the_papers or not config.problem.is_unit_cube:
        check_papers(config)
        return config
    cube = {"name": "unit_cube", "dim": config.problem.dim, "eps": config.problem.eps}
    law = {"name": "diffusion", "reaction": None}
    return read_config({**config.values, "problem": cube, "law": law})


# The others are plain invocations.
_SCHEMAS: dict[str, type[Invocation]] = {
    "train": TrainInvocation,
    "consistency": ConsistencyInvocation,
    "evaluate": EvaluateInvocation,
    "upscale": UpscaleInvocation,
}
_NO_SOURCE = {"source": {"name": "expression", "formula": "0", "constants": {}}}  # of what draws K alone


def read_command(verb: str, values: Mapping[str, Any]) -> tuple[Any, Config | None]:
    """The verb's invocation and the typed configuration (None for `evaluate`, whose run has one) of composed values.

    Imports the user's modules. An experiment may set keys of `hpms train`, such as `plot`, that the other commands
    ignore. Raises `UserError` for unknown keys and options, wrong types, numbers out of range and contradictions.
    """
    schema = _SCHEMAS.get(verb, Invocation)
    names = {field.name for field in dataclasses.fields(schema)}
    if verb == "evaluate":
        invocation = read(schema, values, "")
        load_plugins(invocation.plugins)
        return invocation, None
    elsewhere = {field.name for field in dataclasses.fields(TrainInvocation)}
    for key in values:
        if key not in GROUPS and key not in names | elsewhere | {"seed", "init_from"}:
            raise unknown_key(key, [*GROUPS, "seed", *sorted(names)])
    invocation = read(schema, {k: v for k, v in values.items() if k in names}, "")
    load_plugins(invocation.plugins)
    check_output(Path(invocation.output))
    config = read_config(values if verb != "plot_coefficient" else {**_NO_SOURCE, **values})
    invocation.check(config)
    return invocation, config


def check_output(folder: Path) -> None:
    """Raises `ConfigError` where nothing can be written to `folder`."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ConfigError("output", folder, "give a folder that can be written to")
