"""Fine solutions of -div σ(w) = q on a box with displacements and tractions on its faces."""

import time

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from hpms.fem.elastic.assembly import assemble
from hpms.fem.elastic.problem import ElasticBox
from hpms.fem.elastic.rigid import rigid
from hpms.fem.faces import Face
from hpms.fem.field import LagrangeField
from hpms.fem.fine.mixed import face_load, face_unknowns
from hpms.fem.fine.solve import FineSolution
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function, sample_source
from hpms.fem.spd import solve


def solve_elastic(space: LagrangeSpace, moduli: Function, force: Function, box: ElasticBox) -> FineSolution:
    """∫ σ(w):e(φ) = ∫ q·φ + Σ ∫_F t_i φ_i for all φ whose components vanish where those of w are given.

    λ, μ (M, 2), q (M, d) and the data are functions of points of the box. The fields of the solution are w_1, ..., w_d.
    Errors as in `assemble` and `hpms.fem.spd.solve`.
    """
    start, sides, dim = time.perf_counter(), np.array(box.sides), space.dim

    def stretched(function: Function) -> Function:
        return lambda points: function(points * sides)

    system = assemble(space, stretched(moduli), stretched(force), 1 / sides)
    w, held, load = np.zeros((space.size, dim)), np.zeros((space.size, dim), bool), system.load.copy()
    for i, given in enumerate(box.tractions):
        for face, value in given.items():
            load[:, i] += _traction(space, face, stretched(value)) / sides[face[0]]
    for i, given in enumerate(box.displacements):
        for face, value in given.items():
            unknowns = face_unknowns(space, *face)
            held[unknowns, i] = True
            w[unknowns, i] = sample_source(stretched(value), space.nodes[unknowns])
    matrix = sparse.csr_matrix(system.matrix)
    right = np.where(held.ravel(), 0.0, load.ravel() - matrix @ w.ravel())
    modes = rigid(space.nodes * sides).reshape(space.size * dim, -1)
    assembled = time.perf_counter()
    w += solve(_held(matrix, held.ravel()), right[None], dim, modes=modes)[0].reshape(w.shape)
    fields = tuple(LagrangeField(space, component, box.sides) for component in w.T.copy())
    unknown = np.full((dim, dim), np.nan)
    return FineSolution(fields, unknown, int((~held).sum()), assembled - start, time.perf_counter() - assembled)


def _held(matrix: sparse.csr_matrix, held: Bool[np.ndarray, " n"]) -> sparse.csr_matrix:
    """With the rows and columns of what is given as those of its diagonal, which keeps the blocks of the nodes."""
    free = sparse.diags_array((~held).astype(float))
    kept = sparse.csr_matrix(free @ matrix @ free)
    return sparse.csr_matrix(kept + sparse.diags_array(held * matrix.diagonal()))


def _traction(space: LagrangeSpace, face: Face, value: Function) -> Float[np.ndarray, " n"]:
    """∫_F t φ over a face of the unit cube."""
    return face_load(space, *face, face_unknowns(space, *face), lambda points: np.zeros(len(points)), value)[1]
