"""Integrals over Ω of the solution in a layered medium: Parseval across the layers, geometric series along them."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log2

import numpy as np
from jaxtyping import Float

from hpms.fem.fine.layered.across import saturation
from hpms.fem.fine.layered.families import Cyclic, Edge
from hpms.fem.fine.layered.period import GAUSS, Period
from hpms.fem.rules import gauss

_ORDER = 10
_ROUNDING = 1e-6
_FARTHER = 4
_MODES = 1000  # whose values at the points of a period are held at a time


@dataclass(frozen=True)
class AlongRule:
    """Quadrature on (0,1): the points of the first of `whole` periods, those of the `last` one, and those of the `rest`
    that remains at x₁ = 1; the weights are of one period and of the rest.
    """

    whole: int
    first: Float[np.ndarray, " g"]
    last: Float[np.ndarray, " g"]
    weights: Float[np.ndarray, " g"]
    rest: Float[np.ndarray, " r"]
    rest_weights: Float[np.ndarray, " r"]


def along_rule(period: Period) -> AlongRule:
    """The rule whose panels are those of the period."""
    whole, width = floor(1 / period.length + _ROUNDING), period.length / period.panels
    begin, first = whole * period.length, period.points
    starts = begin + width * np.arange(ceil((1 - begin) / width - _ROUNDING))
    sizes = np.minimum(width, 1 - starts)[:, None]
    points, weights = gauss(GAUSS, 0, 1)
    rest = (starts[:, None] + sizes * points).ravel()
    last = first + max(whole - 1, 0) * period.length
    return AlongRule(whole, first, last, period.weights, rest, (sizes * weights).ravel())


def graded_rule(thinnest: float, order: int = _ORDER) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Gauss for functions on (0,1) even about ½, on panels that halve towards 0 down to the width `thinnest`."""
    edges = [0.0, *0.5 ** np.arange(1 + max(0, ceil(log2(0.5 / thinnest))), 0, -1)]
    rules = [gauss(order, low, high) for low, high in pairwise(edges)]
    points, weights = (np.concatenate(arrays) for arrays in zip(*rules, strict=True))
    return points, 2 * weights


@dataclass(frozen=True)
class Across:
    """∫ z_j, ∫ z_i z_j and ∫ ∇z_i·∇z_j over (0,1)^(d-1), for the z of `saturation`."""

    means: Float[np.ndarray, " j"]
    masses: Float[np.ndarray, "j j"]
    energies: Float[np.ndarray, "j j"]


def across(dim: int, mu: Float[np.ndarray, " j"], reach: float) -> Across:
    """By a graded rule in 2-D; in 3-D that in one axis, and Parseval's sum over odd n up to four times `reach` in the
    other, z = Σ c_n sin(nπa) ζ(b; μ + n²π²).
    """
    numbers = [0] if dim == 2 else range(1, int(_FARTHER * reach) + 1, 2)
    points, weights = graded_rule(1 / max(2.0, (mu.max(initial=0.0) + (np.pi * max(numbers)) ** 2) ** 0.5))
    means, masses, energies = np.zeros(len(mu)), np.zeros((len(mu),) * 2), np.zeros((len(mu),) * 2)
    for n in numbers:
        lambda_ = (np.pi * n) ** 2
        value, (slope,) = saturation(points[:, None], mu + lambda_, reach)
        share, mean = (8 / lambda_, 2 / (np.pi * n)) if n else (1.0, 1.0)
        gram = share * value.T @ (weights[:, None] * value)
        means += mean * (4 / (np.pi * n) if n else 1.0) * (weights @ value)
        masses += gram
        energies += share * slope.T @ (weights[:, None] * slope) + lambda_ * gram
    return Across(means, masses, energies)


