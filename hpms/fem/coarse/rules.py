"""Quadrature of an oscillating flux against the hats of a coarse mesh.

∫ K∇w·∇φ_i is a sum over elements. Where K∇w about repeats after a period p and p is small, its mean over a box of one
period around each Gauss point of an element is all that the hats see of it: 2^d boxes an element, at a cost that does
not depend on ε. Else the elements are integrated by so many Gauss points a period. Each axis takes its own way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.faces import Face


@dataclass(frozen=True)
class AxisRule:
    """Points (n, G, g) on the n elements of an axis, in G groups of g points over each of which an integrand is
    averaged; the `weights` (G,) of the groups, which sum to the element's width; and both hats of an element, `value`
    and `slope` (G, 2), at the groups' centres.
    """

    points: Float[np.ndarray, "n groups each"]
    weights: Float[np.ndarray, " groups"]
    value: Float[np.ndarray, "groups 2"]
    slope: Float[np.ndarray, "groups 2"]

    def at(self, end: int) -> "AxisRule":
        """The face at the low (0) or the high end (1) as a flat element: all points there, the same shapes."""
        points = np.full_like(self.points[:1], self.points.shape[0] * self.weights.sum() * end)
        count = len(self.weights)
        value = np.tile([1.0 - end, float(end)], (count, 1))
        return replace(self, points=points, weights=np.full(count, 1 / count), value=value)


def axis_rule(n: int, width: float, period: float, boxes: bool, count: int) -> AxisRule:
    """The rule for n elements of this `width`, with `count` points a period: boxes of one period around the Gauss
    points where these may be taken and do not leave the element, else at least two Gauss points an element.
    """
    share, parts = _gauss(2)
    if boxes and period / 2 <= share[0] * width:
        each = ((np.arange(count) + 0.5) / count - 0.5) * period
    else:
        share, parts = _gauss(max(2, math.ceil(count * width / period - 1e-9)))
        each = np.zeros(1)
    centres = share * width
    slope = np.tile([-1 / width, 1 / width], (len(centres), 1))
    points = (width * np.arange(n))[:, None, None] + (centres[:, None] + each)[None]
    return AxisRule(points, parts * width, np.stack([1 - share, share], axis=1), slope)


def _gauss(number: int) -> tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]:
    """Points and weights of Gauss and Legendre on (0,1)."""
    points, weights = np.polynomial.legendre.leggauss(number)
    return (1 + points) / 2, weights / 2


@dataclass(frozen=True)
class ElementRule:
    """Points (E, G, g, d) in groups, the nodes of each element's hats `corners` (E, 2^d), and for each element one of
    the `kinds` (E,) of `tables` (k, G, 2^d, d+1): weights times ∇φ, and in the last column times φ.

    The first `count` are the elements, the others faces: elements that are flat, and have the last column alone.
    """

    points: Float[np.ndarray, "e groups each d"]
    corners: Int[np.ndarray, "e c"]
    kinds: Int[np.ndarray, " e"]
    tables: Float[np.ndarray, "k groups c d1"]
    count: int

    def form(
        self, tensors: Float[np.ndarray, "e groups d d"], rates: Float[np.ndarray, "e groups"], nodes: int
    ) -> sparse.csr_matrix:
        """∫ K∇φ_i·∇φ_j + c φ_iφ_j over all N nodes, from K and c in the groups."""
        dim, total = tensors.shape[-1], sparse.csr_matrix((nodes, nodes))
        is_each = len(self.tables) == len(self.kinds)  # each element has a table of its own
        for here in [slice(None)] if is_each else [self.kinds == kind for kind in np.unique(self.kinds)]:
            # the tables hold weights times hats and slopes: once they are divided by the weights, but where these are 0
            table = self.tables[self.kinds[here]] if is_each else self.tables[self.kinds[here][:1]]
            weights = table[..., -1].sum(axis=-1)[..., None, None]
            hats = table / np.where(weights == 0, 1, weights)
            table, hats = (table, hats) if is_each else (table[0], hats[0])
            e = "e" if is_each else ""
            local = np.einsum(f"{e}gia,egab,{e}gjb->eij", table[..., :dim], tensors[here], hats[..., :dim])
            local += np.einsum(f"{e}gi,eg,{e}gj->eij", table[..., dim], rates[here], hats[..., dim])
            corners = self.corners[here]
            rows = np.repeat(corners[:, :, None], corners.shape[1], axis=2)
            entries = (local.ravel(), (rows.ravel(), np.swapaxes(rows, 1, 2).ravel()))
            total += sparse.csr_matrix(entries, shape=(nodes, nodes))
        return sparse.csr_matrix(total)

    def assembled(self, groups: Float[np.ndarray, "e groups d1 l"], nodes: int) -> Float[np.ndarray, "{nodes} l"]:
        """∫ σ·∇φ_i + s φ_i at all N nodes, from the means (σ, s) over the groups."""
        local = np.einsum("egcf,egfl->ecl", self.tables[self.kinds], groups)
        found = np.zeros((nodes, groups.shape[-1]))
        np.add.at(found, self.corners, local)
        return found


def element_rule(space: Q1Space, axes: Sequence[AxisRule], flat: Sequence[Face]) -> ElementRule:
    """The product of rules along the axes on all elements, and on the faces `flat`, with the same numbers of points."""
    places = np.indices(space.counts).reshape(space.dim, -1)
    count = len(space.corners)
    points, corners, kinds, tables = [_points(axes)], [space.corners], [np.zeros(count, int)], [_table(axes)]
    for number, (axis, end) in enumerate(flat):
        here = [rule.at(end) if a == axis else rule for a, rule in enumerate(axes)]
        beside = np.flatnonzero(places[axis] == end * (space.counts[axis] - 1))
        points.append(_points(here))
        corners.append(space.corners[beside])
        kinds.append(np.full(beside.size, number + 1))
        tables.append(_table(here) * ([0] * space.dim + [1]))
    return ElementRule(np.concatenate(points), np.concatenate(corners), np.concatenate(kinds), np.stack(tables), count)


def _points(axes: Sequence[AxisRule]) -> Float[np.ndarray, "e groups each d"]:
    dim, shapes = len(axes), np.array([rule.points.shape for rule in axes])
    grid = np.empty((*shapes.T.ravel(), dim))
    for axis, rule in enumerate(axes):
        shape = np.ones(3 * dim, int)
        shape[axis::dim] = shapes[axis]
        grid[..., axis] = rule.points.reshape(shape)
    return grid.reshape(*np.prod(shapes, axis=0), dim)


def _table(axes: Sequence[AxisRule]) -> Float[np.ndarray, "groups c d1"]:
    weights = reduce(np.multiply.outer, [rule.weights for rule in axes]).ravel()
    parts = [[rule.slope if a == axis else rule.value for a, rule in enumerate(axes)] for axis in range(len(axes) + 1)]
    columns = [reduce(_outer, part) for part in parts]
    return weights[:, None, None] * np.stack(columns, axis=-1)


def _outer(left: Float[np.ndarray, "m a"], right: Float[np.ndarray, "n b"]) -> Float[np.ndarray, "mn ab"]:
    return np.einsum("ma,nb->mnab", left, right).reshape(left.shape[0] * right.shape[0], -1)
