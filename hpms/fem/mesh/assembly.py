"""Matrices and loads of P1 and P2 elements on a simplicial mesh."""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from hpms.fem.mesh.space import MeshSpace, blocks, rule
from hpms.fem.sample import Function, sample_coefficient, sample_source

_ORDER, _FACET_ORDER = 5, 6
_POINTS, _ENTRIES = 200_000, 20_000_000


def assemble(
    space: MeshSpace, coefficient: Function, source: Function, reaction: Function | None = None
) -> tuple[sparse.csr_matrix, Float[np.ndarray, " n"]]:
    """∫ ∇φ_i·K∇φ_j + ∫ c φ_iφ_j and ∫ q φ_i over all unknowns.

    K, q and the `reaction` c are evaluated at quadrature points (order 5), at most 2e5 at a time; K, a number or a
    tensor, is never interpolated. Raises `UserError` where K is not positive and finite, or q or c not finite.
    """
    barycentric, weights = rule(space.dim, _ORDER)
    shape, changes = space.shape(barycentric), space.changes(barycentric)
    mass = np.einsum("qi,qj,q->qij", shape, shape, weights)
    count = space.unknowns.shape[1]
    matrix, load = sparse.csr_matrix((space.size, space.size)), np.zeros(space.size)
    for part in space.blocks(_ENTRIES // count**2):
        entries = np.empty((part.stop - part.start, count, count))
        loads = np.empty((part.stop - part.start, count))
        for cells in blocks(part.stop, max(1, _POINTS // len(weights)), part.start):
            here = slice(cells.start - part.start, cells.stop - part.start)
            corners = space.mesh.nodes[space.mesh.cells[cells]]
            points = (barycentric @ corners).reshape(-1, space.dim)
            slopes, volumes = space.geometry(cells)
            k = sample_coefficient(coefficient, points)
            k = k.reshape(len(volumes), -1, *k.shape[1:])
            entries[here] = _stiffness(k, changes, weights, slopes)
            if reaction is not None:
                c = sample_source(reaction, points).reshape(len(volumes), -1)
                entries[here] += np.tensordot(c, mass, axes=1)
            entries[here] *= volumes[:, None, None]
            q = sample_source(source, points).reshape(len(volumes), -1)
            loads[here] = volumes[:, None] * (q * weights @ shape)
        matrix = matrix + _gathered(space, space.unknowns[part], entries)
        load += _collect(space, space.unknowns[part], loads)
    return matrix, load


def assemble_on(
    space: MeshSpace, part: str, rate: Function, value: Function
) -> tuple[sparse.csr_matrix, Float[np.ndarray, " n"]]:
    """∫ a φ_iφ_j and ∫ g φ_i over a part of the boundary, a the `rate` and g the `value`."""
    barycentric, weights = rule(space.dim - 1, _FACET_ORDER)
    shape, chosen = space.shape(barycentric), space.mesh.on(part)
    unknowns, areas = space.facet_unknowns(part), space.mesh.areas[chosen]
    points = (barycentric @ space.mesh.nodes[space.mesh.facets[chosen]]).reshape(-1, space.dim)
    at = (len(areas), len(weights))
    a, g = (sample_source(each, points).reshape(at) * areas[:, None] for each in (rate, value))
    mass = np.einsum("qi,qj,q->qij", shape, shape, weights)
    return _gathered(space, unknowns, np.tensordot(a, mass, axes=1)), _collect(space, unknowns, g * weights @ shape)


def _stiffness(
    k: Float[np.ndarray, "t q *s"],
    changes: Float[np.ndarray, "q i v"],
    weights: Float[np.ndarray, " q"],
    slopes: Float[np.ndarray, "t v d"],
) -> Float[np.ndarray, "t i i"]:
    """∫ ∇φ_i·K∇φ_j over |T|, with the mean of K where all gradients are constant."""
    if changes.shape[1] == changes.shape[2]:
        k, changes, weights = np.tensordot(k, weights, ([1], [0]))[:, None], changes[:1], np.ones(1)
    gradients = np.tensordot(slopes, changes, ([1], [2]))  # (t, d, q, i)
    if k.ndim == 2:
        flux = gradients * (k * weights)[:, None, :, None]
    else:
        flux = np.einsum("tqab,tbqi,q->taqi", k, gradients, weights, optimize=True)
    flat = (len(k), -1, changes.shape[1])
    return gradients.reshape(flat).swapaxes(1, 2) @ flux.reshape(flat)


def _gathered(
    space: MeshSpace, unknowns: Int[np.ndarray, "t k"], entries: Float[np.ndarray, "t k k"]
) -> sparse.csr_matrix:
    local, count = unknowns.astype(np.int32), unknowns.shape[1]
    rows, columns = np.repeat(local, count, axis=1).ravel(), np.tile(local, count).ravel()
    return sparse.csr_matrix((entries.ravel(), (rows, columns)), shape=(space.size, space.size))


def _collect(space: MeshSpace, unknowns: Int[np.ndarray, "t k"], values: np.ndarray) -> Float[np.ndarray, " n"]:
    return np.bincount(unknowns.ravel(), weights=values.ravel(), minlength=space.size)
