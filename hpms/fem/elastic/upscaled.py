"""Upscaled stiffnesses by fine finite elements.

All are C̃_kl = |Y|⁻¹ ∫_Y E_k:σ(w_l) for w_l with -div σ(w_l) = 0 in a box Y that grow like E_l x, with the unit strains
E_l of Voigt's order, 11, 22, 12 or 11, 22, 33, 23, 13, 12, of which those of a shear have 1/√2 in both places (Mandel):
then C̃ is a tensor of second order, of which the norms, eigenvalues and means are those of the stiffness.
"""

import time

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from hpms.fem.elastic.assembly import ElasticSystem, assemble
from hpms.fem.elastic.moduli import sample_moduli
from hpms.fem.elastic.rigid import rigid
from hpms.fem.elastic.strains import PAIRS, unit_strains
from hpms.fem.field import LagrangeField
from hpms.fem.fine.solve import FineSolution, dirichlet
from hpms.fem.fine.upscaled import Box, wrapped
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function
from hpms.fem.spd import solve
from hpms.fem.strain import symmetric

_SAMPLES = {2: 1_000, 3: 100}


def periodic(moduli: Function, box: Box) -> Float[np.ndarray, "s s"]:
    """With w_l - E_l x periodic: over a period of the moduli C*. Raises `UserError` as `assemble` does."""
    return _upscaled(moduli, box, wrapped(LagrangeSpace(box.dim, box.n, 2)))


def linear(moduli: Function, box: Box) -> Float[np.ndarray, "s s"]:
    """With w_l = E_l x on ∂Y."""
    return _upscaled(moduli, box, dirichlet(LagrangeSpace(box.dim, box.n, 2)))


def means(
    moduli: Function, dim: int, periods: tuple[float, ...] | None
) -> tuple[Float[np.ndarray, "s s"], Float[np.ndarray, "s s"]]:
    """The arithmetic (Voigt) and the harmonic (Reuss) mean of the stiffness, over a period where there is one."""
    axis = (np.arange(_SAMPLES[dim]) + 0.5) / _SAMPLES[dim]
    points = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    lam, mu = sample_moduli(moduli, points * np.asarray(periods or (1.0,) * dim)).T
    bulk, size = np.outer(*[_trace(dim)] * 2) / dim, len(PAIRS[dim])  # the projection on tr(e)
    shear = np.eye(size) - bulk
    large, small = dim * lam + 2 * mu, 2 * mu
    return large.mean() * bulk + small.mean() * shear, bulk / (1 / large).mean() + shear / (1 / small).mean()


def solve_strains(space: LagrangeSpace, moduli: Function, force: Function) -> FineSolution:
    """w_l - E_l x with -div σ(w_l) = q in the unit cube and w_l = E_l x on its boundary, component by component, all l
    behind each other, and C̃_kl = (∫ E_k:σ(w_l) + ∫ E_l:σ(w_k))/2, Algorithm 4.1. Errors as in `assemble` and
    `hpms.fem.spd.solve`.
    """
    start, dim = time.perf_counter(), space.dim
    system = assemble(space, moduli, force, np.ones(dim))
    assembled = time.perf_counter()
    stiffness, corrections = _corrected(space, system, np.ones(dim), dirichlet(space))
    each = corrections.reshape(space.size, dim, -1).transpose(2, 1, 0).reshape(-1, space.size)
    fields = tuple(LagrangeField(space, component) for component in each.copy())
    seconds = assembled - start, time.perf_counter() - assembled
    return FineSolution(fields, symmetric(stiffness), dim * len(space.interior), *seconds)


def _upscaled(moduli: Function, box: Box, place: Int[np.ndarray, " n"]) -> Float[np.ndarray, "s s"]:
    """With corrections of E_l x whose free values are numbered by `place`, and 0 where that is -1."""
    space = LagrangeSpace(box.dim, box.n, 2)
    return _corrected(space, assemble(space, box.inside(moduli), np.zeros_like, 1 / box.sides), box.sides, place)[0]


def _corrected(
    space: LagrangeSpace, system: ElasticSystem, sides: Float[np.ndarray, " d"], place: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "s s"], Float[np.ndarray, "m s"]]:
    """∫ E_k:σ(w_l) in row k, and w_l - E_l x with the free values that `place` numbers, 0 where that is -1."""
    dim, matrix, places = space.dim, sparse.csr_matrix(system.matrix), space.nodes * sides
    affine = np.einsum("lij,nj->nil", unit_strains(dim), places).reshape(places.size, -1)
    free, count = np.flatnonzero(place >= 0), int(place.max()) + 1
    gather = sparse.kron(
        sparse.csr_matrix((np.ones(free.size), (place[free], free)), shape=(count, space.size)), sparse.eye(dim), "csr"
    )
    forces = matrix @ affine
    first = np.empty(count, int)
    first[place[free]] = free
    modes = rigid(places[first]).reshape(count * dim, -1)
    loads = gather @ (system.load.reshape(-1, 1) - forces)
    solved = solve(sparse.csr_matrix(gather @ matrix @ gather.T), np.ascontiguousarray(loads.T), dim, modes=modes)
    corrections = gather.T @ solved.T
    return affine.T @ forces + forces.T @ corrections, corrections


def _trace(dim: int) -> Float[np.ndarray, " s"]:
    """tr(E_l)."""
    return np.trace(unit_strains(dim), axis1=1, axis2=2)
