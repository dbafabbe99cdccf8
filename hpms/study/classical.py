"""The classical upscaled coefficients of a configuration's medium, over Ω and in the cells of its upscaling."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from hpms.config.config import Config
from hpms.fem.fine.cells import cell_means
from hpms.fem.fine.meshes import reference_cells
from hpms.fem.fine.upscaled import Box, linear, means, no_flow, period_box, periodic, unit_box
from hpms.options.reference import needed
from hpms.problem.lifted import LiftedProblem
from hpms.study.fine import find_reference

WAYS, NETWORK = ("homogenised", "linear", "periodic", "no_flow"), "network"
_LEAST = 4  # elements along each axis of a cell


@dataclass(frozen=True)
class Upscaled:
    """`whole`: K* and K̃ (d, d) over Ω by the names of `WAYS`, NaN where a condition does not apply; `cells`: K̃^j
    (N, d, d) in each cell, last axis fastest, empty where there is one: `algorithm` is Algorithm 4.1 on the global fine
    solutions, the others solve a problem without q in each cell; and what a `network` has, in the one or the other.
    `condition` (N,) are the condition numbers of the averaged gradients of `algorithm`; the two means bound K*.
    """

    whole: Mapping[str, Float[np.ndarray, "d d"]]
    cells: Mapping[str, Float[np.ndarray, "n d d"]]
    condition: Float[np.ndarray, " n"]
    arithmetic: Float[np.ndarray, "*t"]
    harmonic: Float[np.ndarray, "*t"]
    seconds: dict[str, float]

    def summary(self) -> dict[str, Any]:
        """The attributes of `upscale.h5`."""
        cells = {f"cell_{name}": tensors for name, tensors in self.cells.items()}
        condition = {"cell_condition": self.condition} if self.cells else {}
        seconds = {f"{name}_seconds": value for name, value in self.seconds.items()}
        return {**self.whole, **cells, **condition, **seconds, "arithmetic": self.arithmetic, "harmonic": self.harmonic}


def upscaled(config: Config, problem: LiftedProblem, network: np.ndarray | None) -> Upscaled:
    """All of them; `network` is K̃ of a trained one, over Ω or in the cells.

    Raises `UserError` for `reference=none`, and where a medium is not positive and finite.
    """
    dim, eps = config.problem.dim, config.problem.eps
    coefficient, periods = problem.coefficient_at(), problem.coefficient.periods
    chosen = needed(config.reference)
    n = reference_cells(dim, eps, "p2", None if chosen.method == "layered" else chosen.h)
    reference, seconds = find_reference(config, problem), {}

    def timed(name: str, way: Callable[[], np.ndarray]) -> np.ndarray:
        began = time.perf_counter()
        found = way()
        seconds[name] = time.perf_counter() - began
        return found

    box, unknown = unit_box(dim, n), np.full((dim, dim), np.nan)
    whole = {
        "homogenised": timed("homogenised", lambda: periodic(coefficient, period_box(periods)).tensor)
        if periods
        else unknown,
        "linear": reference.upscaled_coefficient,
        "periodic": timed("periodic", lambda: periodic(coefficient, box).tensor),
        "no_flow": timed("no_flow", lambda: no_flow(coefficient, box)),
    }
    seconds["linear"] = reference.assemble_seconds + reference.solve_seconds
    cells: dict[str, np.ndarray] = {}
    condition, counts = np.zeros(0), config.upscaling.cells_along(dim)
    if not config.upscaling.is_constant:
        boxes = _boxes(counts, n)
        averages = cell_means(reference.lifted, coefficient, counts, eps)
        condition, tensor = averages.condition, reference.upscaled_coefficient
        cells["algorithm"] = timed("cell_algorithm", lambda: config.upscaling.exact(tensor, averages))
        seconds["cell_algorithm"] += seconds["linear"]
        cells["linear"] = timed("cell_linear", lambda: np.stack([linear(coefficient, b) for b in boxes]))
        cells["periodic"] = timed("cell_periodic", lambda: np.stack([periodic(coefficient, b).tensor for b in boxes]))
        cells["no_flow"] = timed("cell_no_flow", lambda: np.stack([no_flow(coefficient, b) for b in boxes]))
    if network is not None:
        (cells if network.ndim == 3 else whole)[NETWORK] = network
    arithmetic, harmonic = means(coefficient, dim, periods)
    return Upscaled(whole, cells, condition, arithmetic, harmonic, seconds)


def _boxes(counts: tuple[int, ...], n: int) -> list[Box]:
    """The cells, with elements as wide as those of n along each axis of Ω, or less."""
    sides = 1 / np.array(counts)
    each = max(_LEAST, int(np.ceil(n * sides.max() - 1e-9)))
    return [Box(np.array(place) * sides, sides, each) for place in np.ndindex(counts)]
