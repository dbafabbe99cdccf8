"""`hpms consistency`: Theorems 2.11 and 3.6 and Proposition 4.9 on the exact solution, without a network."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hpms.cli.invocation import ConsistencyInvocation, Invocation
from hpms.commands.result import Result
from hpms.config import aliases
from hpms.config.config import Config
from hpms.figures.consistency import figure
from hpms.machine.runtime import provenance
from hpms.options.reference import needed
from hpms.options.sweep import Sweep
from hpms.results.consistency import arrays, report
from hpms.results.hdf5 import atomic_h5, write_arrays, write_attributes
from hpms.study.consistency import config_at, consistency


def run(invocation: ConsistencyInvocation, config: Config, experiment: str) -> Result:
    """Writes the gaps, rates and bounds of a configuration's problem, and draws them."""
    sweep = invocation.resolved(config)
    config.runtime.setup(invocation.compilation_cache)
    groups = arrays(consistency(config, sweep))
    path = _path(invocation, config, sweep, experiment)
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        write_attributes(file.create_group("summary"), _summary(config, groups))
        for name, group in groups.items():
            write_arrays(file.create_group(name), group)
    figure(groups, path)
    return Result(0, f"{report(groups, config.problem.eps, needed(config.reference).delta)}\n{path}", (path,))


def _summary(config: Config, groups: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """The numbers at a glance: fitted exponents, one per rule of δ, and where Proposition 4.9 applies."""
    gaps, fixed, fem, coarse = (groups[name] for name in ("gaps", "fixed_delta", "fem", "coarse"))
    rates = {f"{name}_rate": gaps[f"{name}_rate"] for name in ("gap", "absolute", "interior", "frame", "compression")}
    return {
        "dim": config.problem.dim,
        "eps": config.problem.eps,
        "delta": needed(config.reference).delta,
        "delta_over_eps": gaps["delta_over_eps"][0],
        **rates,
        "fixed_delta": fixed["delta"][0],
        "fixed_delta_gap": fixed["gap"][-1],
        "fem_l2_rate": float(fem["relative_l2_rate"]),
        "fem_h1_rate": float(fem["relative_h1_rate"]),
        **{f"coarse_{name}": float(value) for name, value in coarse.items() if name.endswith("_rate")},
        "bound_holds": bool(groups["bound"]["holds"].all()),
    }


def _path(invocation: Invocation, config: Config, sweep: Sweep, experiment: str) -> Path:
    """One place for each problem, with all its ε, and sweep."""
    groups = ("problem", "coefficient", "source", "law", "reference")
    cases = [config.identity(*groups), *(config_at(config, e).identity(*groups) for e in sweep.eps or ())]
    what = json.dumps([*cases, aliases.hashed("sweep", asdict(sweep)), needed(config.reference).delta])
    digest = hashlib.sha256(what.encode()).hexdigest()[:12]
    return Path(invocation.output, "consistency", experiment, digest, "consistency.h5")
