"""The method `layered`: an almost exact fine solution of a medium that depends on x₁ alone."""

import time
from itertools import pairwise
from math import ceil

import numpy as np
from jaxtyping import Float

from hpms.fem.field import AbstractField
from hpms.fem.fine.layered.across import odd_numbers
from hpms.fem.fine.layered.field import LayeredField, Layers
from hpms.fem.fine.layered.integrals import along_rule, graded_rule
from hpms.fem.fine.layered.period import DEGREE, Period, gauss_points
from hpms.fem.fine.meshes import layered_nodes
from hpms.fem.fine.method import AbstractMethod
from hpms.fem.fine.solve import FineSolution
from hpms.fem.rules import panels, tensor
from hpms.fem.sample import Function, sample_coefficient, sample_source

_TAIL = 3e-5  # of the relative H¹ norm, beyond the modes
_LEAST_REACH, _MOST_REACH = 150.0, 20_000.0
_GAIN = 3.0  # the edges' layers converge with the square of the number of modes, or faster
_ORDER = {2: 4, 3: 3}
_PANEL_POINTS = {2: 3, 3: 2}


class Layered(AbstractMethod):
    """`layered`: for K(x₁) of period p and a constant q, with n nodes per period and modes that grow with n.

    The corrector, pinned where x₂ = 0 and 1, is a sum over eigenfunctions of one period. The layers at x₁ = 0 and 1 are
    sums of Floquet solutions times sines up to a number r: beyond 1/p their relative H¹ error falls like p⁻¹r⁻².
    """

    def __init__(self, dim: int, period: float):
        self.dim, self.period = dim, period

    def width(self, n: int) -> float:
        return self.period / n

    def size(self, n: int) -> float:
        return n * len(odd_numbers(self.dim, self.period, self._reach(n)))

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        start = time.perf_counter()
        points = gauss_points(self.period, n // DEGREE)
        rising, falling = (sample_coefficient(coefficient, self._across(x)) for x in (points, 1 - points))
        constant = float(sample_source(source, np.full((1, self.dim), 0.5))[0])
        media = Period(self.period, rising), Period(self.period, falling)
        layers = Layers(self.dim, *media, self._reach(n))
        rule = along_rule(layers.rising)
        rest = sample_coefficient(coefficient, self._across(rule.rest))
        sampled = time.perf_counter()
        fields, upscaled = [], np.zeros((self.dim, self.dim))
        for jump in (1.0, 0.0):
            field = self._field(n, rising, falling, constant, jump, layers)
            upscaled[slice(0, 1) if jump else slice(1, None), 0] = field.integrals.flux(rising, rest)
            fields.append(field)
        upscaled += (rule.whole * (rule.weights @ rising) + rule.rest_weights @ rest) * np.eye(self.dim)
        return FineSolution(
            (fields[0], *fields[1:] * (self.dim - 1)),
            upscaled,
            len(layers.lambdas) * n,
            sampled - start,
            time.perf_counter() - sampled,
        )

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        constant = float(sample_source(source, np.full((1, self.dim), 0.5))[0])
        ones = np.ones_like(gauss_points(self.period, n // DEGREE))
        return self._field(n, ones, ones, constant / coefficient, 0.0)

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return LayeredField(self.dim, data)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        points, weights = self._sampled(n)
        changes = (a - b for a, b in zip(fine.evaluate(points), wide.evaluate(points), strict=True))
        l2, h1 = (float(weights @ (each**2).reshape(len(weights), -1).sum(axis=1)) ** 0.5 for each in changes)
        return l2 / _GAIN, h1 / _GAIN

    def _field(
        self,
        n: int,
        rising: Float[np.ndarray, " g"],
        falling: Float[np.ndarray, " g"],
        source: float,
        jump: float,
        layers: Layers | None = None,
    ) -> LayeredField:
        header = [self.period, source, jump, self._reach(n)]
        return LayeredField(self.dim, np.concatenate([header, rising, falling]), layers)

    def _reach(self, n: int) -> float:
        """The largest n of the sines."""
        wanted = min(_MOST_REACH, max(_LEAST_REACH, (self.period * _TAIL) ** -0.5))
        return wanted * n / layered_nodes(self.period, None)

    def _across(self, x: Float[np.ndarray, " m"]) -> Float[np.ndarray, "m d"]:
        """The points (x₁, ½, ...)."""
        return np.stack([x, *[np.full_like(x, 0.5)] * (self.dim - 1)], axis=1)

    def _sampled(self, n: int) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Points and weights for differences: fewer and fewer periods away from the ends of x₁, graded elsewhere."""
        count = max(1, ceil(1 / self.period - 1e-9))
        half = [0, *2 ** np.arange(int(np.log2(max(count // 2, 1))) + 1)]
        edges = np.unique([*half, *(count - each for each in half)])
        base, share = panels(0, min(self.period, 1.0), n // DEGREE, _PANEL_POINTS[self.dim])
        along = np.concatenate([(low + high - 1) // 2 * self.period + base for low, high in pairwise(edges)])
        weights = np.concatenate([(high - low) * share for low, high in pairwise(edges)])
        inside = along < 1
        along, weights = along[inside], weights[inside]
        across, across_weights = tensor(self.dim - 1, *graded_rule(1 / self._reach(n), _ORDER[self.dim]))
        points = np.concatenate([np.repeat(along, len(across))[:, None], np.tile(across, (len(along), 1))], axis=1)
        return points, np.outer(weights, across_weights).ravel()
