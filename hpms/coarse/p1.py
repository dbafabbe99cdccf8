"""The coarse space: P1 elements on a uniform mesh of (0,1)^d."""

from functools import cached_property

import numpy as np
import skfem
from jaxtyping import Float
from scipy import sparse

from hpms.coarse.grid import interpolation, lattice, unit_mesh
from hpms.coarse.sample import Function, sample_source

_ELEMENTS = {1: skfem.ElementLineP1, 2: skfem.ElementTriP1, 3: skfem.ElementTetP1}
_LOAD_ORDER = {1: 9, 2: 8, 3: 6}


class P1Space:
    """V_h = span{φ_i}, the hat functions of the (n+1)^d nodes of a mesh with n = round(1/h) cells per axis.

    **Arguments:** the dimension d = 1, 2, 3 and the mesh width 0 < h <= 1/2 (smaller than the size of what q varies
    on). Raises `ValueError` for others. **Attributes:** `nodes` (N, d), `interior` indices of the nodes in Ω, and `h`,
    the actual 1/n.
    """

    def __init__(self, dim: int, h: float):
        if dim not in _ELEMENTS or not 0 < h <= 0.5:
            raise ValueError(f"a P1 space needs dim = 1, 2 or 3 and 0 < h <= 0.5, not dim = {dim}, h = {h}")
        self.dim, self.n = dim, round(1 / h)
        self.h = 1 / self.n
        self.nodes = lattice(dim, self.n)
        self.interior = np.flatnonzero(((self.nodes > 0) & (self.nodes < 1)).all(axis=1))

    @cached_property
    def _mesh(self) -> skfem.Mesh:
        return unit_mesh(self.dim, self.n)

    @cached_property
    def stiffness(self) -> tuple[tuple[sparse.csr_matrix, ...], ...]:
        """A^{ab}_ij = ∫ ∂_aφ_i ∂_bφ_j over all N nodes, as `stiffness[a][b]`, a, b = 0..d-1; A^{ba} = (A^{ab})^T."""
        basis = skfem.Basis(self._mesh, _ELEMENTS[self.dim](), intorder=0)

        def assemble(a: int, b: int) -> sparse.csr_matrix:
            form = skfem.BilinearForm(lambda u, v, _: v.grad[a] * u.grad[b])
            return sparse.csr_matrix(form.assemble(basis))

        return tuple(tuple(assemble(a, b) for b in range(self.dim)) for a in range(self.dim))

    def load(self, source: Function) -> Float[np.ndarray, " n"]:
        """F_j = ∫ q φ_j (N,) by quadrature of order 6 or more; `source` is q, from points (M, d) to values (M,).

        Raises `UserError` where q is not finite.
        """
        basis = skfem.Basis(self._mesh, _ELEMENTS[self.dim](), intorder=_LOAD_ORDER[self.dim])
        places = np.asarray(basis.global_coordinates())
        values = sample_source(source, places.reshape(self.dim, -1).T).reshape(places.shape[1:])
        return skfem.LinearForm(lambda v, w: w.q * v).assemble(basis, q=values)

    def interpolation(self, points: Float[np.ndarray, "m d"]) -> sparse.csr_matrix:
        """The matrix (M, N) from nodal values to values at M points of [0,1]^d; `ValueError` for points outside."""
        return interpolation(points, self.n)
