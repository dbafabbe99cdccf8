"""Vectors of hats on a uniform mesh of a box."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Int
from scipy import sparse

from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.elastic.strains import unit_strains
from hpms.fem.faces import Face
from hpms.fem.p1 import Blocks, P1Space


class VectorSpace:
    """V_H^d = span{φ_m e_i} without those that vanish where component i is `held`; number d·m + i.

    **Attributes:** the `grid` of the hats, `nodes` (N·d, d) of the numbers, and which of these stay (`interior`) and
    which do not (`boundary`).
    """

    def __init__(self, grid: Q1Space | P1Space, held: Sequence[Sequence[Face]]):
        self.grid, self.dim, self.h = grid, grid.dim, grid.h
        self.nodes = np.repeat(grid.nodes, self.dim, axis=0)
        ends = grid.nodes.min(axis=0), grid.nodes.max(axis=0)
        out = np.zeros((len(grid.nodes), self.dim), bool)
        for i, faces in enumerate(held):
            for axis, end in faces:
                out[:, i] |= np.isclose(grid.nodes[:, axis], ends[end][axis])
        self.interior, self.boundary = np.flatnonzero(~out), np.flatnonzero(out)

    @property
    def corners(self) -> Int[np.ndarray, "e c"]:
        """The numbers (E, 2^d·d) of each element of a grid of such."""
        assert isinstance(self.grid, Q1Space)
        every = self.dim * self.grid.corners[:, :, None] + np.arange(self.dim)
        return every.reshape(len(self.grid.corners), -1)

    @cached_property
    def stiffness(self) -> Blocks:
        """A^{kl} = ∫ (E_k:e(φ_m e_i)) (E_l:e(φ_n e_j)) over all numbers, as `stiffness[k][l]`, of the unit strains E_k:
        those of a stiffness in Mandel's scaling.
        """
        units, blocks, axes = unit_strains(self.dim), self.grid.stiffness, range(self.dim)

        def assemble(k: int, l: int) -> sparse.csr_matrix:  # noqa: E741
            parts = [
                sparse.kron(blocks[a][b], np.outer(units[k, :, a], units[l, :, b]), format="csr")
                for a in axes
                for b in axes
                if units[k, :, a].any() and units[l, :, b].any()
            ]
            return sparse.csr_matrix(sum(parts))

        count = range(len(units))
        return tuple(tuple(assemble(k, l) for l in count) for k in count)  # noqa: E741

    def stiffness_in(self, counts: tuple[int, ...]) -> list[Blocks]:
        """That of all of Ω: there are no cells."""
        assert set(counts) == {1}
        return [self.stiffness]
