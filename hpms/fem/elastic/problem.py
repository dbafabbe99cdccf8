"""What is given on the boundary of an elastic body."""

from collections.abc import Mapping
from dataclasses import dataclass

from hpms.fem.faces import Face
from hpms.fem.sample import Function


@dataclass(frozen=True)
class ElasticBox:
    """The sides s of Π(0, s_a), and for each component i the faces on which w_i is given, and those with (σn)_i."""

    sides: tuple[float, ...]
    displacements: tuple[Mapping[Face, Function], ...]
    tractions: tuple[Mapping[Face, Function], ...]


@dataclass(frozen=True)
class UnitStrains:
    """w_l = E_l x on the boundary of the unit cube, for all unit strains E_l in d = `dim` dimensions."""

    dim: int

    @property
    def sides(self) -> tuple[float, ...]:
        return (1.0,) * self.dim
