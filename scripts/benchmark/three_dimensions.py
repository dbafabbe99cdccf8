"""Fine solutions on tetrahedra: iterations, seconds and memory of P1 (or P2) on finer and finer meshes of a cube.

    python scripts/benchmark/three_dimensions.py [--cells 6] [--parts 16] [--degree 1]

The cube's mesh has `--cells` cells of six tetrahedra along each axis, and is refined until each of its edges is in
`--parts`. K = 2 + sin(2π Σx), w = 0 where x₁ = 0, K∇w·n + w = 1 where x₁ = 1, and no flux elsewhere. The memory is the
most that the process has had so far.
"""

import argparse
import resource
import time

import numpy as np
import skfem

from hpms.fem.fine.mixed import Flux, Value
from hpms.fem.mesh.problem import MeshProblem, system_on_mesh
from hpms.fem.mesh.simplices import Simplices, outer_facets
from hpms.fem.mesh.space import MeshSpace
from hpms.fem.spd import solve


def cube(cells: int) -> Simplices:
    """(0,1)³ with the parts left, right (x₁ = 0, 1) and rest."""
    mesh = skfem.MeshTet.init_tensor(*[np.linspace(0, 1, cells + 1)] * 3)
    nodes, tetrahedra = mesh.p.T, mesh.t.T
    facets = outer_facets(tetrahedra)
    middle = nodes[facets, 0].mean(axis=1)
    labels = np.where(middle < 1e-9, 0, np.where(middle > 1 - 1e-9, 1, 2))
    return Simplices(nodes, tetrahedra, facets, labels, ("left", "right", "rest"))


def coefficient(points: np.ndarray) -> np.ndarray:
    """K."""
    return 2 + np.sin(2 * np.pi * points.sum(axis=1))


def ones(points: np.ndarray) -> np.ndarray:
    """1."""
    return np.ones(len(points))


def zeros(points: np.ndarray) -> np.ndarray:
    """0."""
    return np.zeros(len(points))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=6)
    parser.add_argument("--parts", type=int, default=16)
    parser.add_argument("--degree", type=int, default=1)
    options = parser.parse_args()
    mesh, n = cube(options.cells), 1
    problem = MeshProblem(mesh, {"left": Value(zeros), "right": Flux(ones, ones)})
    print("parts  tetrahedra    unknowns  mesh s  assembly s  solution s  iterations  memory GB")
    while n <= options.parts:
        times, steps = [time.perf_counter()], []
        mesh = mesh if n == 1 else mesh.refined()
        space = MeshSpace(mesh, options.degree)
        times.append(time.perf_counter())
        matrix, right = system_on_mesh(space, coefficient, ones, problem).reduced()
        times.append(time.perf_counter())
        solve(matrix, right[None], 3, steps.append)
        times.append(time.perf_counter())
        spent = "  ".join(f"{each:{width}.2f}" for each, width in zip(np.diff(times), (6, 10, 10), strict=True))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        done = f"{len(steps) or 'direct':>10}"
        print(f"{n:5}  {len(mesh.cells):10,}  {len(right):10,}  {spent}  {done}  {memory:9.2f}", flush=True)
        n *= 2


if __name__ == "__main__":
    main()