class Integrals:
    """‖u‖, ‖∇u‖ and ∫ K ∂₁u of u = cyclic + edges with K(x₁), in d dimensions.

    Σ over the sines of what is orthogonal, except the square of the cyclic part, whose series of sines is slow: its
    Gram matrices across the layers come from a graded rule. Sums over the W whole periods are geometric.
    """

    def __init__(self, dim: int, cyclic: Cyclic, edges: tuple[Edge, Edge]):
        self.dim, self.cyclic, self.edges = dim, cyclic, edges
        self.rule = along_rule(cyclic.period)
        self.across = across(dim, cyclic.mu, cyclic.reach)

    def norms(self) -> tuple[float, float]:
        """‖u‖ and ‖∇u‖."""
        lambdas, (value, slope) = self.edges[0].decaying.lambdas, self._squares_of_cyclic()
        for start in range(0, len(lambdas), _MODES):
            kept = slice(start, start + _MODES)
            mass, energy = self._squares_with_edges(kept)
            value += mass.sum()
            slope += (energy + lambdas[kept] * mass).sum()
        return max(0.0, float(value)) ** 0.5, max(0.0, float(slope)) ** 0.5

    def flux(self, coefficient: Float[np.ndarray, " g"], rest: Float[np.ndarray, " r"]) -> float:
        """∫ K ∂₁u, K given at the points of the rule."""
        rule = self.rule
        weights, rest_weights = coefficient * rule.weights, rest * rule.rest_weights
        slope, rest_slope = (self.cyclic.along(x, slice(None))[1] for x in (rule.first, rule.rest))
        total = (rule.whole * weights @ slope + rest_weights @ rest_slope) @ self.across.means
        for start in range(0, len(self.edges[0].amplitudes), _MODES):
            kept = slice(start, start + _MODES)
            share = (2 / (np.pi * self.edges[0].numbers[kept])).prod(axis=1)
            once, _, _ = self._geometric(kept)
            for edge, x in zip(self.edges, (rule.first, rule.last), strict=True):
                total += (
                    once * (weights @ edge.along(x, kept)[1]) + rest_weights @ edge.along(rule.rest, kept)[1]
                ) @ share
        return float(total)

    def _squares_of_cyclic(self) -> tuple[float, float]:
        rule, mass, energy = self.rule, self.across.masses, self.across.energies
        along = [self.cyclic.along(x, slice(None)) for x in (rule.first, rule.rest)]
        measures = (rule.whole * rule.weights, rule.rest_weights)
        grams = [sum(a[k].T @ (w[:, None] * a[k]) for a, w in zip(along, measures, strict=True)) for k in (0, 1)]
        return (grams[0] * mass).sum(), (grams[1] * mass + grams[0] * energy).sum()

    def _squares_with_edges(self, kept: slice) -> tuple[np.ndarray, np.ndarray]:
        """∫ (2 P + E) E and that of the derivatives for each sine, E the edges', P the cyclic part, and ∫ sin²."""
        rule, (low, high) = self.rule, self.edges
        lambdas, numbers = low.decaying.lambdas[kept], low.numbers[kept]
        share = (4 / (np.pi * numbers)).prod(axis=1)
        once, twice, crossed = self._geometric(kept)
        cyclic, at_low, at_high = (
            self.cyclic.modes(rule.first, lambdas),
            low.along(rule.first, kept),
            high.along(rule.last, kept),
        )
        rest = [self.cyclic.modes(rule.rest, lambdas), low.along(rule.rest, kept), high.along(rule.rest, kept)]
        found = []
        for k in (0, 1):
            p, a, b, w = cyclic[k] * share, at_low[k], at_high[k], rule.weights
            total = once * (w @ (2 * p * (a + b))) + twice * (w @ (a**2 + b**2)) + crossed * (w @ (2 * a * b))
            edge = rest[1][k] + rest[2][k]
            found.append(0.5 ** (self.dim - 1) * (total + rule.rest_weights @ ((2 * share * rest[0][k] + edge) * edge)))
        return found[0], found[1]

    def _geometric(self, kept: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Σ ρ^w, Σ ρ^2w and Σ ρ^w ρ^(W-1-w) over the whole periods w = 0..W-1."""
        theta, whole = self.edges[0].decaying.theta[kept], self.rule.whole
        once, twice = (np.expm1(-s * whole * theta) / np.expm1(-s * theta) for s in (1, 2))
        return once, twice, whole * np.exp(-max(whole - 1, 0) * theta)
