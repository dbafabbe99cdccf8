"""The ways to a fine solution: quadrature in 1-D, P1 and P2 elements."""

import abc

import numpy as np

from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.fine.meshes import RESOLUTION
from hpms.fem.fine.quadrature_1d import PanelField, solve_exact
from hpms.fem.fine.solve import FineSolution, solve_fine, solve_homogeneous
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function


class AbstractMethod(abc.ABC):
    """A discretisation with n cells per axis of the lifted problem (4.11) and of its coarse counterpart.

    `nodes_per_cell` counts along one axis, `gains` are ‖u_h - u_2h‖ over the error of
    u_h, in L² and H¹ (1 where there is nothing to extrapolate).
    """

    nodes_per_cell: int
    gains: tuple[float, float]

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
    def difference(self, n: int, fine: AbstractField, wide: AbstractField) -> AbstractField:
        """fine - wide, two fields with n and with n/2 cells."""


class Quadrature(AbstractMethod):
    """`exact`: Gauss quadrature in 1-D."""

    nodes_per_cell, gains = RESOLUTION["exact"][0], (1.0, 1.0)

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_exact(coefficient, source, n)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        field = solve_exact(lambda points: np.ones(len(points)), source, n, jump=0.0).lifted[0]
        return PanelField(field.data / coefficient)

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return PanelField(data)

    def difference(self, n: int, fine: AbstractField, wide: AbstractField) -> AbstractField:
        value, slope = wide.evaluate(PanelField.nodes(n))
        return PanelField(fine.data - np.stack([value, slope[:, 0]]).reshape(fine.data.shape))


class Elements(AbstractMethod):
    """`p1`, `p2`: Lagrange elements of that degree r, with errors O(h^(r+1)) and O(h^r).

    The H¹ gain is √(4^r - 1), since u - u_h is orthogonal to u_h - u_2h (in energy); in L², 2^(r+1) - 1 is cautious.
    """

    def __init__(self, dim: int, degree: int):
        self.dim, self.degree = dim, degree
        self.nodes_per_cell = RESOLUTION[f"p{degree}"][0]
        self.gains = (2.0 ** (degree + 1) - 1, (4.0**degree - 1) ** 0.5)

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_fine(self._space(n), coefficient, source, self.dim)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        return solve_homogeneous(self._space(n), source, coefficient)

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return LagrangeField(self._space(n), data)

    def difference(self, n: int, fine: AbstractField, wide: AbstractField) -> AbstractField:
        space = self._space(n)
        return LagrangeField(space, fine.data - wide.values(space.nodes))

    def _space(self, n: int) -> LagrangeSpace:
        return LagrangeSpace(self.dim, n, self.degree)


def choose(name: str, dim: int) -> AbstractMethod:
    """The method called `name`: exact, p1 or p2. Raises `ValueError` for others, and for exact in 2-D or 3-D."""
    if name == "exact" and dim != 1:
        raise ValueError("the exact solution exists in 1-D only")
    known = {"exact": Quadrature, "p1": lambda: Elements(dim, 1), "p2": lambda: Elements(dim, 2)}
    if name not in known:
        raise ValueError(f"{name} is not a method")
    return known[name]()
