"""`hpms upscale`: the classical upscaled coefficients of a medium."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hpms.commands.result import Result
from hpms.config import Config
from hpms.experiment import fine_problem
from hpms.fem.fine.meshes import reference_cells
from hpms.fem.fine.upscaled import homogenised, means, no_flow, periodic
from hpms.invocation import Invocation
from hpms.measure import find_reference
from hpms.options.reference import needed
from hpms.results.hdf5 import atomic_h5, write_attributes
from hpms.results.table import matrix, table
from hpms.runtime import provenance

_TITLES = {
    "homogenised": "K*, periodic cell problem",
    "linear": "K̃, linear conditions, with q",
    "periodic": "K̃, periodic conditions",
    "no_flow": "K̃, no flow through the sides",
}


def run(invocation: Invocation, config: Config, experiment: str) -> Result:
    """Writes and prints them."""
    config.runtime.setup(invocation.compilation_cache)
    problem, dim = fine_problem(config), config.problem.dim
    coefficient, periods = problem.coefficient_at(), problem.coefficient.periods
    n = reference_cells(dim, config.problem.eps, "p2", needed(config.reference).h)
    unknown = np.full((dim, dim), np.nan)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "homogenised": lambda: homogenised(coefficient, periods) if periods else unknown,
        "linear": lambda: find_reference(config, problem).upscaled_coefficient,
        "periodic": lambda: periodic(coefficient, dim, n),
        "no_flow": lambda: no_flow(coefficient, dim, n),
    }
    found, seconds = {}, {}
    for name, way in ways.items():
        began = time.perf_counter()
        found[name] = way()
        seconds[f"{name}_seconds"] = time.perf_counter() - began
    arithmetic, harmonic = means(coefficient, dim, periods)
    groups = ("problem", "coefficient", "source", "reference")
    path = Path(invocation.output, "upscale", experiment, config.identity(*groups), "upscale.h5")
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        summary = found | seconds | {"arithmetic": arithmetic, "harmonic": harmonic}
        write_attributes(file.create_group("summary"), summary)
    rows = [[_TITLES[name], _shown(value), f"{seconds[f'{name}_seconds']:.2f}"] for name, value in found.items()]
    rows += [["arithmetic mean of K", f"{arithmetic:.7f}", ""], ["harmonic mean of K", f"{harmonic:.7f}", ""]]
    return Result(0, f"{table(['', 'upscaled coefficient', 'seconds'], rows)}\n{path}", (path,))


def _shown(tensor: np.ndarray) -> str:
    """A tensor, without the entries that there are none of."""
    return "no periods" if np.isnan(tensor).all() else matrix(tensor).replace("nan", "-")
