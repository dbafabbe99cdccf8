"""What is given on the boundary, where that is not w_i = x_i on the unit cube's."""

from hpms.fem.elastic.problem import ElasticBox, UnitStrains
from hpms.fem.fine.mixed import BoxProblem
from hpms.fem.mesh.problem import MeshProblem

Posed = BoxProblem | MeshProblem | ElasticBox | UnitStrains


def longest_side(box: Posed | None) -> float:
    """Of a box, and 1 where there is none."""
    return 1.0 if box is None or isinstance(box, MeshProblem) else max(box.sides)
