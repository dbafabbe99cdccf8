"""Upscaled stiffnesses by fine finite elements.

All are C̃_kl = |Y|⁻¹ ∫_Y E_k:σ(w_l) for w_l with -div σ(w_l) = 0 in a box Y that grow like E_l x, with the unit strains
E_l of Voigt's order, 11, 22, 12 or 11, 22, 33, 23, 13, 12, of which those of a shear have 1/√2 in both places (Mandel):
then C̃ is a tensor of second order, of which the norms, eigenvalues and means are those of the stiffness.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from hpms.fem.elastic.assembly import assemble
from hpms.fem.elastic.moduli import sample_moduli
from hpms.fem.elastic.rigid import rigid
from hpms.fem.fine.solve import dirichlet
from hpms.fem.fine.upscaled import Box, wrapped
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function
from hpms.fem.spd import solve

PAIRS = {2: ((0, 0), (1, 1), (0, 1)), 3: ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))}
_SAMPLES = {2: 1_000, 3: 100}


def unit_strains(dim: int) -> Float[np.ndarray, "s d d"]:
    """E_l, orthonormal."""
    found = np.zeros((len(PAIRS[dim]), dim, dim))
    for strain, (i, j) in zip(found, PAIRS[dim], strict=True):
        strain[i, j] = strain[j, i] = 1.0 if i == j else 0.5**0.5
    return found


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


def _trace(dim: int) -> Float[np.ndarray, " s"]:
    """tr(E_l)."""
    return np.trace(unit_strains(dim), axis1=1, axis2=2)


def _upscaled(moduli: Function, box: Box, place: Int[np.ndarray, " n"]) -> Float[np.ndarray, "s s"]:
    """With corrections of E_l x whose free values are numbered by `place`, and 0 where that is -1."""
    dim, space = box.dim, LagrangeSpace(box.dim, box.n, 2)
    nothing = lambda points: np.zeros_like(points)  # noqa: E731
    matrix = sparse.csr_matrix(assemble(space, box.inside(moduli), nothing, 1 / box.sides).matrix)
    places = space.nodes * box.sides
    affine = np.einsum("lij,nj->nil", unit_strains(dim), places).reshape(space.size * dim, -1)
    free = np.flatnonzero(place >= 0)
    count = int(place.max()) + 1
    gather = sparse.kron(
        sparse.csr_matrix((np.ones(free.size), (place[free], free)), shape=(count, space.size)), sparse.eye(dim), "csr"
    )
    forces = matrix @ affine
    first = np.empty(count, int)
    first[place[free]] = free
    modes = rigid(places[first]).reshape(count * dim, -1)
    loads = -(gather @ forces)
    corrected = solve(sparse.csr_matrix(gather @ matrix @ gather.T), np.ascontiguousarray(loads.T), dim, modes=modes)
    return affine.T @ forces - loads.T @ corrected.T
