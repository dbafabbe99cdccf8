"""The multiscale hybrid-mixed method (MHM) of `pymhm` on oscillating media, in an environment of its own.

    python -m venv DIR; DIR/bin/pip install pymhm==1.3.2
    DIR/bin/python scripts/benchmark/small_eps_mhm.py REQUEST.npz ANSWER.npz

For -∇·(K∇w_i) = q on the unit square or cube, w_i = x_i on ∂Ω, i = 1..l, the answer holds u_i = w_i - x_i at the
request's `points` (M, d): `values` (M, l), `gradient` (M, l, d), one-sided where coarse elements meet, the `seconds` of
assembly and solve (after imports and compilation), `cpu_seconds`, `unknowns` (those of the local problems),
`global_unknowns` (those of the skeleton and the means) and `settings`.

The request names a `problem` and `eps`, and an `accuracy`, the relative error in the energy norm, by which `settings`
chooses, or any of `coarse` (elements per axis), `fine` (elements per axis in each of these), `degree`, and `segments`
and `trace` (parts of each face, and the degree of the flux on each). `lifts` (l, or 0: l = 1 and w = u = 0 on ∂Ω) and
`workers` (processes) may be there too.

In 2-D the elements are squares with tensor polynomials, in 3-D six tetrahedra in each cube, there `fine` and `segments`
are powers of two. The flux must have fewer unknowns than what the polynomials are on a face, or pymhm finds the
system singular.
"""
# pyright: reportMissingImports=false

import itertools
import os
import sys
import time
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from pymhm import CartesianMacroMesh, FaceSpace, LocalProblem, SkeletonSpace, TetraMesh, TriangularSkeleton
from pymhm.core.system import HybridSystem
from pymhm.execution.cpu import map_local
from pymhm.fem.scalar.operators import boundary_data
from pymhm.fem.scalar.quadrilateral import qk_basis, quadrilateral_operators, quadrilateral_trace_coupling
from pymhm.fem.scalar.tetrahedron import (
    tetra_barycentric_gradients,
    tetra_basis,
    tetra_nodal_space,
    tetra_operators,
)
from pymhm.fem.traces.triangle_3d import tetra_boundary_data, tetra_trace_coupling
from pymhm.linalg.linear import factorize

DIMS = {"osc2d": 2, "locally": 2, "layered2d": 2, "cubes": 3}
LIFTS = {"osc2d": 1, "locally": 1, "layered2d": 2, "cubes": 1}
_SETTINGS = {  # the accuracy, coarse · ε, and fine, degree, segments, trace
    "osc2d": [(0.05, 0.35, 4, 4, 2, 5), (0.02, 0.26, 6, 4, 2, 7)],
    "locally": [(0.05, 0.5, 4, 5, 2, 5), (0.02, 0.5, 5, 6, 2, 7)],
    "layered2d": [(0.05, 0.26, 6, 4, 2, 5), (0.02, 0.26, 8, 4, 2, 7)],
    "cubes": [(0.2, 0.8, 4, 3, 4, 1)],  # found at ε = 0.4; the finest tried
}


@dataclass(frozen=True)
class Medium:
    """K, as a function of points (M, d)."""

    problem: str
    eps: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        x, *more = (2 * np.pi / self.eps * points).T
        if self.problem == "osc2d":
            return 3 + np.sin(x / 2) + np.sin(more[0])
        if self.problem == "locally":
            wave = np.sin(x) * np.cos(more[0]) + 0.8 * np.sin(x + more[0])
            return (1 + points[:, 0] * points[:, 1] / 2) * (2.5 + wave)
        if self.problem == "layered2d":
            return 2 + np.tanh(np.sin(x))
        return 2.5 + np.sin(x) * np.sin(more[0]) + 0.7 * np.sin(x + more[1])


@dataclass(frozen=True)
class Source:
    """q, as a function of points (M, d)."""

    problem: str

    def __call__(self, points: np.ndarray) -> np.ndarray:
        if self.problem in ("osc2d", "locally"):
            return 10 * np.exp(-100 * ((points - 0.5) ** 2).sum(axis=1))
        return np.full(len(points), 10.0 if self.problem == "layered2d" else 5.0)


@dataclass(frozen=True)
class Settings:
    """What the module's docstring names."""

    coarse: int
    fine: int
    degree: int
    segments: int
    trace: int
    workers: int = 1


