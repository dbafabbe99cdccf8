"""Vectors of hats on a uniform mesh of a box."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from scipy import sparse

from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.faces import Face
from hpms.fem.p1 import Blocks


class VectorSpace:
    """V_H^d = span{φ_m e_i} without those that vanish where component i is `held`; number d·m + i.

    **Attributes:** the `grid` of the hats, `nodes` (N·d, d) of the numbers, which of these stay (`interior`)
    and which do not (`boundary`), and `corners` (E, 2^d·d), those of each element.
    """

    def __init__(self, grid: Q1Space, held: Sequence[Sequence[Face]]):
        self.grid, self.dim, self.h = grid, grid.dim, grid.h
        self.nodes = np.repeat(grid.nodes, self.dim, axis=0)
        out = np.zeros((len(grid.nodes), self.dim), bool)
        for i, faces in enumerate(held):
            for axis, end in faces:
                out[:, i] |= np.isclose(grid.nodes[:, axis], end * grid.counts[axis] * grid.widths[axis])
        self.interior, self.boundary = np.flatnonzero(~out), np.flatnonzero(out)
        every = self.dim * grid.corners[:, :, None] + np.arange(self.dim)
        self.corners: Int[np.ndarray, "e c"] = every.reshape(len(grid.corners), -1)

    @property
    def stiffness(self) -> Blocks:
        """None of a tensor: there is no upscaled one of vectors."""
        nothing = sparse.csr_matrix((len(self.nodes),) * 2)
        return ((nothing,) * self.dim,) * self.dim

    def stiffness_in(self, counts: tuple[int, ...]) -> list[Blocks]:
        """The same in so many cells along each axis."""
        return [self.stiffness] * int(np.prod(counts))
