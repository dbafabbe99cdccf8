"""The nodes of a wide mesh among those of a fine one."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from hpms.fem.p1 import P1Space


class Nested:
    """Two P1 spaces on one box, the nodes of the `wide` one among those of the `fine` one.

    **Arguments:** the dimension, the widths, and the corners `low`, `high` (d,) of the box; the fine mesh has a
    multiple of the wide one's cells along each axis, so it is as fine as given or finer. Raises `ValueError` as
    `P1Space` does.
    """

    def __init__(self, dim: int, wide: float, fine: float, low: Float[np.ndarray, " d"], high: Float[np.ndarray, " d"]):
        self.wide = P1Space(dim, wide, low, high)
        self.fine = P1Space(dim, min(fine, self.wide.h), low, high, multiple=self.wide.n)

    @cached_property
    def places(self) -> Int[np.ndarray, " n"]:
        """The fine node that each wide node is."""
        dim, ratio = self.wide.dim, self.fine.n // self.wide.n
        along = [ratio * np.arange(self.wide.n + 1)] * dim
        indices = np.meshgrid(*along, indexing="ij")
        return np.ravel_multi_index(tuple(i.ravel() for i in indices), (self.fine.n + 1,) * dim)

    @cached_property
    def interior_places(self) -> Int[np.ndarray, " i"]:
        """Among the fine nodes inside, those that are wide ones."""
        return np.searchsorted(self.fine.interior, self.places[self.wide.interior])

    @cached_property
    def interpolation(self) -> sparse.csr_matrix:
        """The matrix from values at the wide nodes to those of their P1 function at the fine ones."""
        return self.wide.interpolation(self.fine.nodes)

    @cached_property
    def edge_interpolation(self) -> sparse.csr_matrix:
        """The same on the boundary, where the function depends on the values there alone."""
        return sparse.csr_matrix(self.interpolation[self.fine.boundary][:, self.wide.boundary])
