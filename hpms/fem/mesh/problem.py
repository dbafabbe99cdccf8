"""Fine solutions of -∇·(K∇w) + c w = q on a meshed domain with given values and fluxes on the parts of its boundary."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from hpms.fem.fine.mixed import Flux, Value
from hpms.fem.fine.solve import FineSolution
from hpms.fem.mesh.assembly import assemble, assemble_on
from hpms.fem.mesh.field import MeshField
from hpms.fem.mesh.simplices import Simplices
from hpms.fem.mesh.space import MeshSpace
from hpms.fem.sample import Function, sample_source
from hpms.fem.spd import solve


@dataclass(frozen=True)
class MeshProblem:
    """The coarsest mesh of the domain, the condition on each named part of its boundary (no flux on those without), and
    the `reaction` c of -∇·(K∇w) + c w = q, None for 0.
    """

    mesh: Simplices
    conditions: Mapping[str, Value | Flux]
    reaction: Function | None = None


@dataclass(frozen=True)
class MeshSystem:
    """A w = b over all N unknowns, of which the `free` are to be found and the others `given`; where nothing holds w,
    ∫ b = 0, one unknown is given as 0, and `held` is False.
    """

    matrix: sparse.csr_matrix
    load: Float[np.ndarray, " n"]
    given: Float[np.ndarray, " n"]
    free: Bool[np.ndarray, " n"]
    held: bool

    def reduced(self) -> tuple[sparse.csr_matrix, Float[np.ndarray, " m"]]:
        """The matrix and the right-hand side for the free unknowns."""
        right = (self.load - self.matrix @ self.given)[self.free]
        return sparse.csr_matrix(self.matrix[self.free][:, self.free]), right


def system_on_mesh(space: MeshSpace, coefficient: Function, source: Function, problem: MeshProblem) -> MeshSystem:
    """The equations of `solve_on_mesh`."""
    matrix, load = assemble(space, coefficient, source, problem.reaction)
    given, free, held = np.zeros(space.size), np.ones(space.size, dtype=bool), problem.reaction is not None
    for part, condition in problem.conditions.items():
        if isinstance(condition, Flux):
            boundary, moments = assemble_on(space, part, condition.rate, condition.value)
            matrix, load = matrix + boundary, load + moments
            held = held or bool(np.any(boundary.data))
    for part, condition in problem.conditions.items():
        if isinstance(condition, Value):
            unknowns = space.on(part)
            free[unknowns], given[unknowns] = False, sample_source(condition.value, space.nodes[unknowns])
            held = True
    if not held:
        load = load - load.sum() / space.mesh.volume * space.integrals()
        free[0] = False
    return MeshSystem(matrix, load, given, free, held)


def solve_on_mesh(
    mesh: Simplices, degree: int, coefficient: Function, source: Function, problem: MeshProblem
) -> FineSolution:
    """∫ K∇w·∇φ + ∫ c wφ + ∫_Γ a wφ = ∫ qφ + ∫_Γ gφ for all φ that vanish where w is given, in P1 or P2 on `mesh`, which
    is that of the problem or a refinement of it.

    K, q and the data are functions of points (M, d). Where nothing holds w, ∫ w = 0, and what the data leave over is
    taken from q. Errors as in `assemble` and `hpms.fem.spd.solve`.
    """
    start, space = time.perf_counter(), MeshSpace(mesh, degree)
    system = system_on_mesh(space, coefficient, source, problem)
    matrix, right = system.reduced()
    assembled, w = time.perf_counter(), system.given.copy()
    w[system.free] = solve(matrix, right[None], mesh.dim)[0]
    if not system.held:
        w -= space.integrals() @ w / mesh.volume
    unknown, seconds = np.full((mesh.dim, mesh.dim), np.nan), time.perf_counter() - assembled
    return FineSolution((MeshField(space, w),), unknown, len(right), assembled - start, seconds)
