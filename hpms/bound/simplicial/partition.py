"""The simplices over which means are taken, with quadrature points in each."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float

from hpms.bound.simplicial.constants import poincare
from hpms.bound.simplicial.facets import Facets
from hpms.bound.simplicial.rules import degree_five
from hpms.fem.mesh.simplices import Simplices

_PER_PERIOD, _LEAST, _RESOLVED = 3, 12, 8  # as of boxes, nearly
_FEW, _CELLS = 2e6, {2: 1_000_000, 3: 1_500_000}  # points that are not too many, simplices whose flux is found in time


@dataclass(frozen=True)
class Partition:
    """A mesh for a medium with a `period`."""

    mesh: Simplices
    period: float

    @cached_property
    def facets(self) -> Facets:
        return Facets(self.mesh)

    @cached_property
    def poincare(self) -> Float[np.ndarray, " t"]:
        """C_T."""
        return poincare(self.mesh)

    @property
    def points(self) -> int:
        """How many quadrature points there are."""
        return len(self.mesh.cells) * len(degree_five(self.mesh.dim)[1])

    @cached_property
    def resolves(self) -> bool:
        """Whether a period has about eight points along each axis: by the volumes, and as many points in the d!
        simplices of a cube whose diagonal is the longest edge.
        """
        dim, each = self.mesh.dim, len(degree_five(self.mesh.dim)[1])
        spacing = max(
            (float(self.mesh.volumes.max()) / each) ** (1 / dim),
            self.mesh.h / math.sqrt(dim) / (math.factorial(dim) * each) ** (1 / dim),
        )
        return _RESOLVED * spacing <= self.period

    def finer(self, most: float) -> "Partition | None":
        """Each simplex in 2^d, where that is at most `most` points, and a flux is soon found."""
        growth = 2**self.mesh.dim
        if growth * self.points > most or growth * len(self.mesh.cells) > _CELLS[self.mesh.dim]:
            return None
        return Partition(self.mesh.refined(), self.period)


@lru_cache(maxsize=2)
def partition(mesh: Simplices, period: float, most: float) -> Partition:
    """The mesh refined until a cube with the longest edge as its diagonal has a third of a period as its side, and a
    twelfth of the longest side of the mesh, or as far as `most` points allow.
    """
    found = Partition(mesh, period)
    while _is_wide(found.mesh, period) and (finer := found.finer(most)) is not None:
        found = finer
    return found


def enough(mesh: Simplices, period: float, most: float) -> float:
    """How many points see every period, and leave room for simplices once more refined, of at most `most`; few where
    these do not.
    """
    times = max(0, math.ceil(math.log2(mesh.h / _width(mesh, period)) - 1e-9))
    needed = Partition(mesh, period).points * 2.0 ** (mesh.dim * times)
    return min(max(2**mesh.dim * needed, _FEW), most) if needed <= most else min(_FEW, most)


def _is_wide(mesh: Simplices, period: float) -> bool:
    return mesh.h > _width(mesh, period) * (1 + 1e-9)


def _width(mesh: Simplices, period: float) -> float:
    """How long an edge may be."""
    return math.sqrt(mesh.dim) * min(period / _PER_PERIOD, float(np.max(mesh.sides)) / _LEAST)
