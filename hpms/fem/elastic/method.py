"""P1 and P2 elements for elasticity as a way to a reference."""

from hpms.fem.elastic.problem import ElasticBox, UnitStrains
from hpms.fem.elastic.solve import solve_elastic
from hpms.fem.elastic.upscaled import solve_strains
from hpms.fem.fine.mixed import AbstractBoxElements
from hpms.fem.fine.solve import FineSolution
from hpms.fem.sample import Function


class ElasticElements(AbstractBoxElements):
    """Vectors of P1 or P2 elements of degree r on n cells along each side of a box, with errors O(h^(r+1)) and O(h^r);
    the fields of a solution are the components of w, or of all w_l - E_l x.
    """

    def __init__(self, box: ElasticBox | UnitStrains, degree: int):
        super().__init__(box.sides, degree)
        self.box, self.components = box, self.dim

    def size(self, n: int) -> float:
        return self.dim * super().size(n)

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        if isinstance(self.box, UnitStrains):
            return solve_strains(self.space(n), coefficient, source)
        return solve_elastic(self.space(n), coefficient, source, self.box)
