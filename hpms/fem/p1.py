"""The coarse space: P1 elements on a uniform mesh of a box in [0,1]^d."""

import math
from functools import cached_property

import numpy as np
import skfem
from jaxtyping import Float
from scipy import sparse

from hpms.fem.elements import elements
from hpms.fem.grid import interpolation, lattice, unit_mesh
from hpms.fem.sample import Function, sample_source

_ELEMENTS = {1: skfem.ElementLineP1, 2: skfem.ElementTriP1, 3: skfem.ElementTetP1}
Blocks = tuple[tuple[sparse.csr_matrix, ...], ...]
_LOAD_ORDER = {1: 9, 2: 8, 3: 6}


class P1Space:
    """V_h = span{φ_i}, the hat functions of the (n+1)^d nodes of a mesh with n cells per axis.

    **Arguments:** the dimension d = 1, 2, 3, the mesh width 0 < h <= 1/2 (smaller than the size of what q varies on),
    and the corners `low` and `high` (d,) of the box, (0,1)^d by default, whose longest side n = round(side/h) >= 2
    divides, or the next n that is a `multiple` of some number. Raises `ValueError` for others. **Attributes:** `nodes`
    (N, d), the indices of the nodes in the box (`interior`) and on its boundary (`boundary`), and `h`, the actual
    longest side of a cell.
    """

    def __init__(
        self,
        dim: int,
        h: float,
        low: Float[np.ndarray, " d"] | None = None,
        high: Float[np.ndarray, " d"] | None = None,
        multiple: int = 1,
    ):
        if dim not in _ELEMENTS or not 0 < h <= 0.5:
            raise ValueError(f"a P1 space needs dim = 1, 2 or 3 and 0 < h <= 0.5, not dim = {dim}, h = {h}")
        self.low = np.zeros(dim) if low is None else low
        self.size = (np.ones(dim) if high is None else high) - self.low
        if not (self.size > 0).all():
            raise ValueError(f"a box with the sides {self.size.tolist()} is empty")
        self.dim, self.n = dim, elements(self.size.max(), h, multiple)
        self.h = float(self.size.max() / self.n)
        unit = lattice(dim, self.n)
        self.nodes = self.low + self.size * unit
        inside = ((unit > 0) & (unit < 1)).all(axis=1)
        self.interior, self.boundary = np.flatnonzero(inside), np.flatnonzero(~inside)

    @cached_property
    def _mesh(self) -> skfem.Mesh:
        return unit_mesh(self.dim, self.n).scaled(self.size).translated(self.low)

    @cached_property
    def stiffness(self) -> Blocks:
        """A^{ab}_ij = ∫ ∂_aφ_i ∂_bφ_j over all N nodes, as `stiffness[a][b]`, a, b = 0..d-1; A^{ba} = (A^{ab})^T."""
        return self._stiffness(None)

    def stiffness_in(self, counts: tuple[int, ...]) -> list[Blocks]:
        """The same over each of so many equal cells along each axis, last axis fastest.

        Raises `ValueError` where an element lies in two of them.
        """
        if any(self.n % count for count in counts):
            raise ValueError(f"{self.n} elements along each axis do not fit into {list(counts)} cells")
        middles = (self._mesh.p[:, self._mesh.t].mean(axis=1) - self.low[:, None]) / self.size[:, None]
        place = np.floor(middles * np.array(counts)[:, None]).astype(int)
        cell = np.ravel_multi_index(tuple(place), counts)
        return [self._stiffness(np.flatnonzero(cell == j)) for j in range(math.prod(counts))]

    def _stiffness(self, elements: np.ndarray | None) -> Blocks:
        basis = skfem.Basis(self._mesh, _ELEMENTS[self.dim](), intorder=0, elements=elements)

        def assemble(a: int, b: int) -> sparse.csr_matrix:
            form = skfem.BilinearForm(lambda u, v, _: v.grad[a] * u.grad[b])
            return sparse.csr_matrix(form.assemble(basis))

        return tuple(tuple(assemble(a, b) for b in range(self.dim)) for a in range(self.dim))

    def nodal_gradient(self, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
        """∇ of Σ_i values_i φ_i, piecewise constant, averaged over the elements around each node by their volumes."""
        basis = skfem.Basis(self._mesh, _ELEMENTS[self.dim](), intorder=1)
        share = skfem.LinearForm(lambda v, _: v).assemble(basis)
        field = basis.interpolate(values)
        sums = [skfem.LinearForm(lambda v, w, a=a: w.y.grad[a] * v).assemble(basis, y=field) for a in range(self.dim)]
        return np.stack(sums, axis=1) / share[:, None]

    def load(self, source: Function) -> Float[np.ndarray, " n"]:
        """F_j = ∫ q φ_j (N,) by quadrature of order 6 or more; `source` is q, from points (M, d) to values (M,).

        Raises `UserError` where q is not finite.
        """
        basis = skfem.Basis(self._mesh, _ELEMENTS[self.dim](), intorder=_LOAD_ORDER[self.dim])
        places = np.asarray(basis.global_coordinates())
        values = sample_source(source, places.reshape(self.dim, -1).T).reshape(places.shape[1:])
        return skfem.LinearForm(lambda v, w: w.q * v).assemble(basis, q=values)

    def interpolation(self, points: Float[np.ndarray, "m d"]) -> sparse.csr_matrix:
        """The matrix (M, N) from nodal values to values at M points of the box; `ValueError` for points outside."""
        return interpolation((points - self.low) / self.size, self.n)
