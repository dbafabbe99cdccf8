"""`hpms upscale`: the classical upscaled coefficients of a medium, also in cells, and a network's beside them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig

from hpms.cli.invocation import UpscaleInvocation, on_unit_cube
from hpms.commands import stiffness
from hpms.commands.result import Result
from hpms.config.config import Config
from hpms.errors import ConfigError
from hpms.experiment import fine_problem
from hpms.figures.cells import plot_cells
from hpms.machine.runtime import provenance
from hpms.reload import config_here
from hpms.results.hdf5 import atomic_h5, write_attributes
from hpms.results.run import StoredRun
from hpms.results.table import matrix, table
from hpms.study.classical import NETWORK, WAYS, Upscaled, upscaled

_TITLES = {
    "homogenised": "K*, periodic cell problem",
    "linear": "K̃, linear conditions, with q",
    "periodic": "K̃, periodic conditions",
    "no_flow": "K̃, no flow through the sides",
    NETWORK: "K̃ of the network",
}
_CELL_TITLES = {
    "algorithm": "Algorithm 4.1, with q",
    "linear": "linear conditions",
    "periodic": "periodic conditions",
    "no_flow": "no flow through the sides",
    NETWORK: "network",
}


def run(invocation: UpscaleInvocation, config: Config, experiment: str) -> Result:
    """Writes, prints and, where there are cells, draws them."""
    stored = None if invocation.run is None else StoredRun.at(invocation.run)
    if stored is not None:
        config, experiment = _config_of(stored, invocation, config), stored.experiment
    else:
        config = on_unit_cube(config)
    config.runtime.setup(invocation.compilation_cache)
    problem = fine_problem(config)
    if stored is not None:
        stored.check_medium(problem)
    network = None if stored is None else stored.summary.get("upscaled_coefficient")
    groups = ("problem", "coefficient", "source", "law", "reference", "upscaling")
    place = config.identity(*groups)
    if stored is not None:
        place = f"{stored.identity}_{config.identity('reference')}/seed={config.seed}"
    if config.law.takes_moduli:
        return stiffness.run(Path(invocation.output, "upscale", experiment, place), config, problem, network)
    found = upscaled(config, problem, network)
    path = Path(invocation.output, "upscale", experiment, place, "upscale.h5")
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        write_attributes(file.create_group("summary"), found.summary())
    counts = config.upscaling.cells_along(config.problem.dim)
    pictures = plot_cells(found.cells, counts, _CELL_TITLES, path.parent) if found.cells else []
    places = "\n".join(str(each) for each in (*pictures, path))
    return Result(0, f"{_report(found)}\n{places}", (path,))


def _config_of(stored: StoredRun, invocation: UpscaleInvocation, config: Config) -> Config:
    """The run's, with the reference of `config` where one was typed, or the run has none; raises `ConfigError` where
    anything else is typed beside `run`.
    """
    found = on_unit_cube(config_here(stored))
    typed = HydraConfig.get().overrides.task if HydraConfig.initialized() else ()
    keys = [override.lstrip("+~").partition("=")[0] for override in typed]
    references = [key for key in keys if key.partition(".")[0] == "reference"]
    own = {field.name for field in dataclasses.fields(invocation)}
    if others := [key for key in keys if key not in own and key not in references]:
        raise ConfigError("run", invocation.run, f"it has a configuration of its own: leave out {', '.join(others)}")
    if not references and found.reference.is_one:
        return found
    names = {**found.names, "reference": config.names["reference"]}
    return dataclasses.replace(found, reference=config.reference, names=names)


def _report(found: Upscaled) -> str:
    rows = [
        [_TITLES[name], _shown(found.whole[name]), _seconds(found.seconds, name)]
        for name in (*WAYS, NETWORK)
        if name in found.whole
    ]
    rows += [
        ["arithmetic mean of K", _mean(found.arithmetic), ""],
        ["harmonic mean of K", _mean(found.harmonic), ""],
    ]
    text = table(["", "upscaled coefficient", "seconds"], rows)
    if not found.cells:
        return text
    dim = next(iter(found.cells.values())).shape[-1]
    diagonal = (f"K̃{'₁₂₃'[i]}{'₁₂₃'[i]}" for i in range(dim))
    header = ["in cells: from, mean, to", *diagonal, "largest |K̃_ij|, i ≠ j", "seconds"]
    cells = [
        [title, *_spread(found.cells[name]), _seconds(found.seconds, f"cell_{name}")]
        for name, title in _CELL_TITLES.items()
        if name in found.cells
    ]
    if not found.condition.size:
        return f"{text}\n\n{table(header, cells)}"
    least, most = found.condition.min(), found.condition.max()
    worst = f"Condition numbers of the cells' averaged gradients: {least:.3g} to {most:.3g}."
    return f"{text}\n\n{table(header, cells)}\n\n{worst}"


def _mean(found: np.ndarray) -> str:
    return matrix(found) if found.ndim else f"{found:.7f}"


def _spread(tensors: np.ndarray) -> list[str]:
    """The least, the mean and the largest of each diagonal entry, and the largest other one."""
    dim = tensors.shape[-1]
    entries = [tensors[:, i, i] for i in range(dim)]
    other = np.abs(tensors[:, ~np.eye(dim, dtype=bool)])
    known = other[np.isfinite(other)]
    last = f"{known.max():.4f}" if known.size else "-"
    return [*(f"{e.min():.4f}, {e.mean():.4f}, {e.max():.4f}" for e in entries), last]


def _seconds(found: dict[str, Any], name: str) -> str:
    return f"{found[name]:.2f}" if name in found else ""


def _shown(tensor: np.ndarray) -> str:
    """A tensor, without the entries that there are none of."""
    return "no periods" if np.isnan(tensor).all() else matrix(tensor).replace("nan", "-")
