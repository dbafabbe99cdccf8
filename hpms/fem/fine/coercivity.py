"""Proposition 4.9: is the source weak enough for the coarse problem to be coercive?"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Float

from hpms.fem.fine.reference import Reference
from hpms.fem.rules import panels, tensor
from hpms.fem.sample import Function, sample_coefficient, sample_source
from hpms.fem.tensors import eigenvalues
from hpms.fem.validation import ratio

_PER_PERIOD = {1: 20_000, 2: 400, 3: 48}
_PER_EPS, _MOST_PER_AXIS = 64, {1: 1_000_000, 2: 2_000, 3: 150}
_PANELS, _GAUSS = {1: 2_000, 2: 100, 3: 16}, 4


@dataclass(frozen=True)
class Coercivity:
    """Both sides of ‖q‖ <= α(ν + ‖∇u‖²)/‖u‖ with ν -> 1, the largest that Proposition 4.9 allows, and what follows.

    `alpha` and `beta` are inf K and sup K of Eq. (4.2), sampled; `source_norm` = ‖q‖; `bound` = α(1 + ‖∇u‖²)/‖u‖, a
    supremum that no 0 < ν < 1 attains; `nu` = ‖q‖‖u‖/α - ‖∇u‖² is the smallest ν with which the inequality is true, so
    that it is true for some allowed ν exactly where `nu` < 1. In its proof, K̃₁₁ >= α(1 + ‖∇u‖²) - ‖q‖‖u‖ =
    (1 - `nu`) α = `lower_bound`; `upscaled` = K̃₁₁.
    """

    alpha: float
    beta: float
    source_norm: float
    bound: float
    nu: float
    lower_bound: float
    upscaled: float

    @property
    def holds(self) -> bool:
        """Whether Proposition 4.9 applies."""
        return self.nu < 1


def coercivity(
    found: Reference, coefficient: Function, source: Function, eps: float, periods: tuple[float, ...] | None
) -> Coercivity:
    """The inequality for a reference u, with K sampled on a lattice over one period, or over Ω without one.

    **Arguments:** K and q map points (M, d) to (M,); the `periods` of K, one per axis. Raises `UserError` where K is
    not positive and finite, or q not finite.
    """
    dim = found.coarse.dim
    values = eigenvalues(sample_coefficient(coefficient, _lattice(dim, eps, periods)))
    points, weights = tensor(dim, *panels(0.0, 1.0, _PANELS[dim], _GAUSS))
    source_norm = float(weights @ sample_source(source, points) ** 2) ** 0.5
    alpha, product, energy = float(values.min()), source_norm * found.norm_l2, found.norm_h1**2
    return Coercivity(
        alpha=alpha,
        beta=float(values.max()),
        source_norm=source_norm,
        bound=ratio(alpha * (1 + energy), found.norm_l2),
        nu=product / alpha - energy,
        lower_bound=alpha * (1 + energy) - product,
        upscaled=float(found.upscaled_coefficient[0, 0]),
    )


def _lattice(dim: int, eps: float, periods: tuple[float, ...] | None) -> Float[np.ndarray, "m d"]:
    """Points of a period, at its quarters too, where sines have their extrema; or of [0,1]^d, 64 per length ε."""
    if periods is None:
        count, sides = min(ceil(_PER_EPS / eps), _MOST_PER_AXIS[dim]), (1.0,) * dim
    else:
        count, sides = _PER_PERIOD[dim], tuple(min(1.0, period) for period in periods)
    axes = [np.linspace(0.0, side, count + 1) for side in sides]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dim)
