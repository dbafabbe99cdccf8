"""Stiffness and load of P1 and P2 elements for small elastic strains; unknown d·m + i is component i at node m."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.fem.elastic.moduli import sample_moduli
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function

_ORDER, _POINTS = 5, 200_000


@dataclass(frozen=True)
class ElasticSystem:
    """∫ σ(φ_m e_i):e(φ_n e_j) in blocks of d by d, and ∫ q_i φ_m (N, d), over all N nodes."""

    matrix: sparse.bsr_matrix
    load: Float[np.ndarray, "n d"]


def assemble(
    space: LagrangeSpace, moduli: Function, force: Function, stretch: Float[np.ndarray, " d"]
) -> ElasticSystem:
    """On the unit cube, with the derivatives s_a ∂_a of a `stretch` s.

    λ, μ (M, 2) and q (M, d) are evaluated at quadrature points (order 5), never interpolated. Raises `UserError` where
    the moduli are no stiffness, or q is not finite.
    """
    barycentric, weights = space.rule(_ORDER)
    shape, dim = space.shape(barycentric), space.dim
    weighted, local = shape * weights[:, None], shape.shape[1]
    load = np.zeros((space.size, dim))
    rows, columns, blocks = [], [], []
    for simplex, cube in space.blocks(max(1, _POINTS // len(weights))):
        points = space.places(barycentric, cube, simplex).reshape(-1, dim)
        lam, mu = sample_moduli(moduli, points).reshape(len(cube), -1, 2).transpose(2, 0, 1)
        unknowns, slopes = space.unknowns(cube, simplex), space.table(barycentric, simplex) * stretch
        q = np.asarray(force(points), dtype=np.float64).reshape(len(cube), -1, dim)
        for i in range(dim):
            load[:, i] += np.bincount(unknowns.ravel(), weights=(q[..., i] @ weighted).ravel(), minlength=space.size)
        tables = np.einsum("qmi,qnj,q->ijqmn", slopes, slopes, weights).reshape(dim, dim, len(weights), -1)
        shear = sum(mu @ tables[a, a] for a in range(dim))
        each = np.empty((len(cube), local * local, dim, dim))
        for i in range(dim):
            for j in range(dim):
                each[..., i, j] = lam @ tables[i, j] + mu @ tables[j, i] + (shear if i == j else 0)
        blocks.append(each.reshape(-1, dim, dim))
        rows.append(np.repeat(unknowns, local, axis=1).ravel())
        columns.append(np.tile(unknowns, (1, local)).ravel())
    return ElasticSystem(_summed(rows, columns, blocks, space.size, dim), load)


def _summed(
    rows: list[np.ndarray], columns: list[np.ndarray], blocks: list[np.ndarray], size: int, dim: int
) -> sparse.bsr_matrix:
    """The blocks of equal places added, entry by entry, as all entries have the same pattern."""
    place = np.concatenate(rows), np.concatenate(columns)
    data, like = [], None
    for i in range(dim):
        for j in range(dim):
            entries = np.concatenate([each[:, i, j] for each in blocks])
            like = sparse.csr_matrix((entries, place), shape=(size, size))
            data.append(like.data)
    assert like is not None
    stacked = np.stack(data, axis=1).reshape(-1, dim, dim)
    return sparse.bsr_matrix((stacked, like.indices, like.indptr), shape=(size * dim,) * 2)
