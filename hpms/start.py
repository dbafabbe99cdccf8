"""A start from a neighbour, read from its run."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hpms.config.config import Config
from hpms.errors import ConfigError, UserError
from hpms.results.run import FILE, StoredRun
from hpms.training.start import Parent, Start


def started(config: Config, begun: Iterable[Path] = ()) -> tuple[Config, Start | None]:
    """The configuration with the digest of the parameters that it starts from, and these: None without `init_from`.

    `begun` are the directories in which its run may lie: one that is there goes on without its parent. Raises
    `UserError` for a parent that is no run, has no parameters, or another architecture.
    """
    if config.init_from is None:
        return config, None
    try:
        start = _read(config, config.init_from)
    except UserError as error:
        parent, unreadable = _named(config, begun)
        if parent is None:
            raise UserError(" ".join([str(error), *unreadable])) from None
        start = Start(parent, None)
    return replace(config, start=start.parent.digest), start


def _read(config: Config, place: str) -> Start:
    try:
        stored = StoredRun.at(place)
        theta, iteration = stored.checkpoint("best")
    except UserError as error:
        raise UserError(f"init_from={place} cannot be started from: {error}") from None
    if difference := _difference(config, stored.values):
        raise ConfigError("init_from", place, f"its network is another one, {difference}")
    seed = stored.parent.seed if stored.parent else stored.values["seed"]
    return Start(Parent(place, stored.identity, iteration, _digest(theta), seed), theta)


def _digest(theta: np.ndarray) -> str:
    return hashlib.sha256(f"{theta.dtype.str} {theta.shape}".encode() + theta.tobytes()).hexdigest()[:12]


def _named(config: Config, directories: Iterable[Path]) -> tuple[Parent | None, list[str]]:
    """What the newest run of this configuration says of its parent, if that was given by the same path, and a sentence
    for each run that cannot be read.
    """
    found, unreadable = [], []
    for directory in directories:
        if not (directory / FILE).exists():
            continue
        try:
            stored = StoredRun(directory)
        except UserError as error:
            unreadable.append(str(error))
            continue
        parent = stored.parent
        if parent is None or parent.path != config.init_from or stored.values["seed"] != config.seed:
            continue
        if stored.identity == replace(config, start=parent.digest).identity():
            found.append((str(stored.sessions[0]["started"]), directory, parent))
    return max(found, key=lambda each: each[:2])[2] if found else None, unreadable


def _difference(config: Config, there: Mapping[str, Any]) -> str:
    """The first thing in which another architecture differs, as it is there and here, or ""."""
    here, scales = config.plain(), (config.problem.eps, float(there["problem"]["eps"]))
    pairs = {"network": (here["network"]["name"], there["network"]["name"])}
    pairs |= {"problem.dim": (here["problem"]["dim"], there["problem"]["dim"])}
    pairs |= {"boundary": (here["boundary"]["name"], there["boundary"]["name"])}
    pairs |= {"runtime.precision": (here["runtime"]["precision"], there["runtime"]["precision"])}
    keys = sorted({*here["network"], *there["network"]} - {"name"})
    pairs |= {f"network.{key}": (here["network"].get(key), there["network"].get(key)) for key in keys}
    for name, (ours, theirs) in pairs.items():
        if not _is_same(ours, theirs, scales):
            return f"{name}={theirs} there and {name}={ours} here"
    return ""


def _is_same(here: Any, there: Any, scales: tuple[float, float]) -> bool:
    """Whether values are equal, or numbers that are equal in units of ε or 1/ε."""
    if here == there:
        return True
    if isinstance(here, list) and isinstance(there, list):
        return len(here) == len(there) and all(_is_same(a, b, scales) for a, b in zip(here, there, strict=True))
    if not (isinstance(here, float) and isinstance(there, float)):
        return False
    ours, theirs = scales
    return any(math.isclose(here * ours**k, there * theirs**k, rel_tol=1e-9) for k in (1, -1))
