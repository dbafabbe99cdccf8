"""The coarse space of products of hat functions, on a uniform mesh of a box."""

import math
from collections.abc import Sequence
from functools import cached_property, reduce

import numpy as np
from jaxtyping import Int
from scipy import sparse

from hpms.fem.elements import elements
from hpms.fem.faces import Face
from hpms.fem.p1 import Blocks

_MASS, _SLOPES = np.array([[2, 1], [1, 2]]) / 6, np.array([[1, -1], [-1, 1]])
_MIXED = np.array([[-1, 1], [-1, 1]]) / 2  # ∫ φ_i φ_j'


class Q1Space:
    """V_H = span{φ_i}, multilinear on each element; node i is left out where V_H is to vanish.

    **Arguments:** the `sides` (d,) of the box, the width H (the nearest side/n, n >= 2, along each axis, or the next n
    that is a `multiple` of some number), the faces on which V_H vanishes (`held`), the axes along which it is
    `periodic`, and `pinned`, whether it vanishes at the first node, too: as good as all of V_H up to constants.
    **Attributes:** `counts` n and `widths` H along each axis, `nodes` (N, d), last axis fastest, the numbers of those
    that stay (`interior`) and of the others (`boundary`), and `corners` (E, 2^d), the nodes of each element.
    """

    def __init__(
        self,
        sides: Sequence[float],
        h: float,
        held: Sequence[Face],
        periodic: Sequence[int] = (),
        multiple: int = 1,
        pinned: bool = False,
    ):
        self.dim = len(sides)
        self.counts = tuple(elements(side, h, multiple) for side in sides)
        self.widths = np.asarray(sides) / self.counts
        along = [n if axis in periodic else n + 1 for axis, n in enumerate(self.counts)]
        places = np.stack(np.meshgrid(*map(np.arange, along), indexing="ij"), axis=-1).reshape(-1, self.dim)
        self.nodes = places * self.widths
        out = np.zeros(len(places), bool)
        for axis, end in held:
            out |= places[:, axis] == end * self.counts[axis]
        out[0] |= pinned
        self.interior, self.boundary = np.flatnonzero(~out), np.flatnonzero(out)
        lowest = np.stack(np.unravel_index(np.arange(math.prod(self.counts)), self.counts), axis=-1)
        steps = np.stack(np.unravel_index(np.arange(2**self.dim), (2,) * self.dim), axis=-1)
        every = ((lowest[:, None] + steps) % along).transpose(2, 0, 1)
        self.corners: Int[np.ndarray, "e c"] = np.asarray(np.ravel_multi_index(tuple(every), along))
        self._along = along

    @property
    def h(self) -> float:
        """The longest side of an element."""
        return float(self.widths.max())

    @cached_property
    def stiffness(self) -> Blocks:
        """A^{ab}_ij = ∫ ∂_aφ_i ∂_bφ_j over all N nodes, as `stiffness[a][b]`."""
        return self._stiffness([(0, n) for n in self.counts])

    def stiffness_in(self, counts: tuple[int, ...]) -> list[Blocks]:
        """The same over each of so many equal cells along each axis, last axis fastest, whose number divides n."""
        sizes = [n // count for n, count in zip(self.counts, counts, strict=True)]
        cells = np.ndindex(*counts)
        return [self._stiffness([(i * m, (i + 1) * m) for i, m in zip(cell, sizes, strict=True)]) for cell in cells]

    def _stiffness(self, parts: Sequence[tuple[int, int]]) -> Blocks:
        axes = range(self.dim)

        def assemble(a: int, b: int) -> sparse.csr_matrix:
            factors = [self._matrix(c, c == a, c == b, parts[c]) for c in axes]
            return sparse.csr_matrix(reduce(lambda left, right: sparse.kron(left, right, format="csr"), factors))

        return tuple(tuple(assemble(a, b) for b in axes) for a in axes)

    def _matrix(self, axis: int, left: bool, right: bool, part: tuple[int, int]) -> sparse.csr_matrix:
        """∫ φ_i φ_j along an axis over some of its elements, with the derivative of φ_i where `left`, φ_j `right`."""
        found = {(0, 0): _MASS, (0, 1): _MIXED, (1, 0): _MIXED.T, (1, 1): _SLOPES}[left, right]
        local = found * self.widths[axis] ** (1 - left - right)
        ends = (np.arange(*part)[:, None] + np.arange(2)) % self._along[axis]
        rows, columns = np.repeat(ends, 2, axis=1), np.tile(ends, (1, 2))
        entries = np.tile(local.ravel(), (len(ends), 1))
        shape = (self._along[axis],) * 2
        return sparse.csr_matrix((entries.ravel(), (rows.ravel(), columns.ravel())), shape=shape)
