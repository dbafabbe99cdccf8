"""Classical homogenisation with its first-order corrector: what is there without a network for a periodic medium."""

import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.field import LagrangeField
from hpms.fem.fine import cache
from hpms.fem.fine.upscaled import Cell, period_box, periodic
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space
from hpms.fem.sample import Function
from hpms.fem.validation import relative_errors

_CELLS = {1: 2000, 2: 128, 3: 24}  # of the mesh for w₀, along each axis


@dataclass(frozen=True)
class Corrector:
    """The relative errors of u_i = w_0i + Σ_j χ_j(x) ∂_j w_0i - x_i, i = 1..l, together, K*, the seconds of the cell
    problem and of w_0, and the unknowns of both; `cached` says that a file held it all.
    """

    relative_l2: float
    relative_h1: float
    upscaled_coefficient: Float[np.ndarray, "d d"]
    seconds: float
    cell_unknowns: int
    unknowns: int
    cached: bool

    def summary(self) -> dict[str, Any]:
        """The numbers that stand beside a network's."""
        return {
            "corrector_method": f"P2 cell + P1, {self.cell_unknowns} + {self.unknowns} unknowns",
            "corrector_seconds": self.seconds,
            "corrector_relative_l2": self.relative_l2,
            "corrector_relative_h1": self.relative_h1,
            "corrector_upscaled_coefficient": self.upscaled_coefficient,
        }


@dataclass(frozen=True)
class Expansion:
    """w_0i + Σ_j χ_j(x) ∂_j w_0i, where -∇·(K*∇w_0i) = q, w_0i = x_i on ∂Ω, and χ_j solves the cell problem.

    w_0i = x_i + y for one y (`mean`); `slopes` are ∂_j y, as continuous functions, so that they have derivatives.
    """

    cell: Cell
    periods: Float[np.ndarray, " d"]
    mean: LagrangeField
    slopes: tuple[LagrangeField, ...]

    def evaluate(
        self, points: Float[np.ndarray, "m d"], lifts: int
    ) -> tuple[Float[np.ndarray, "m l"], Float[np.ndarray, "m l d"]]:
        """u_i = w_i - x_i and ∇u_i at M points of [0,1]^d."""
        places = (points / self.periods) % 1.0
        chi = [field.evaluate(places) for field in self.cell.correctors]
        slope = [field.evaluate(points) for field in self.slopes]
        value = np.repeat(self.mean.values(points)[:, None], lifts, axis=1)
        gradient = np.repeat(np.stack([s for s, _ in slope], axis=1)[:, None], lifts, axis=1)
        for j, ((c, dc), (s, ds)) in enumerate(zip(chi, slope, strict=True)):
            for i in range(lifts):
                along = s + (i == j)
                value[:, i] += c * along
                gradient[:, i] += (dc / self.periods) * along[:, None] + c[:, None] * ds
        return value, gradient


def expansion(coefficient: Function, source: Function, periods: tuple[float, ...]) -> Expansion:
    """The cell problem by P2 elements, w_0 by P1 elements and its gradient by averages around the nodes.

    **Arguments:** K and q (points (M, d) to (M,)), and the periods of K along each axis. Raises `UserError` where K is
    not positive and finite, or q not finite.
    """
    dim, cell = len(periods), periodic(coefficient, period_box(periods))
    space = P1Space(dim, 1 / _CELLS[dim])
    y = CoarseProblem(space, space.load(source)).factorise(cell.tensor.ravel()).state()
    lagrange = LagrangeSpace(dim, space.n, 1)
    slopes = tuple(LagrangeField(lagrange, values) for values in space.nodal_gradient(y).T)
    return Expansion(cell, np.asarray(periods), LagrangeField(lagrange, y), slopes)


def corrector(
    coefficient: Function,
    source: Function,
    periods: tuple[float, ...],
    *,
    points: Float[np.ndarray, "m d"],
    weights: Float[np.ndarray, " m"],
    exact: tuple[Float[np.ndarray, "m l"], Float[np.ndarray, "m l d"]],
    cache_dir: str | Path,
    key: str,
) -> Corrector:
    """Errors against the `exact` u_i and ∇u_i by quadrature, from `<cache_dir>/<key>_corrector_<l>.h5` if it has them.

    The seconds are those first measured; `key` names all arguments before it. Raises `UserError` as `expansion` does.
    """
    lifts = exact[0].shape[1]
    path, mark = (
        Path(cache_dir) / f"{key}_corrector_{lifts}.h5",
        f"{key} corrector {len(points)} {points.sum():.10g} {lifts}",
    )
    names = [field.name for field in fields(Corrector) if field.name != "cached"]
    if (stored := cache.load(path, mark, names)) is not None:
        values: dict[str, Any] = {k: v.item() if v.ndim == 0 else v for k, v in stored.items()}
        return Corrector(**values, cached=True)
    began = time.perf_counter()
    found = expansion(coefficient, source, periods)
    seconds = time.perf_counter() - began
    value, gradient = found.evaluate(points, lifts)
    l2, h1 = relative_errors(value, gradient, *exact, weights)
    sizes = [field.space.size for field in (found.cell.correctors[0], found.mean)]
    result = Corrector(l2, h1, found.cell.tensor, seconds, sizes[0], sizes[1], cached=False)
    cache.save(path, mark, {name: np.asarray(getattr(result, name)) for name in names})
    return result
