"""The compression Q̄_δ: local means over collocation points, Eq. (3.26)."""

import logging

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from hpms.errors import ConfigError, UserError
from hpms.fem.frame import is_inner

log = logging.getLogger(__name__)
_MOST_EMPTY = 0.1  # of the balls


def compression_matrix(nodes: np.ndarray, points: np.ndarray, delta: float) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Q̄_δ at N nodes as one sparse matrix.

    (Q̄_δ v)(x_i) is the mean of v over the points with |x_j - x_i| <= δ/2 where dist(x_i, ∂Ω) > δ/2, and v(x_i)
    elsewhere (the boundary frame). A ball without points, as few points leave some, is treated like the frame.

    **Arguments:** nodes (N, d), points (M, d), both in [0,1]^d, and the ball's diameter δ.
    **Returns:** a matrix (N, M + F) that acts on [v(points), v(nodes[frame])], and the indices `frame` (F,).
    Raises `UserError` where more than a tenth of the balls are without points, and `ConfigError` where no node is
    further than δ/2 from ∂Ω.
    """
    inside = is_inner(nodes, delta)
    inner, frame = np.flatnonzero(inside), np.flatnonzero(~inside)
    if inner.size == 0:
        raise ConfigError("coupling.delta", f"{delta:g}", "no coarse node is further than delta/2 from the boundary")
    pairs = KDTree(nodes[inner]).sparse_distance_matrix(KDTree(points), delta / 2, output_type="coo_matrix")
    counts = np.bincount(pairs.row, minlength=inner.size)
    empty = counts == 0
    if empty.mean() > _MOST_EMPTY:
        node = ", ".join(f"{x:.4g}" for x in nodes[inner[np.argmin(counts)]])
        raise UserError(
            f"coupling.delta={delta:g} is too small: the ball of that diameter around the coarse node ({node}) holds "
            f"none of the collocation.interior_points={len(points)} points; enlarge one of them."
        )
    if empty.any():
        log.warning(
            "%d of %d averaging balls hold none of the collocation points: v at their centres stands for its mean",
            empty.sum(),
            empty.size,
        )
        frame = np.sort(np.concatenate([frame, inner[empty]]))
    rows = np.concatenate([inner[pairs.row], frame])
    columns = np.concatenate([pairs.col, len(points) + np.arange(frame.size)])
    entries = np.concatenate([1.0 / counts[pairs.row], np.ones(frame.size)])
    shape = (len(nodes), len(points) + frame.size)
    return sparse.csr_matrix((entries, (rows, columns)), shape=shape), frame