@dataclass(frozen=True)
class Local:
    """The response of a coarse element to its source and to the fluxes through its faces."""

    contribution: tuple[np.ndarray, np.ndarray, np.ndarray]
    source: np.ndarray
    lifts: np.ndarray
    constant: np.ndarray
    trace: np.ndarray
    mesh: Any


@dataclass(frozen=True)
class Condense:
    """Solves the problem of a coarse element."""

    mesh: Any
    skeleton: Any
    medium: Medium
    source: Source
    settings: Settings

    def __call__(self, cell: int) -> Local:
        fine, degree = self.mesh.submesh(cell, self.settings.fine), self.settings.degree
        if isinstance(self.mesh, CartesianMacroMesh):
            matrix, mass, load = quadrilateral_operators(
                fine, degree, permeability=self.medium, source=self.source, order=degree + 1
            )
            coupling = quadrilateral_trace_coupling(self.mesh, cell, fine, self.skeleton, degree)
        else:
            matrix, mass, load = tetra_operators(
                fine, degree, diffusion=self.medium, source=self.source, order=degree + 2
            )
            coupling = tetra_trace_coupling(self.mesh, cell, fine, self.skeleton, degree)
        one = np.ones((len(load), 1))
        mean = mass @ one
        dofs = self.skeleton.cell_dofs(cell)
        problem = LocalProblem(matrix, coupling, load, dofs, kernel=one, constraints=mean / mean.sum())
        response = problem.condense()
        contribution = response.global_contribution(np.array([self.skeleton.size + cell]))
        kept = None if isinstance(self.mesh, CartesianMacroMesh) else fine
        return Local(contribution, response.source, response.lifts, response.retained_basis[:, 0], dofs, kept)


