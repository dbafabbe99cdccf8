"""Algorithm 4.1 on fine solutions: the upscaled tensor of each cell from means of gradients and fluxes there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import ceil, prod

import numpy as np
from jaxtyping import Float

from hpms.errors import UserError
from hpms.fem.field import AbstractField
from hpms.fem.rules import panels
from hpms.fem.sample import Function, sample_coefficient
from hpms.fem.strain import condition, determined
from hpms.fem.tensors import applied

_GAUSS, _PER_SCALE, _MOST_POINTS = 2, 16, 2_000_000


@dataclass(frozen=True)
class CellMeans:
    """⟨K ∂_b w_i⟩ (N, i, b) and ⟨∂_a w_i⟩ (N, i, a) over N cells, last axis fastest."""

    flux: Float[np.ndarray, "n d d"]
    strain: Float[np.ndarray, "n d d"]

    @property
    def condition(self) -> Float[np.ndarray, " n"]:
        """The condition number of the averaged gradients of each cell."""
        return condition(self.strain)


def cell_means(
    lifted: Sequence[AbstractField], coefficient: Function, cells: tuple[int, ...], scale: float
) -> CellMeans:
    """The means of w_i = u_i + x_i and its flux, by composite Gauss quadrature on panels that no cell's face cuts.

    **Arguments:** the d fine solutions u_i, K (points (M, d) to (M,)), the numbers of cells along each axis, and the
    length `scale` ε over which K varies: 32 points per ε and axis, or what 2e6 points in all allow.
    """
    dim, most = len(cells), _MOST_POINTS ** (1 / len(cells)) / _GAUSS
    rules = []
    for count in cells:
        each = max(1, ceil(min(_PER_SCALE / scale, most) / count - 1e-9))
        rules.append([panels(j / count, (j + 1) / count, each, _GAUSS) for j in range(count)])
    flux, strain = np.empty((2, prod(cells), dim, dim))
    for j, sides in enumerate(product(*rules)):
        points = np.stack(np.meshgrid(*(x for x, _ in sides), indexing="ij"), axis=-1).reshape(-1, dim)
        weights = reduce(np.multiply.outer, [w / w.sum() for _, w in sides]).ravel()
        k = sample_coefficient(coefficient, points)
        for i, field in enumerate(lifted):
            gradient = field.evaluate(points)[1] + np.eye(dim)[i]
            strain[j, i], flux[j, i] = weights @ gradient, weights @ applied(k, gradient)
    return CellMeans(flux, strain)


def tensors(means: CellMeans) -> Float[np.ndarray, "n d d"]:
    """K̃^j with ⟨K ∂_b w_i⟩ = Σ_a ⟨∂_a w_i⟩ K̃^j_ab; raises `UserError` where the averaged gradients are dependent."""
    if not (known := determined(means.strain)).all():
        worst = int(np.argmin(known))
        raise UserError(
            f"in cell {worst} of {len(known)} the averaged gradients of the exact solutions are nearly dependent "
            f"(condition number {means.condition[worst]:.2g}), and determine no upscaled tensor: choose other "
            "upscaling.cells."
        )
    return np.linalg.solve(means.strain, means.flux)
