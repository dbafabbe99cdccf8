"""Mass balance: what flows out of the cells of a coarse grid, less what their sources bring."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hpms.fem.faces import PARTS
from hpms.problem.box import Box
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.law.semilinear import Semilinear
from hpms.problem.lifted import LiftedProblem, alone

_CELLS = {1: 16, 2: 12, 3: 6}  # along the longest side
_GAUSS, _PIECES, _MOST = 3, 4, 1_000_000  # points of a piece of an edge, pieces along ε, points
Line = tuple[np.ndarray, np.ndarray]  # points and weights
Field = Callable[[Float[np.ndarray, "m d"]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Balance:
    """`surplus` ∫_∂C σ·n - ∫_C (q - c w), or s(x, w) for c w, of each cell C (n_1, ..., n_d), σ = -K∇w, which is 0 for
    the exact solution; `outflow` ∫σ·n through each face of the box; `scale`, half of what goes through ∂Ω in either
    direction, by the faces of cells, and of what sources bring or take, by cells.
    """

    surplus: Float[np.ndarray, "*n"]
    outflow: Mapping[str, float]
    scale: float

    @property
    def mean(self) -> float:
        """The root mean square of the surplus, relative to the scale."""
        return float(np.sqrt(np.mean(self.surplus**2)) / self.scale)

    @property
    def most(self) -> float:
        """The largest surplus, relative to the scale."""
        return float(np.abs(self.surplus).max() / self.scale)

    def summary(self) -> dict[str, Any]:
        """The attributes of a run."""
        through = {f"outflow_{face}": value for face, value in self.outflow.items()}
        cells = "×".join(map(str, self.surplus.shape))
        return {"balance_mean": self.mean, "balance_most": self.most, "balance_cells": cells, **through}


def balance(problem: LiftedProblem, field: Field) -> Balance | None:
    """Of w and -K∇w, (M,) and (M, d) or with an axis of one lifted problem, at points of a box; None on other domains,
    where there are several, for other laws than diffusion with a reaction, and where ε is too small for a million
    points on the faces.
    """
    domain = problem.domain
    if not isinstance(domain, Box) or not isinstance(problem.law, Diffusion | Semilinear) or problem.lifts > 1:
        return None
    sides, dim = domain.sides, domain.dim
    counts = [max(1, round(_CELLS[dim] * side / max(sides))) for side in sides]
    pieces = [math.ceil(_PIECES * side / count / domain.eps) for side, count in zip(sides, counts, strict=True)]
    lines = [_line(*each) for each in zip(sides, counts, pieces, strict=True)]
    sizes = [len(places) for places, _ in lines]
    if sum((count + 1) * math.prod(sizes) / size for count, size in zip(counts, sizes, strict=True)) > _MOST:
        return None
    through = _through(lines, sides, counts, field)
    affordable = max(1, int((_MOST / math.prod(counts)) ** (1 / dim) / _GAUSS))
    inside = [_line(s, n, min(k, affordable)) for s, n, k in zip(sides, counts, pieces, strict=True)]
    brought = _brought(problem, inside, counts, field)
    surplus = sum(np.diff(each, axis=axis) for axis, each in enumerate(through)) - brought
    ends = {(axis, end): np.take(each, -end, axis=axis) for axis, each in enumerate(through) for end in (0, 1)}
    outflow = {PARTS[2 * axis + end]: float((2 * end - 1) * each.sum()) for (axis, end), each in ends.items()}
    scale = sum(np.abs(each).sum() for each in (*ends.values(), brought)) / 2
    return Balance(np.asarray(surplus), outflow, float(scale))


def _line(side: float, count: int, pieces: int) -> Line:
    """Gauss points and weights in the cells along an axis, one cell behind the other."""
    points, weights = np.polynomial.legendre.leggauss(_GAUSS)
    number, width = count * pieces, side / (count * pieces)
    places = (np.arange(number)[:, None] + (points + 1) / 2) * width
    return places.ravel(), np.tile(weights * width / 2, number)


def _through(lines: list[Line], sides: tuple[float, ...], counts: list[int], field: Field) -> list[np.ndarray]:
    """For each axis a ∫σ_a through each face across it, with one more of them along it than cells."""
    planes = [(np.linspace(0, side, count + 1), np.ones(count + 1)) for side, count in zip(sides, counts, strict=True)]
    axes = range(len(sides))
    each = [[planes[a] if a == axis else line for a, line in enumerate(lines)] for axis in axes]
    points = [_product(those) for those in each]
    flux = np.split(alone(field(np.concatenate(points))[1]), np.cumsum([len(those) for those in points])[:-1])
    groups = [[count + (a == axis) for a, count in enumerate(counts)] for axis in axes]
    return [_summed(each[axis], groups[axis], flux[axis][:, axis]) for axis in axes]


def _brought(problem: LiftedProblem, lines: list[Line], counts: list[int], field: Field) -> np.ndarray:
    """∫_C of q less what reacts, of each cell."""
    points = _product(lines)
    density = problem.source_at()(points)
    if problem.law.reacts:
        w = alone(field(points)[0])[:, None]
        density = density - np.asarray(problem.law.reacted(jnp.asarray(points), jnp.asarray(w)))[:, 0]
    return _summed(lines, counts, density)


def _product(lines: list[Line]) -> Float[np.ndarray, "m d"]:
    """The points of a product of lines, last axis fastest."""
    return np.stack([each.ravel() for each in np.meshgrid(*(line[0] for line in lines), indexing="ij")], axis=1)


def _summed(lines: list[Line], groups: list[int], values: Float[np.ndarray, " m"]) -> np.ndarray:
    """The integral of a density, by its values, over the product of the lines, in equal groups along each."""
    found = values.reshape([len(places) for places, _ in lines])
    for axis, (_, weights) in enumerate(lines):
        found = found * weights.reshape([-1 if a == axis else 1 for a in range(found.ndim)])
    for axis, count in enumerate(groups):
        found = np.stack([part.sum(axis=axis) for part in np.split(found, count, axis=axis)], axis=axis)
    return found
