"""What is known of a medium before anything is trained: how far it spreads, its means, and one feature of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Bool, Float

from hpms.fem.fine.upscaled import means
from hpms.fem.sample import sample_coefficient
from hpms.fem.tensors import eigenvalues, harmonic_mean
from hpms.problem.lifted import LiftedProblem

_SAMPLES = 2**16
_FEW = 6  # values that a medium of several materials has


@dataclass(frozen=True)
class Feature:
    """A box in the middle of Ω with the period as its side along each axis, or ε where there are none, at most Ω."""

    low: Float[np.ndarray, " d"]
    sides: Float[np.ndarray, " d"]

    @property
    def volume(self) -> float:
        return math.prod(self.sides.tolist())

    def holds(self, points: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " m"]:
        """Which points lie in it."""
        return np.all((points >= self.low) & (points <= self.low + self.sides), axis=1)


def feature(problem: LiftedProblem) -> Feature:
    """That of the problem's coefficient."""
    whole = np.array(problem.domain.sides)
    sides = np.minimum(whole, problem.coefficient.periods or problem.domain.eps)
    return Feature((whole - sides) / 2, sides)


@dataclass(frozen=True)
class Spread:
    """The `least` and the `most` that K takes, its eigenvalues where it is a tensor, the `arithmetic` and the
    `harmonic` mean, over a period where there is one, and the shares of Ω that values take: each value of a medium
    that has few, or else that `above` √(least · most); none of a tensor.
    """

    least: float
    most: float
    arithmetic: Float[np.ndarray, "*t"]
    harmonic: Float[np.ndarray, "*t"]
    materials: Sequence[tuple[float, float]]
    above: float | None

    @property
    def contrast(self) -> float:
        return self.most / self.least

    @property
    def middle(self) -> float:
        """√(least · most)."""
        return math.sqrt(self.least * self.most)


def spread(problem: LiftedProblem) -> Spread:
    """From a lattice in Ω that no period resonates with; the means of a periodic medium as `hpms upscale` has them."""
    coefficient, periods = problem.coefficient_at(), problem.coefficient.periods
    values = sample_coefficient(coefficient, np.asarray(problem.domain.lattice_interior(jax.random.key(0), _SAMPLES)))
    found = eigenvalues(values)
    least, most = float(found.min()), float(found.max())
    if periods is None:
        arithmetic, harmonic = np.asarray(values.mean(axis=0)), harmonic_mean(values)
    else:
        arithmetic, harmonic = means(coefficient, problem.domain.dim, periods)
    materials, above = [], None
    if values.ndim == 1:
        distinct, counts = np.unique(values.astype(np.float32), return_counts=True)
        if len(distinct) <= _FEW:
            materials = [(float(k), float(count) / len(values)) for k, count in zip(distinct, counts, strict=True)]
        else:
            above = float((values > math.sqrt(least * most)).mean())
    return Spread(least, most, arithmetic, harmonic, materials, above)
