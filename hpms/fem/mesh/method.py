"""P1 and P2 elements on a mesh and its refinements."""

import numpy as np

from hpms.fem.field import AbstractField
from hpms.fem.fine.method import AbstractMethod
from hpms.fem.fine.solve import FineSolution
from hpms.fem.mesh.field import MeshField
from hpms.fem.mesh.problem import MeshProblem, solve_on_mesh
from hpms.fem.mesh.simplices import Simplices
from hpms.fem.mesh.space import MeshSpace
from hpms.fem.sample import Function


class MeshElements(AbstractMethod):
    """P1 or P2 elements of degree r on the mesh with each edge in n, a power of two: errors O(h^(r+1)) and O(h^r)."""

    def __init__(self, problem: MeshProblem, degree: int):
        self.problem, self.degree, self.dim = problem, degree, problem.mesh.dim
        self._meshes = {1: problem.mesh}

    def mesh(self, n: int) -> Simplices:
        """The mesh with each edge in n."""
        if n not in self._meshes:
            if n < 1 or n & (n - 1):
                raise ValueError(f"n = {n} is not a power of two")
            self._meshes[n] = self.mesh(n // 2).refined()
        return self._meshes[n]

    def width(self, n: int) -> float:
        return self.problem.mesh.h / n

    def size(self, n: int) -> float:
        """How many nodes there are: those of P2 are those of P1 on the mesh refined once more."""
        return self.problem.mesh.refined_size((self.degree * n).bit_length() - 1)

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_on_mesh(self.mesh(n), self.degree, coefficient, source, self.problem)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        """Zero: there is no coarse problem."""
        space = self._space(n)
        return MeshField(space, np.zeros(space.size))

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return MeshField(self._space(n), data)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        space = self._space(n)
        there = MeshField(self._space(n // 2), wide.data).refined(space)
        l2, h1 = MeshField(space, fine.data - there).norms()
        return l2 / (2.0 ** (self.degree + 1) - 1), h1 / (4.0**self.degree - 1) ** 0.5

    def _space(self, n: int) -> MeshSpace:
        return MeshSpace(self.mesh(n), self.degree)
