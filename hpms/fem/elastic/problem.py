"""A box with displacements and tractions given on its faces, component by component."""

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
