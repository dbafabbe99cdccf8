"""How far the averages of the exact solution are from the coarse state, for any δ, kept on disk."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from hpms.fem.fine import cache
from hpms.fem.fine.average import ball_means, consistency_gaps, framed_rule, most_balls
from hpms.fem.fine.reference import Reference
from hpms.fem.validation import ratio

_COARSE_SCALE = 0.1  # over which y varies


@dataclass(frozen=True)
class Gaps:
    """For one ε and one δ, all over ‖u‖ and NaN where K̃₁₁ <= 0: ‖Q_δ u - y‖ on Ω_δ = {dist(x, ∂Ω) > δ/2} (`interior`),
    ‖u - y‖ on the rest (`frame`), and ‖Q_δ y - y‖ on Ω_δ (`compression`), the first term of Theorem 2.11's bound.
    """

    interior: float
    frame: float
    compression: float


def gaps(found: Reference, delta: float, scale: float, cache_dir: str | Path, key: str) -> Gaps:
    """The gaps of a reference, from a file in `cache_dir` where one holds them.

    **Arguments:** δ, the length `scale` ε over which u varies, and a `key` that names all but these. Raises
    `ValueError` unless δ and ε are positive.
    """
    names = [field.name for field in fields(Gaps)]
    if not found.upscaled_coefficient[0, 0] > 0:
        return Gaps(**dict.fromkeys(names, float("nan")))
    path = Path(cache_dir) / f"{key}_gap_{delta:.10g}.h5"
    mark = f"{key} gap {found.method} {found.h!r} {delta!r} {scale!r}"
    if (stored := cache.load(path, mark, names)) is not None:
        return Gaps(**{name: float(value) for name, value in stored.items()})
    known = (found.interior_gap, found.frame_gap) if found.delta == delta else None
    interior, frame = known or consistency_gaps(found.fine, found.coarse, delta, scale)
    result = Gaps(interior, frame, ratio(_compression(found, delta), found.norm_l2))
    cache.save(path, mark, {name: np.asarray(getattr(result, name)) for name in names})
    return result


def _compression(found: Reference, delta: float) -> float:
    """‖Q_δ y - y‖ on Ω_δ; outside, Q̄_δ y = y."""
    points, weights = framed_rule(found.coarse.dim, delta, _COARSE_SCALE, most_balls(found.coarse, delta, delta))
    change = ball_means(found.coarse, points, delta, delta) - found.coarse.values(points)
    return float(weights @ change**2) ** 0.5
