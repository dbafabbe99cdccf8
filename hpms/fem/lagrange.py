"""P1 and P2 elements on the uniform Kuhn grid, with unknowns numbered by arithmetic."""

from collections.abc import Iterator

import numpy as np
import skfem
from jaxtyping import Float, Int
from skfem.quadrature import get_quadrature

from hpms.fem import basis
from hpms.fem.grid import Location, axis_orders, check_grid, corners, cubes, lattice, locate, strides

_ELEMENTS = {1: skfem.ElementLineP1, 2: skfem.ElementTriP1, 3: skfem.ElementTetP1}


class LagrangeSpace:
    """P_r, r = 1, 2, on `unit_mesh(d, n)`; its unknowns are the values at the lattice of spacing 1/(rn).

    All simplices of one kind are translates of each other, so tables per kind (d! of them) replace loops over elements.
    Local node k of a simplex: its d+1 vertices, then (r = 2) the midpoints of its edges.
    """

    def __init__(self, dim: int, n: int, degree: int):
        check_grid(dim, n)
        if degree not in (1, 2):
            raise ValueError(f"degree = {degree} is neither 1 nor 2")
        self.dim, self.n, self.degree = dim, n, degree
        vertices = corners(dim)
        local = [vertices[:, i] + vertices[:, j] for i, j in basis.edges(dim + 1)] if degree == 2 else []
        offsets = np.concatenate([degree * vertices, *[middle[:, None] for middle in local]], axis=1)
        self._strides = strides(dim, degree * n)
        self._offsets = offsets @ self._strides
        self.size = (degree * n + 1) ** dim

    @property
    def nodes(self) -> Float[np.ndarray, "m d"]:
        """The places of the unknowns."""
        return lattice(self.dim, self.degree * self.n)

    @property
    def interior(self) -> Int[np.ndarray, " m"]:
        """The unknowns in Ω."""
        inside = np.zeros((self.degree * self.n + 1,) * self.dim, dtype=bool)
        inside[(slice(1, -1),) * self.dim] = True
        return np.flatnonzero(inside)

    def unknowns(self, cube: Int[np.ndarray, "m d"], simplex: int | Int[np.ndarray, " m"]) -> Int[np.ndarray, "m k"]:
        """The global number of each local unknown."""
        return (self.degree * cube @ self._strides)[:, None] + self._offsets[simplex]

    def shape(self, barycentric: Float[np.ndarray, "m v"]) -> Float[np.ndarray, "m k"]:
        """The local basis functions: λ_i, or λ_i(2λ_i - 1) and 4λ_iλ_j."""
        return basis.shape(barycentric, self.degree)

    def slopes(
        self, barycentric: Float[np.ndarray, "m v"], order: Int[np.ndarray, "m d"]
    ) -> Float[np.ndarray, "m k d"]:
        """The gradients of the local basis functions in simplices with the axes `order`."""
        change = basis.changes(barycentric, self.degree)
        along = self.n * (change[:, :, 1:] - change[:, :, :-1])
        slopes = np.empty_like(along)
        np.put_along_axis(slopes, np.broadcast_to(order[:, None], along.shape), along, axis=2)
        return slopes

    def locate(self, points: Float[np.ndarray, "m d"]) -> tuple[Int[np.ndarray, "m k"], Location]:
        """The unknowns that matter at each point, and where it lies."""
        found = locate(points, self.n)
        return self.unknowns(found.cube, found.simplex), found

    def rule(self, order: int) -> tuple[Float[np.ndarray, "q v"], Float[np.ndarray, " q"]]:
        """Barycentric points and weights on one element, exact for polynomials up to `order`."""
        points, weights = get_quadrature(_ELEMENTS[self.dim].refdom, order)
        return np.concatenate([1 - points.sum(axis=0, keepdims=True), points]).T, weights / self.n**self.dim

    def integrals(self) -> Float[np.ndarray, " n"]:
        """∫ φ_i over the unit cube."""
        barycentric, weights = self.rule(self.degree)
        each, found = weights @ self.shape(barycentric), np.zeros(self.size)
        for simplex, cube in self.blocks(200_000):
            unknowns = self.unknowns(cube, simplex)
            found += np.bincount(unknowns.ravel(), weights=np.tile(each, len(cube)), minlength=self.size)
        return found

    def places(
        self, barycentric: Float[np.ndarray, "q v"], cube: Int[np.ndarray, "m d"], simplex: int
    ) -> Float[np.ndarray, "m q d"]:
        """The points of a rule in simplex number `simplex` of each cube."""
        return (cube[:, None] + barycentric @ corners(self.dim)[simplex]) / self.n

    def table(self, barycentric: Float[np.ndarray, "q v"], simplex: int) -> Float[np.ndarray, "q k d"]:
        """`slopes` at the points of a rule in simplex number `simplex`."""
        order = np.broadcast_to(axis_orders(self.dim)[simplex], (len(barycentric), self.dim))
        return self.slopes(barycentric, order)

    def blocks(self, size: int) -> Iterator[tuple[int, Int[np.ndarray, "m d"]]]:
        """All elements, as a simplex number and at most `size` cubes."""
        every = cubes(self.dim, self.n)
        for simplex in range(len(corners(self.dim))):
            for start in range(0, len(every), size):
                yield simplex, every[start : start + size]
