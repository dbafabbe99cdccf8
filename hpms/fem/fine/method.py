"""The ways to a fine solution: quadrature in 1-D, P1 and P2 elements."""

import abc
from typing import TYPE_CHECKING

import numpy as np

from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.fine.meshes import RESOLUTION
from hpms.fem.fine.quadrature_1d import PanelField, solve_exact
from hpms.fem.fine.solve import FineSolution, solve_fine, solve_homogeneous
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function

if TYPE_CHECKING:
    from hpms.fem.fine.posed import Posed


class AbstractMethod(abc.ABC):
    """A discretisation, as fine as the number n says, of the lifted problem (4.11) and of its coarse counterpart.

    So many fields of a solution behind each other are the `components` of one w.
    """

    components: int = 1

    @abc.abstractmethod
    def width(self, n: int) -> float:
        """The mesh (or panel) width h."""

    @abc.abstractmethod
    def size(self, n: int) -> float:
        """About how many unknowns there are."""

    @abc.abstractmethod
    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        """All d lifted solutions."""

    @abc.abstractmethod
    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        """y with -∇·(k ∇y) = q, y = 0 on ∂Ω, for one number k ≠ 0."""

    @abc.abstractmethod
    def field(self, n: int, data: np.ndarray) -> AbstractField:
        """The field with that `data`."""

    @abc.abstractmethod
    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        """The errors of `fine` in L² and H¹ (not relative), estimated from its difference to `wide`, which has n/2."""


class Quadrature(AbstractMethod):
    """`exact`: Gauss quadrature in 1-D, on n panels."""

    def width(self, n: int) -> float:
        return 1 / n

    def size(self, n: int) -> float:
        return RESOLUTION["exact"][0] * n

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_exact(coefficient, source, n)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        field = solve_exact(lambda points: np.ones(len(points)), source, n, jump=0.0).lifted[0]
        return PanelField(field.data / coefficient)

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return PanelField(data)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        value, slope = wide.evaluate(PanelField.nodes(n))
        change = PanelField(fine.data - np.stack([value, slope[:, 0]]).reshape(fine.data.shape))
        return _scaled(change.norms(), (1.0, 1.0))


class Elements(AbstractMethod):
    """`p1`, `p2`: Lagrange elements of that degree r on n cells per axis, with errors O(h^(r+1)) and O(h^r).

    ‖u_h - u_2h‖ over the error of u_h is √(4^r - 1) in H¹, since u - u_h is orthogonal to u_h - u_2h (in energy); in
    L², 2^(r+1) - 1 is cautious.
    """

    def __init__(self, dim: int, degree: int):
        self.dim, self.degree = dim, degree

    def width(self, n: int) -> float:
        return 1 / n

    def size(self, n: int) -> float:
        return (self.degree * n) ** self.dim

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_fine(self._space(n), coefficient, source, self.dim)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        return solve_homogeneous(self._space(n), source, coefficient)

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return LagrangeField(self._space(n), data)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        space, degree = self._space(n), self.degree
        change = LagrangeField(space, fine.data - wide.values(space.nodes))
        return _scaled(change.norms(), (2.0 ** (degree + 1) - 1, (4.0**degree - 1) ** 0.5))

    def _space(self, n: int) -> LagrangeSpace:
        return LagrangeSpace(self.dim, n, self.degree)


def _scaled(norms: tuple[float, float], gains: tuple[float, float]) -> tuple[float, float]:
    return norms[0] / gains[0], norms[1] / gains[1]


def choose(
    name: str,
    dim: int,
    periods: tuple[float, ...] | None = None,
    box: "Posed | None" = None,
) -> AbstractMethod:
    """The method called `name`: exact, p1, p2, or layered with the period of x₁; for w itself on a `box` or a mesh.

    Raises `ValueError` for others, for exact in 2-D or 3-D, for layered in 1-D or without periods, and for both on a
    mesh or for elasticity.
    """
    if name == "exact" and dim != 1:
        raise ValueError("the exact solution exists in 1-D only")
    if box is not None:
        from hpms.fem.elastic.method import ElasticElements
        from hpms.fem.elastic.problem import ElasticBox, UnitStrains
        from hpms.fem.mesh.method import MeshElements
        from hpms.fem.mesh.problem import MeshProblem

        if isinstance(box, MeshProblem):
            if name not in ("p1", "p2"):
                raise ValueError(f"{name} is not a method on meshes")
            return MeshElements(box, int(name[1]))
        if isinstance(box, ElasticBox | UnitStrains):
            if name not in ("p1", "p2"):
                raise ValueError(f"{name} is not a method for elasticity")
            return ElasticElements(box, int(name[1]))
    if name == "layered":
        from hpms.fem.fine.layered.method import Layered

        if dim == 1 or periods is None:
            raise ValueError("the layered method is for periodic media in 2-D and 3-D")
        return Layered(dim, periods[0])
    if box is not None and name in ("exact", "p1", "p2"):
        from hpms.fem.fine.mixed import MixedElements, MixedQuadrature
        from hpms.fem.fine.semilinear import SemilinearElements

        if name == "exact":
            return MixedQuadrature(box)
        return (MixedElements if box.term is None else SemilinearElements)(box, int(name[1]))
    known = {"exact": Quadrature, "p1": lambda: Elements(dim, 1), "p2": lambda: Elements(dim, 2)}
    if name not in known:
        raise ValueError(f"{name} is not a method")
    return known[name]()
