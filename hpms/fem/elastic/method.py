"""P1 and P2 elements for elasticity as a way to a reference."""

import numpy as np

from hpms.fem.elastic.problem import ElasticBox
from hpms.fem.elastic.solve import solve_elastic
from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.fine.method import AbstractMethod
from hpms.fem.fine.solve import FineSolution
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function


class ElasticElements(AbstractMethod):
    """Vectors of P1 or P2 elements of degree r on n cells along each side of a box, with errors O(h^(r+1)) and O(h^r);
    the fields of a solution are the components of w.
    """

    joint = True

    def __init__(self, box: ElasticBox, degree: int):
        self.box, self.degree, self.dim = box, degree, len(box.sides)

    def width(self, n: int) -> float:
        return max(self.box.sides) / n

    def size(self, n: int) -> float:
        return self.dim * (self.degree * n) ** self.dim

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_elastic(self._space(n), coefficient, source, self.box)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        """Zero: there is no coarse problem."""
        return self.field(n, np.zeros(self._space(n).size))

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return LagrangeField(self._space(n), data, self.box.sides)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        nodes = self._space(n).nodes * np.array(self.box.sides)
        l2, h1 = self.field(n, fine.data - wide.values(nodes)).norms()
        return l2 / (2.0 ** (self.degree + 1) - 1), h1 / (4.0**self.degree - 1) ** 0.5

    def _space(self, n: int) -> LagrangeSpace:
        return LagrangeSpace(self.dim, n, self.degree)
