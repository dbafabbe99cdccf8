"""A domain from a mesh file."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from hpms.errors import UserError, brief
from hpms.fem.mesh.file import read_mesh
from hpms.options.mesh import MeshOptions
from hpms.posed.domain import AbstractDomain


class Mesh(AbstractDomain):
    """Ω as a file of triangles or tetrahedra has it: `Mesh("bracket.msh")`.

    Its tagged facets are the parts of the boundary, `unnamed` the others; `parts` gives more names, each with a formula
    that is true in the middles of the facets that it is to have, such as {"outlet": "x1>1.9"}. Raises `UserError` for a
    file that is no mesh of meshio's, or not sound.
    """

    option = "mesh"

    def __init__(self, path: str | Path, parts: Mapping[str, str] | None = None):
        if parts is not None and not isinstance(parts, Mapping):
            raise UserError(f"parts={brief(parts)} is not allowed: give names and formulas, {{'outlet': 'x1>1.9'}}.")
        self.path, self.parts = str(path), dict(parts or {})
        assert self.dim

    @property
    def dim(self) -> int:
        return read_mesh(self.path).dim

    @property
    def values(self) -> dict[str, Any]:
        return {"path": self.path, "parts": self.parts}

    @property
    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self._options.lengths, self._options.low

    @property
    def described(self) -> str:
        return self._options.described()

    def check(self, eps: float, conditions: Any) -> None:
        assert replace(self._options, eps=eps, conditions=conditions).named

    @cached_property
    def _options(self) -> MeshOptions:
        dim: Any = self.dim
        return MeshOptions(dim, 1.0, conditions={"all": {"neumann": 0}}, tau=1.0, **self.values)

    def __repr__(self) -> str:
        return f"Mesh({self.path!r})"
