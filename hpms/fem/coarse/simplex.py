"""The coarse space of hats on a simplicial mesh, and quadrature of an oscillating flux against them."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.fem.coarse.rules import ElementRule
from hpms.fem.mesh.simplices import Simplices
from hpms.fem.mesh.space import rule
from hpms.fem.p1 import Blocks

_FAR = {2: 1 / 6, 3: (5 - 5**0.5) / 20}  # of equal weights, right for polynomials of degree 2


class SimplexSpace:
    """V_H = span{φ_i}, linear on each simplex; node i is left out where V_H is to vanish: on the parts of the boundary
    that are `held`, and, where it is `pinned`, in the first node, which is as good as all of V_H up to constants.
    """

    def __init__(self, mesh: Simplices, held: Sequence[str], pinned: bool = False):
        self.mesh, self.dim, self.nodes, self.h = mesh, mesh.dim, mesh.nodes, mesh.h
        out = np.zeros(len(mesh.nodes), bool)
        for part in held:
            out[mesh.facets[mesh.on(part)]] = True
        out[0] |= pinned
        self.interior, self.boundary = np.flatnonzero(~out), np.flatnonzero(out)

    @cached_property
    def stiffness(self) -> Blocks:
        """A^{ab}_ij = ∫ ∂_aφ_i ∂_bφ_j over all N nodes, as `stiffness[a][b]`."""
        mesh, count = self.mesh, len(self.nodes)
        rows = np.repeat(mesh.cells[:, :, None], self.dim + 1, axis=2)
        places = rows.ravel(), np.swapaxes(rows, 1, 2).ravel()

        def assemble(a: int, b: int) -> sparse.csr_matrix:
            local = mesh.volumes[:, None, None] * mesh.slopes[:, :, None, a] * mesh.slopes[:, None, :, b]
            return sparse.csr_matrix((local.ravel(), places), shape=(count, count))

        return tuple(tuple(assemble(a, b) for b in range(self.dim)) for a in range(self.dim))

    def stiffness_in(self, counts: tuple[int, ...]) -> list[Blocks]:
        """That of all of Ω: there are no cells."""
        assert set(counts) == {1}
        return [self.stiffness]


def flux_rule(mesh: Simplices, levels: int, has_rate: bool, flat: Sequence[str]) -> ElementRule:
    """Each element halved `levels` times, with d+1 points of equal weights in each piece.

    The groups, over which integrands are averaged, are the pieces, or, where hats themselves do not count (not
    `has_rate`), the elements. With it the facets of the parts `flat` are elements that are flat.
    """
    dim, pieces = mesh.dim, _pieces(mesh.dim, levels)
    far = _FAR[dim]
    local = np.full((dim + 1, dim + 1), far) + (1 - (dim + 1) * far) * np.eye(dim + 1)
    inside = local @ pieces  # (pieces, points, corners)
    if not has_rate:
        inside = inside.reshape(1, -1, dim + 1)
    hats, weight = inside.mean(axis=1), 1 / len(inside)
    table = np.concatenate(
        [
            np.broadcast_to(mesh.slopes[:, None], (len(mesh.cells), len(inside), dim + 1, dim)),
            np.broadcast_to(hats[None, :, :, None], (len(mesh.cells), len(inside), dim + 1, 1)),
        ],
        axis=-1,
    )
    found = [(mesh.cells, mesh.nodes[mesh.cells], mesh.volumes[:, None, None, None] * weight * table, inside)]
    for part in flat if has_rate else ():
        found.append(_flat(mesh, part, levels, inside.shape))
    points = [np.einsum("gqi,tid->tgqd", barycentric, corners) for _, corners, _, barycentric in found]
    numbers, _, tables, _ = zip(*found, strict=True)
    total = sum(map(len, numbers))
    return ElementRule(
        np.concatenate(points), np.concatenate(numbers), np.arange(total), np.concatenate(tables), len(mesh.cells)
    )


def load_rule(mesh: Simplices, levels: int, order: int, flat: Sequence[str]) -> list[tuple[np.ndarray, ...]]:
    """For the elements, and for the facets of each of the parts `flat`: quadrature points (t, q, d), weights (t, q),
    the hats there (q, k), and the numbers of these (t, k); right for polynomials of that order in each piece.
    """
    found = [(*_composite(mesh.nodes[mesh.cells], mesh.volumes, levels, order), mesh.cells)]
    for part in flat:
        here = mesh.facets[mesh.on(part)]
        found.append((*_composite(mesh.nodes[here], mesh.areas[mesh.on(part)], levels, order), here))
    return found


def _composite(
    corners: np.ndarray, sizes: np.ndarray, levels: int, order: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges = corners.shape[1] - 1
    barycentric, weights = rule(edges, order)
    pieces = _pieces(edges, levels)
    hats = (barycentric @ pieces).reshape(-1, edges + 1)
    share = np.tile(weights, len(pieces)) / len(pieces)
    return np.einsum("qi,tid->tqd", hats, corners), sizes[:, None] * share, hats


def _flat(
    mesh: Simplices, part: str, levels: int, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of the facets of a part: the numbers of the corners of the elements beside them (f, d+1), the facets' corners,
    the tables, and as many points as the elements have, by their barycentric coordinates on the facet.
    """
    dim, (groups, each, _) = mesh.dim, shape
    here = mesh.on(part)
    facets, cells = mesh.facets[here], mesh.cells[mesh.beside[here]]
    pieces = _pieces(dim - 1, levels * dim // (dim - 1))
    used = len(pieces)
    cut = _pieces(dim - 1, 1).mean(axis=1) if dim == 3 else (np.arange(each)[:, None] + 0.5) / each
    if dim == 2:
        cut = np.concatenate([1 - cut, cut], axis=1)
    inside = cut @ pieces
    padded = np.concatenate([inside, np.repeat(inside[-1:], groups - used, axis=0)])
    hats = np.concatenate([inside.mean(axis=1), np.zeros((groups - used, dim))])
    table = np.zeros((len(facets), groups, dim + 1, dim + 1))
    place = (cells[:, :, None] == facets[:, None, :]).astype(float)
    table[..., dim] = np.einsum("gi,tci->tgc", hats, place) * mesh.areas[here][:, None, None] / used
    return cells, mesh.nodes[facets], table, padded


@lru_cache(maxsize=32)
def _pieces(dim: int, levels: int) -> Float[np.ndarray, "p d1 d1"]:
    """The corners of the pieces of a simplex that is halved so often, by their barycentric coordinates."""
    nodes = np.concatenate([np.zeros((1, dim)), np.eye(dim)])
    whole = Simplices(nodes, np.arange(dim + 1)[None], np.zeros((0, dim), int), np.zeros(0, int), ())
    places = whole.refined(levels)
    corners = places.nodes[places.cells]
    return np.concatenate([1 - corners.sum(axis=2, keepdims=True), corners], axis=2)
