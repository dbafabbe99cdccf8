"""`problem=mesh`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hpms.config.registry import register
from hpms.config.schema import File
from hpms.errors import ConfigError, brief
from hpms.options.conditions import DIRICHLET, KEY
from hpms.options.meshed import MeshedOptions
from hpms.options.problem import ProblemOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.fem.mesh.simplices import Simplices
    from hpms.problem.lift import AbstractLift
    from hpms.problem.meshed import AbstractMeshed
    from hpms.problem.planes import Planes
    from hpms.problem.source.base import AbstractSource

_MOST_KEPT = 8_000_000  # bytes in a run file
_SHARE, _DEPTH = 0.02, 1 / 4  # of ∂Ω that a plane has; how deep l saturates, of the shortest side of the box around Ω


@register("problem", "mesh")
@dataclass(frozen=True)
class MeshOptions(MeshedOptions):
    """`problem=mesh`: -∇·(K ∇w) + c w = q in a mesh of triangles or tetrahedra, with conditions of one's own.

    **Arguments:** `dim` is that of the mesh, `eps` as above; `path`, a file that meshio reads. Its tagged facets are
    the parts of the boundary, by the names of Gmsh's physical groups or of sets, or partN for a number, and `unnamed`
    the others; `parts` gives names to facets, each by a formula that is true in their middles; `conditions` and `tau`
    as those of `problem=box`, for these names and for `all` the rest. `boundary=hard` needs given values on plane parts
    that all of Ω lies on one side of; else take `boundary=soft`.
    """

    path: File

    @property
    def lengths(self) -> tuple[float, ...]:
        return tuple(self.mesh.sides.tolist())

    @property
    def low(self) -> tuple[float, ...]:
        return tuple(self.mesh.low.tolist())

    @cached_property
    def mesh(self) -> Simplices:
        """The file's, with parts of one's own."""
        from hpms.fem.mesh.file import read_mesh

        return read_mesh(self.path)

    def check(self, config: Config) -> None:
        if self.mesh.dim != self.dim:
            raise ConfigError("problem.dim", self.dim, f"the mesh {brief(self.path)} has {self.mesh.dim} dimensions")
        super().check(config)
        if config.boundary.hard and self.planes is None:
            reason = "there is no function that vanishes where w is given on this mesh, but on planes that all of it "
            raise ConfigError("boundary", config.names["boundary"], f"{reason}lies on one side of: take boundary=soft")

    def described(self) -> str:
        cells = {2: "triangles", 3: "tetrahedra"}[self.dim]
        return f"a mesh of {len(self.mesh.cells):,} {cells}"

    def untrained(self) -> ProblemOptions:
        return replace(self, tau=1.0, path="")

    def kept(self) -> dict[str, np.ndarray]:
        from hpms.fem.mesh.file import arrays

        found = arrays(self.mesh)
        return found if sum(each.nbytes for each in found.values()) <= _MOST_KEPT else {}

    @classmethod
    def recalled(cls, values: dict[str, Any], kept: Mapping[str, np.ndarray]) -> dict[str, Any]:
        from hpms.fem.mesh.file import remember

        return values | {"path": remember(str(values.get("path")), dict(kept))} if "mesh_nodes" in kept else values

    def own_names(self) -> tuple[str, ...]:
        return self.mesh.parts

    def pieces(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Facets that have one tag, lie in the same of `parts` and, where there is one, in the same plane."""
        mesh, (_, first) = self.mesh, self._classes
        return tuple(mesh.parts[mesh.labels[k]] for k in first), mesh.nodes[mesh.facets[first]].mean(axis=1)

    def domain(self, names: tuple[str, ...]) -> AbstractMeshed:
        from hpms.fem.mesh.simplices import Simplices
        from hpms.problem.meshed import MeshFile

        mesh, (number, first) = self.mesh, self._classes
        own = tuple(map(str, range(len(first))))
        return MeshFile(self.dim, self.eps, Simplices(mesh.nodes, mesh.cells, mesh.facets, number, own).renamed(names))

    def lift(self, data: tuple[AbstractSource, ...], groups: tuple[tuple[int, ...], ...]) -> AbstractLift:
        from hpms.problem.planes import PlaneLift

        if len(data) < 2:
            return PlaneLift(data, (), None)
        if self.planes is None:
            reason = "of several given values each has to be given on planes that all of the mesh lies on one side of"
            raise ConfigError(KEY, brief(self.conditions), reason)
        number, _ = self._classes
        planes = [np.unique(self._place[np.isin(number, group)]) for group in groups]
        return PlaneLift(data, tuple(tuple(each.tolist()) for each in planes), self.planes)

    @property
    def edges(self) -> Planes:
        """Planes with layers along them."""
        return self.planes or self._planes(())

    @property
    def walls(self) -> Planes:
        return self.edges

    @cached_property
    def planes(self) -> Planes | None:
        """Those on which w is given, among others; None where it is given on facets that do not make up planes."""
        number, _ = self._classes
        is_held = np.array([self.given[key].kind == DIRICHLET for key in self.named])[number]
        held = np.unique(self._place[is_held])
        if (held < 0).any() or (np.isin(self._place, held) & ~is_held).any():
            return None
        return self._planes(tuple(held.tolist()))

    def _planes(self, held: tuple[int, ...]) -> Planes:
        from hpms.problem.planes import Planes

        normals, offsets, _ = self._supporting
        length = _DEPTH * float(self.mesh.sides.min())
        return Planes(tuple(map(tuple, normals.tolist())), tuple(offsets.tolist()), held, length)

    @property
    def _place(self) -> np.ndarray:
        """The number of each facet's plane, -1 where it lies in none."""
        return self._supporting[2]

    @cached_property
    def _supporting(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        from hpms.problem.planes import supporting_planes

        return supporting_planes(self.mesh, _SHARE)

    @cached_property
    def _classes(self) -> tuple[np.ndarray, np.ndarray]:
        """The number of each facet's piece, and the first facet of each."""
        mesh = self.mesh
        middles = mesh.nodes[mesh.facets].mean(axis=1)
        inside = [self._where(name, formula, middles) for name, formula in self._formulas.items()]
        _, first, number = np.unique(
            np.column_stack([mesh.labels, self._place, *inside]), axis=0, return_index=True, return_inverse=True
        )
        return number.ravel(), first
