"""P1 and P2 elements for elasticity as a way to a reference."""

from hpms.fem.elastic.problem import ElasticBox
from hpms.fem.elastic.solve import solve_elastic
from hpms.fem.fine.mixed import AbstractBoxElements
from hpms.fem.fine.solve import FineSolution
from hpms.fem.sample import Function


class ElasticElements(AbstractBoxElements):
    """Vectors of P1 or P2 elements of degree r on n cells along each side of a box, with errors O(h^(r+1)) and O(h^r);
    the fields of a solution are the components of w.
    """

    joint = True

    def __init__(self, box: ElasticBox, degree: int):
        super().__init__(box.sides, degree)
        self.box = box

    def size(self, n: int) -> float:
        return self.dim * super().size(n)

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_elastic(self.space(n), coefficient, source, self.box)