@dataclass(frozen=True)
class Solution:
    """w_1, ..., w_l by their nodal values (n, l) on each coarse element."""

    mesh: Any
    settings: Settings
    nodal: list[np.ndarray]
    meshes: list[Any]
    global_unknowns: int

    @property
    def unknowns(self) -> int:
        return sum(len(nodal) for nodal in self.nodal)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """w_i (M, l) and ∇w_i (M, l, d)."""
        values = np.empty((len(points), self.nodal[0].shape[1]))
        gradient = np.empty((*values.shape, points.shape[1]))
        place = (self._square if points.shape[1] == 2 else self._tetrahedron)(points)
        order = np.argsort(place, kind="stable")
        cells, starts = np.unique(place[order], return_index=True)
        for cell, chosen in zip(cells, np.split(order, starts[1:]), strict=True):
            within = self._in_square if points.shape[1] == 2 else self._in_tetrahedron
            values[chosen], gradient[chosen] = within(int(cell), points[chosen])
        return values, gradient

    def _square(self, points: np.ndarray) -> np.ndarray:
        x, y = np.minimum((points * self.settings.coarse).astype(int), self.settings.coarse - 1).T
        return y * self.settings.coarse + x

    def _in_square(self, cell: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        fine, degree = self.settings.fine, self.settings.degree
        corner, far = self.mesh.points[self.mesh.cells[cell][[0, 2]]]
        local = np.clip((points - corner) / (far - corner), 0, 1) * fine
        index = np.minimum(local.astype(int), fine - 1)
        basis, slopes = qk_basis(degree, np.clip(local - index, 0, 1))
        width = fine * degree + 1
        offsets = (np.arange(degree + 1)[:, None] * width + np.arange(degree + 1)).ravel()
        nodal = self.nodal[cell][((index[:, 1] * width + index[:, 0]) * degree)[:, None] + offsets]
        gradient = np.einsum("mil,mia->mla", nodal, slopes * (fine / (far - corner)))
        return np.einsum("mil,mi->ml", nodal, basis), gradient

    def _tetrahedron(self, points: np.ndarray) -> np.ndarray:
        """In `TetraMesh.unit_cube` the tetrahedra of a cube are those of each order of the coordinates."""
        n = self.settings.coarse
        cube = np.minimum((points * n).astype(int), n - 1)
        order = np.argsort(-(points * n - cube), axis=1, kind="stable")
        which = {axes: i for i, axes in enumerate(itertools.permutations(range(3)))}
        number = np.array([which[a, b, c] for a, b, c in order.tolist()])
        return np.ravel_multi_index(tuple(cube.T), (n, n, n)) * 6 + number

    def _in_tetrahedron(self, cell: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        fine = self.meshes[cell]
        slopes = tetra_barycentric_gradients(fine)
        first = fine.points[fine.cells[:, 0]]
        rest = np.einsum("tba,tma->mtb", slopes[:, 1:], points - first[:, None])
        barycentric = np.concatenate([1 - rest.sum(axis=2, keepdims=True), rest], axis=2)
        inside = barycentric.min(axis=2).argmax(axis=1)
        basis, along = tetra_basis(self.settings.degree, barycentric[np.arange(len(points)), inside])
        nodal = self.nodal[cell][tetra_nodal_space(fine, self.settings.degree)[0][inside]]
        return np.einsum("mil,mi->ml", nodal, basis), np.einsum("mil,mib,mba->mla", nodal, along, slopes[inside])


def solve(problem: str, eps: float, lifts: int, settings: Settings) -> Solution:
    """w_i = x_i on ∂Ω for i = 1..l, or one w = 0 there where l = 0."""
    if DIMS[problem] == 2:
        mesh: Any = CartesianMacroMesh(settings.coarse)
        skeleton: Any = SkeletonSpace(mesh, (FaceSpace.uniform(settings.trace, settings.segments),) * len(mesh.faces))
    else:
        mesh = TetraMesh.unit_cube(settings.coarse)
        skeleton = TriangularSkeleton(mesh, settings.segments, degree=settings.trace)
    condense = Condense(mesh, skeleton, Medium(problem, eps), Source(problem), settings)
    cells = range(len(mesh.cells))
    backend = "serial" if settings.workers == 1 else "process"
    local = list(map_local(condense, cells, backend=backend, workers=settings.workers, native_threads=1, batch_size=64))
    system = HybridSystem.from_contributions(
        (part.contribution for part in local), trace_size=skeleton.size, coarse_sizes=[1] * len(local)
    )
    found = []
    with factorize(system.matrix) as factor:
        for axis in range(max(lifts, 1)):
            rhs = system.rhs.copy()
            if lifts:
                rhs[: skeleton.size] -= _moments(skeleton, axis)
            found.append(system.with_rhs(rhs).solve(factorization=factor))
    trace = np.stack([one.trace for one in found], axis=1)
    mean = np.stack([np.concatenate(one.coarse) for one in found], axis=1)
    nodal = [
        part.source[:, None] - part.lifts @ trace[part.trace] + part.constant[:, None] * mean[cell]
        for cell, part in enumerate(local)
    ]
    return Solution(mesh, settings, nodal, [part.mesh for part in local], len(system.rhs))


def _moments(skeleton: Any, axis: int) -> np.ndarray:
    """∫ x_i μ over ∂Ω for each flux μ."""
    if isinstance(skeleton, TriangularSkeleton):
        return tetra_boundary_data(skeleton, lambda points: points[:, axis], {}, 3)[0]
    return boundary_data(skeleton, lambda points: points[:, axis], order=3)[0]


def settings(problem: str, eps: float, accuracy: float) -> Settings:
    """The table's first row that reaches the accuracy at ε = 0.05, else its last; as many elements per ε elsewhere."""
    rows = [row for row in _SETTINGS[problem] if row[0] <= accuracy] or _SETTINGS[problem][-1:]
    _, per_eps, *others = rows[0]
    return Settings(max(1, round(per_eps / eps)), *others)


def main() -> None:
    with np.load(sys.argv[1]) as request:
        given = {name: request[name] for name in request.files}
    problem, eps = str(given["problem"]), float(given["eps"])
    chosen = settings(problem, eps, float(given.get("accuracy", 0.05)))
    chosen = replace(chosen, **{f.name: int(given[f.name]) for f in fields(Settings) if f.name in given})
    lifts = int(given.get("lifts", LIFTS[problem]))
    solve(problem, 1.0, lifts, replace(chosen, coarse=1, fine=2, segments=1, trace=1, workers=1))  # compiles
    start, cpu = time.perf_counter(), _cpu_seconds()
    solution = solve(problem, eps, lifts, chosen)
    seconds, cpu = time.perf_counter() - start, _cpu_seconds() - cpu
    points = given["points"]
    values, gradient = solution.at(points)
    if lifts:
        values -= points[:, :lifts]
        gradient -= np.eye(points.shape[1])[:lifts]
    np.savez(
        sys.argv[2],
        values=values,
        gradient=gradient,
        seconds=seconds,
        cpu_seconds=cpu,
        unknowns=solution.unknowns,
        global_unknowns=solution.global_unknowns,
        settings=str(chosen),
    )


def _cpu_seconds() -> float:
    """Those of this process and of the workers that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    main()
