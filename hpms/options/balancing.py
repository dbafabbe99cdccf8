"""`balancing=...`: loss weights λ_k from the norms of the terms' gradients, or constant."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpms.config.registry import register
from hpms.config.schema import Count, Fraction
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np


class BalancingOptions(AbstractOptions, abc.ABC):
    """A rule for λ, applied every `interval` iterations, or never where that is None."""

    interval: int | None

    @abc.abstractmethod
    def update(self, weights: np.ndarray, norms: np.ndarray) -> np.ndarray:
        """λ (k,) from the last one and the norms of the unweighted terms' gradients (k,)."""


@register("balancing", "gradient_norm")
@dataclass(frozen=True)
class GradientNormOptions(BalancingOptions):
    """λ̂_k = Σ_j ‖∇J_j‖ / ‖∇J_k‖, λ ← `momentum` λ + (1 - `momentum`) λ̂, every `interval` iterations.

    Wang, Sankaran, Wang and Perdikaris, "An expert's guide to training physics-informed neural networks", Algorithm
    1(c). A term whose gradient is zero (a coupling that is off) or not finite keeps its weight and is not counted.
    """

    interval: Count
    momentum: Fraction

    def update(self, weights: np.ndarray, norms: np.ndarray) -> np.ndarray:
        import numpy as np

        counted = np.isfinite(norms) & (norms > 0)
        if not counted.any():
            return weights
        balanced = weights.copy()
        target = norms[counted].sum() / norms[counted]
        balanced[counted] = self.momentum * weights[counted] + (1 - self.momentum) * target
        return balanced


@register("balancing", "none")
@dataclass(frozen=True)
class ConstantOptions(BalancingOptions):
    """`balancing=none`: λ = 1, the weights are τ₁ and τ₂."""

    @property
    def interval(self) -> None:
        return None

    def update(self, weights: np.ndarray, norms: np.ndarray) -> np.ndarray:
        return weights
