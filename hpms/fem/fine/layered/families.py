"""The two kinds of series that make up a solution in a layered medium: Σ_k X_k(x₁) Y_k(x₂, ..., x_d)."""

import abc

import numpy as np
from jaxtyping import Float, Int

from hpms.fem.fine.layered.across import saturation, sines
from hpms.fem.fine.layered.decaying import Decaying
from hpms.fem.fine.layered.period import Period

_NEGLIGIBLE = 40.0  # exp(-40) = 4e-18


class AbstractFamily(abc.ABC):
    """Terms X_k(x₁) Y_k(x₂, ..., x_d), of which the first few are enough far from where they are large."""

    @abc.abstractmethod
    def distance(self, x: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """How far x₁ is from where the terms are large."""

    @abc.abstractmethod
    def count(self, distance: float) -> int:
        """How many terms matter at that distance and beyond."""

    @abc.abstractmethod
    def along(
        self, x: Float[np.ndarray, " m"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m k"]]:
        """X_k and X_k' of the `kept` terms."""

    @abc.abstractmethod
    def across(
        self, points: Float[np.ndarray, "m c"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "c m k"]]:
        """Y_k and its gradient, of the `kept` terms."""


class Cyclic(AbstractFamily):
    """The solution that is periodic in x₁ and vanishes on the rest of ∂Ω: X_j = f_j ψ_j, Y_j = z(·; μ_j).

    f_j = ∫ q ψ_j - jump ∫ K ψ_j' over a period; terms below 1e-13 of the largest in energy are left out.
    """

    def __init__(self, period: Period, source: float, jump: float, reach: float):
        mu, psi = period.periodic
        f = psi.T @ period.load(source, jump)
        size = np.abs(f) / np.sqrt(mu + 1)
        kept = size > 1e-13 * size.max(initial=0)
        self.period, self.reach = period, reach
        self.mu, self.table = mu[kept], psi[:, kept] * f[kept]

    def distance(self, x: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        return np.zeros_like(x)

    def count(self, distance: float) -> int:
        return len(self.mu)

    def along(
        self, x: Float[np.ndarray, " m"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m k"]]:
        length = self.period.length
        value, slope = self.period.interpolation(x - np.floor(x / length + 1e-12) * length)
        table = np.ascontiguousarray(self.table[:, kept])
        return value @ table, slope @ table

    def across(
        self, points: Float[np.ndarray, "m c"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "c m k"]]:
        return saturation(points, self.mu[kept], self.reach)

    def modes(
        self, x: Float[np.ndarray, " m"], lambdas: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m k"]]:
        """What the family has of each sine with c_n = 1, Σ_j f_j ψ_j/(μ_j + λ_k), and its derivative."""
        share = 1 / (self.mu[:, None] + lambdas)
        value, slope = self.along(x, slice(None))
        return value @ share, slope @ share


class Edge(AbstractFamily):
    """A layer at x₁ = 0, or where `mirrored` at x₁ = 1: X_k = α_k e_k, e_k in the distance, Y_k the sines."""

    def __init__(
        self, decaying: Decaying, amplitudes: Float[np.ndarray, " k"], numbers: Int[np.ndarray, "k c"], mirrored: bool
    ):
        self.decaying, self.amplitudes, self.numbers, self.mirrored = decaying, amplitudes, numbers, mirrored

    def distance(self, x: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        return np.maximum(1 - x if self.mirrored else x, 0)

    def count(self, distance: float) -> int:
        return max(1, int(np.searchsorted(self.decaying.rates * distance, _NEGLIGIBLE)))

    def along(
        self, x: Float[np.ndarray, " m"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m k"]]:
        value, slope = self.decaying.along(self.distance(x), kept)
        amplitudes = self.amplitudes[kept]
        return value * amplitudes, slope * (-amplitudes if self.mirrored else amplitudes)

    def across(
        self, points: Float[np.ndarray, "m c"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "c m k"]]:
        return sines(self.numbers[kept], points)
