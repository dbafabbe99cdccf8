"""Quadrature on simplices: positive weights that sum to 1, and points inside, none of them on a boundary."""

from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.special import roots_jacobi

Rule = tuple[Float[np.ndarray, "q d1"], Float[np.ndarray, " q"]]

# Of degree 5: Radon (1948) on triangles, Walkington (2000) on tetrahedra, by orbits of points. A pair (a, w) stands for
# the d + 1 points with a barycentric coordinate a that differs from the others; the last for the middle of a triangle,
# or for the six points with the coordinates a, a, b, b, 2a + 2b = 1.
_ROOT = 15**0.5
_CORNERS = {
    2: [((9 - 2 * _ROOT) / 21, (155 + _ROOT) / 1200), ((9 + 2 * _ROOT) / 21, (155 - _ROOT) / 1200)],
    3: [(0.067342242210098170608, 0.11268792571801585080), (0.72179424906732632079, 0.073493043116361949544)],
}
_EDGES = (0.045503704125649649492, 0.042546020777081466438)


@cache
def degree_five(dim: int) -> Rule:
    """3 points on an interval, 7 on a triangle, 14 on a tetrahedron."""
    if dim == 1:
        return product(1, 3)
    points, weights = [], []
    for alone, weight in _CORNERS[dim]:
        corner = np.full((dim + 1, dim + 1), (1 - alone) / dim)
        np.fill_diagonal(corner, alone)
        points.append(corner)
        weights += [weight] * (dim + 1)
    if dim == 2:
        points.append(np.full((1, 3), 1 / 3))
        weights.append(9 / 40)
    else:
        near, weight = _EDGES
        pairs = np.array([[i in pair for i in range(4)] for pair in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))])
        points.append(np.where(pairs, near, 0.5 - near))
        weights += [weight] * 6
    return np.concatenate(points), np.array(weights)


@cache
def product(dim: int, count: int) -> Rule:
    """The conical product of Gauss and Jacobi's rules with `count` points, of degree 2 `count` - 1."""
    points, weights = np.ones((1, 1)), np.ones(1)
    for power in range(dim):
        places, found = roots_jacobi(count, power, 0)
        low, share = (1 - places) / 2, found / found.sum()
        inner = low[:, None, None] * points
        points = np.concatenate([inner, np.broadcast_to((1 - low)[:, None, None], (*inner.shape[:2], 1))], axis=2)
        points, weights = points.reshape(-1, power + 2), (share[:, None] * weights).ravel()
    return points, weights
