"""The solution in a layered medium as a function."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from hpms.fem.field import AbstractField
from hpms.fem.fine.layered.across import odd_numbers
from hpms.fem.fine.layered.decaying import Decaying
from hpms.fem.fine.layered.families import AbstractFamily, Cyclic, Edge
from hpms.fem.fine.layered.integrals import Integrals
from hpms.fem.fine.layered.period import Period
from hpms.fem.fine.layered.series import add_at_points, add_on_grid

_OUTSIDE = 1e-9
_FULL = 2  # a grid is at most that many times as large as the set of points


class Layers:
    """What all solutions in one layered medium share: the medium `rising` from x₁ = 0 and `falling` from x₁ = 1, the
    `numbers` n of the sines, λ = π²|n|², c_n, and the solutions that decay from either end.
    """

    def __init__(self, dim: int, rising: Period, falling: Period, reach: float):
        self.dim, self.rising, self.falling, self.reach = dim, rising, falling, reach
        self.numbers: Int[np.ndarray, "k c"] = odd_numbers(dim, rising.length, reach)
        self.lambdas = np.pi**2 * (self.numbers**2.0).sum(axis=1)
        self.shares = (4 / (np.pi * self.numbers)).prod(axis=1)

    @cached_property
    def ends(self) -> tuple[Decaying, Decaying]:
        """The decaying solutions, each in the distance from its end."""
        return Decaying(self.rising, self.lambdas), Decaying(self.falling, self.lambdas)


class LayeredField(AbstractField):
    """u with -∇·(K(∇u + jump e₁)) = q in (0,1)^d, u = 0 on ∂Ω, for K(x₁) of period p and a constant q.

    u = Σ_j f_j ψ_j(x₁) z(x₂, ...; μ_j) + Σ_n (α_n e_n(x₁) + β_n e*_n(1 - x₁)) Π_a sin(n_a π x_a): a solution that
    vanishes where x₂, ..., x_d do, and layers that make it vanish at x₁ = 0 and 1. `data` is p, q, jump, the `reach` of
    n, and K at the Gauss points of the first period and, from x₁ = 1 backwards, of the last: all else follows.
    """

    most_points = 400_000

    def __init__(self, dim: int, data: Float[np.ndarray, " s"], layers: Layers | None = None):
        period, self.source, self.jump, reach = map(float, data[:4])
        rising, falling = (Period(period, values) for values in data[4:].reshape(2, -1))
        self.dim, self.data = dim, data
        self.layers = layers or Layers(dim, rising, falling, reach)

    @cached_property
    def cyclic(self) -> Cyclic:
        """The part that is periodic in x₁."""
        return Cyclic(self.layers.rising, self.source, self.jump, self.layers.reach)

    @cached_property
    def edges(self) -> tuple[Edge, Edge]:
        """The layers at x₁ = 0 and at x₁ = 1."""
        layers, (left, right) = self.layers, self.layers.ends
        low, high = self.cyclic.modes(np.array([0.0, 1.0]), layers.lambdas)[0] * layers.shares
        one, every = np.ones(1), slice(None)
        to_high, to_low = (end.along(one, every)[0][0] for end in (left, right))
        rest = 1 - to_high * to_low
        alpha, beta = (high * to_low - low) / rest, (low * to_high - high) / rest
        return Edge(left, alpha, layers.numbers, False), Edge(right, beta, layers.numbers, True)

    @cached_property
    def integrals(self) -> Integrals:
        """What is known of integrals of u."""
        return Integrals(self.dim, self.cyclic, self.edges)

    @property
    def families(self) -> tuple[AbstractFamily, ...]:
        """The series whose sum u is."""
        return self.cyclic, *self.edges

    def values(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        return self._sum(points, slopes=False)[:, 0]

    def evaluate(self, points: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m d"]]:
        found = self._sum(points, slopes=True)
        return found[:, 0], found[:, 1:]

    def norms(self) -> tuple[float, float]:
        return self.integrals.norms()

    def _sum(self, points: Float[np.ndarray, "m d"], slopes: bool) -> Float[np.ndarray, "m s"]:
        if not ((points >= -_OUTSIDE) & (points <= 1 + _OUTSIDE)).all():
            raise ValueError("a point lies outside [0,1]")
        points = np.clip(points, 0, 1)
        x, row = np.unique(points[:, 0], return_inverse=True)
        rest, column = np.unique(points[:, 1:], axis=0, return_inverse=True)
        size = 1 + self.dim * slopes
        if len(x) * len(rest) <= _FULL * len(points):
            grid = np.zeros((size, len(x), len(rest)))
            for family in self.families:
                add_on_grid(family, x, rest, grid)
            return grid[:, row.ravel(), column.ravel()].T
        total = np.zeros((size, len(points)))
        for family in self.families:
            add_at_points(family, points, total)
        return total.T
