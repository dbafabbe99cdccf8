"""What the bound for Hooke's law takes from Korn's inequality.

For φ that vanishes on all of ∂Ω, ‖∇φ‖² = 2‖e(φ)‖² - ‖div φ‖² (integrate by parts), so that with the least k of μ in Ω

    k ‖∇φ‖² <= ∫ σ(φ):e(φ) = |||φ|||²,

since σ:e - k(2|e|² - (div φ)²) = 2(μ - k)|e|² + (λ + k)(div φ)², where |e|² >= (div φ)²/d, is not negative for
dλ + 2μ > 0; and each component of the residual is bounded as that of -∇·(k∇w) = q is. For other conditions no constant
is known.
"""

import math

import equinox as eqx
import numpy as np

from hpms.bound.pointwise import Moments


def by_korn(every: Moments, dim: int, most: float = math.inf) -> Moments:
    """With the least k of all cells, and `most` at the most, in each of them, as the inequality holds on all of Ω
    alone.
    """
    least = np.asarray(every.least)
    k, unit = min(most, float(least.min())), np.eye(dim)
    inverse = np.stack([unit, np.zeros((dim, dim)), unit / 12]) / k
    found = np.full_like(least, k), np.broadcast_to(inverse, (len(least), 3, dim, dim))
    return eqx.tree_at(lambda moments: (moments.least, moments.inverse), every, found)
