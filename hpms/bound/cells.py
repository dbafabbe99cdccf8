"""The cells of a box over which means are taken, with quadrature points in each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

_PER_PERIOD, _LEAST, _RESOLVED = 3, 16, 8  # cells along an axis, in a period of the medium and in all; points
_GROWTH, _ROOM, _FEW = 1.25, 2, 2e6
_EACH, _MOST = 3, {1: 400_000, 2: 4000}


@dataclass(frozen=True)
class Cells:
    """`counts` n_a equal cells along each axis of the box with these `sides`, with `each` g points along each axis:
    those of Gauss and Legendre, or midpoints where a cell is wider than the medium's `periods`.
    """

    sides: tuple[float, ...]
    counts: tuple[int, ...]
    periods: tuple[float, ...]
    each: int = _EACH

    @property
    def dim(self) -> int:
        return len(self.sides)

    @property
    def widths(self) -> Float[np.ndarray, " d"]:
        """H_a."""
        return np.array(self.sides) / np.array(self.counts)

    @property
    def volume(self) -> float:
        """|T|."""
        return float(np.prod(self.widths))

    @property
    def points(self) -> int:
        """How many quadrature points there are."""
        return math.prod(n * self.each for n in self.counts)

    @property
    def resolves(self) -> bool:
        """Whether a period has at least eight points along each axis."""
        return bool((_RESOLVED * self.widths <= self.each * np.array(self.periods) * (1 + 1e-9)).all())

    def rule(self, axis: int) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
        """Points and weights in (0,1) along an axis."""
        if self.widths[axis] <= self.periods[axis]:
            points, weights = np.polynomial.legendre.leggauss(self.each)
            return (1 + points) / 2, weights / 2
        return (np.arange(self.each) + 0.5) / self.each, np.full(self.each, 1 / self.each)

    def local(self, axes: Sequence[int]) -> tuple[Float[np.ndarray, "g a"], Float[np.ndarray, " g"]]:
        """The product of the rules along some axes: points in (0,1)^a, last axis fastest, and weights."""
        if not axes:
            return np.zeros((1, 0)), np.ones(1)
        rules = [self.rule(axis) for axis in axes]
        points = np.stack(np.meshgrid(*[p for p, _ in rules], indexing="ij"), axis=-1).reshape(-1, len(axes))
        weights = np.stack(np.meshgrid(*[w for _, w in rules], indexing="ij"), axis=-1).prod(axis=-1).ravel()
        return points, weights

    def corners(self, axes: Sequence[int]) -> Int[np.ndarray, "n a"]:
        """The numbers of the cells along some axes, last axis fastest."""
        if not axes:
            return np.zeros((1, 0), int)
        return np.indices([self.counts[axis] for axis in axes]).reshape(len(axes), -1).T

    def finer(self, most: float) -> "Cells | None":
        """Twice as many along each axis, or as many as `most` points and a flux that is soon found allow; None where
        that is little.
        """
        growth = min(2.0, (most / self.points) ** (1 / self.dim), _MOST[min(self.dim, 2)] / max(self.counts))
        return None if growth < _GROWTH else replace(self, counts=tuple(math.floor(growth * n) for n in self.counts))


def enough(sides: tuple[float, ...], periods: tuple[float, ...], most: float) -> float:
    """How many points see every period, and leave room for finer cells, of at most `most`; few where these do not."""
    needed = cells(sides, periods, math.inf).points
    return min(max(_ROOM * needed, _FEW), most) if needed <= most else min(_FEW, most)


def cells(sides: tuple[float, ...], periods: tuple[float, ...], most: float) -> Cells:
    """Three cells a period and 16 along the longest side, or as many as `most` quadrature points allow."""
    shortest = max(sides) / _LEAST
    counts = np.array([max(_PER_PERIOD * s / p, s / shortest, 1) for s, p in zip(sides, periods, strict=True)])
    share = (most / (np.prod(np.ceil(counts)) * _EACH ** len(sides))) ** (1 / len(sides))
    found = [max(1, math.ceil(n * min(1.0, share) - 1e-9)) for n in counts]
    return Cells(sides, tuple(min(n, _MOST[min(len(sides), 2)]) for n in found), periods)
