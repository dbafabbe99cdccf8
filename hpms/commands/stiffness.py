"""`hpms upscale` of an elastic body: its upscaled stiffnesses, by fine finite elements."""

import time
from pathlib import Path

import numpy as np

from hpms.commands.result import Result
from hpms.config.config import Config
from hpms.fem.elastic import upscaled
from hpms.fem.elastic.strains import PAIRS
from hpms.fem.fine.meshes import reference_cells
from hpms.fem.fine.upscaled import Box, period_box
from hpms.machine.runtime import provenance
from hpms.options.reference import needed
from hpms.problem.lifted import LiftedProblem
from hpms.results.hdf5 import atomic_h5, write_attributes
from hpms.results.table import table

_NAMES = {dim: [f"{i + 1}{j + 1}" for i, j in pairs] for dim, pairs in PAIRS.items()}


def run(folder: Path, config: Config, problem: LiftedProblem, network: np.ndarray | None) -> Result:
    """Writes and prints them, and that of a network where there is one, in Voigt's order and Mandel's scaling."""
    dim, moduli, periods = config.problem.dim, problem.coefficient_at(), problem.coefficient.periods
    sides = problem.domain.sides
    n = reference_cells(dim, config.problem.eps, "p2", needed(config.reference).h, max(sides), dim)
    found, seconds = {}, {}
    ways = {"linear": (upscaled.linear, Box(np.zeros(dim), np.array(sides), n))}
    if periods:
        ways = {"homogenised": (upscaled.periodic, period_box(periods)), **ways}
    for name, (way, box) in ways.items():
        began = time.perf_counter()
        found[name] = way(moduli, box)
        seconds[f"{name}_seconds"] = time.perf_counter() - began
    if network is not None and network.shape == found["linear"].shape:
        found["network"] = network
    found["arithmetic"], found["harmonic"] = upscaled.means(moduli, dim, periods)
    path = folder / "upscale.h5"
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        write_attributes(file.create_group("summary"), {**found, **seconds})
    titles = {
        "homogenised": "C*, periodic cell problem",
        "linear": "C̃, w = E x on the boundary, q = 0",
        "network": "C̃ of the network, with q",
        "arithmetic": "arithmetic mean of C (Voigt)",
        "harmonic": "harmonic mean of C (Reuss)",
    }
    rows = [
        [titles[name] if i == 0 else "", _NAMES[dim][i], *(f"{entry:.6f}" for entry in row)]
        for name, stiffness in found.items()
        for i, row in enumerate(stiffness)
    ]
    text = table(["stiffness, Mandel's scaling", "", *_NAMES[dim]], rows)
    return Result(0, f"{text}\n{path}", (path,))
