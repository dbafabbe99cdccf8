"""Sums of the terms that matter, at points and on products of points."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from hpms.fem.fine.layered.families import AbstractFamily

_ENTRIES = 2_000_000  # of a table of terms at points


def add_at_points(family: AbstractFamily, points: Float[np.ndarray, "m d"], total: Float[np.ndarray, "s m"]) -> None:
    """Adds the family to `total`: u, and where that has d + 1 rows ∇u, at M points."""
    for part, kept in _parts(family, points[:, 0]):
        along, along_slope = family.along(points[part, 0], kept)
        across, across_slope = family.across(points[part, 1:], kept)
        total[0, part] += np.einsum("mk,mk->m", along, across)
        if len(total) > 1:
            total[1, part] += np.einsum("mk,mk->m", along_slope, across)
            total[2:, part] += np.einsum("mk,cmk->cm", along, across_slope)


def add_on_grid(
    family: AbstractFamily,
    x: Float[np.ndarray, " a"],
    rest: Float[np.ndarray, "b c"],
    total: Float[np.ndarray, "s a b"],
) -> None:
    """Adds the family to `total`, as at points, at all pairs of an x₁ and an (x₂, ..., x_d)."""
    for part, kept in _parts(family, x):
        along, along_slope = family.along(x[part], kept)
        size = max(1, _ENTRIES // (kept.stop or 1))
        for start in range(0, len(rest), size):
            columns = slice(start, start + size)
            across, across_slope = family.across(rest[columns], kept)
            total[0, part, columns] += along @ across.T
            if len(total) > 1:
                total[1, part, columns] += along_slope @ across.T
                total[2:, part, columns] += along @ across_slope.transpose(0, 2, 1)


def _parts(family: AbstractFamily, x: Float[np.ndarray, " m"]) -> Iterator[tuple[np.ndarray, slice]]:
    """Indices of points, and the terms that matter there."""
    distance = family.distance(x)
    order, start = np.argsort(distance, kind="stable"), 0
    while start < len(x):
        count = family.count(float(distance[order[start]]))
        stop = start + max(1, _ENTRIES // max(count, 1))
        yield order[start:stop], slice(0, count)
        start = stop
