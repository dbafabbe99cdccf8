"""What smoothing makes of a medium of pixels."""

import numpy as np
from jaxtyping import Float

from hpms.fem.fine.upscaled import period_box, periodic
from hpms.fem.sample import Function
from hpms.fem.tensors import harmonic_mean
from hpms.problem.coefficient.image import ImageCoefficient
from hpms.problem.lifted import on_host

_MOST = {1: 4096, 2: 96, 3: 12}  # pixels along each axis of a period whose cell problem takes about a second
_LEAST = {1: 64, 2: 32, 3: 12}  # elements
_PER_PIXEL = {1: 8, 2: 3, 3: 2}  # samples along each axis


def lost(values: Float[np.ndarray, "*n"], smooth: ImageCoefficient, phases: list[float] | None) -> str:
    """One sentence: shares of the phases, or where there are none means, and K* of a period by its cell problem (of the
    whole image where it has none), of the pixels and of the smooth K; K* where that takes about a second.
    """
    dim, sides, function = values.ndim, smooth.sides, on_host(smooth, values.ndim)
    count = _PER_PIXEL[dim]
    axes = [side * (np.arange(count * n) + 0.5) / (count * n) for side, n in zip(sides, values.shape, strict=True)]
    sampled = function(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dim))
    shape = "×".join(map(str, values.shape))
    parts = [f"the image of {shape} pixels is smoothed: mean {_change(values.mean(), sampled.mean())}"]
    parts.append(f"harmonic mean {_change(float(harmonic_mean(values.ravel())), float(harmonic_mean(sampled)))}")
    if phases is not None:
        before, after = (_shares(found.ravel(), phases) for found in (values, sampled))
        shares = zip(phases, before, after, strict=True)
        parts.append("shares " + ", ".join(f"of K = {k:g} {_change(a, b)}" for k, a, b in shares))
    periods = smooth.periods or sides
    each = [round(n * period / side) for n, period, side in zip(values.shape, periods, sides, strict=True)]
    if max(each) <= _MOST[dim] and len(set(each)) == 1:
        n = each[0] * -(-_LEAST[dim] // each[0])
        box = period_box(periods, n)
        stars = [np.diag(periodic(k, box).tensor) for k in (_pixels(values, sides), function)]
        names = ", ".join(_change(a, b) for a, b in zip(*stars, strict=True))
        parts.append(f"diagonal of K* {names}")
    return "; ".join(parts)


def _pixels(values: Float[np.ndarray, "*n"], sides: tuple[float, ...]) -> Function:
    """K, constant on each pixel."""
    shape = np.array(values.shape)

    def found(points: np.ndarray) -> np.ndarray:
        places = np.clip((points / np.array(sides) * shape).astype(int), 0, shape - 1)
        return values[tuple(places.T)]

    return found


def _shares(values: Float[np.ndarray, " m"], phases: list[float]) -> Float[np.ndarray, " p"]:
    """How many are nearest to each phase, in log K."""
    nearest = np.abs(np.log(values)[:, None] - np.log(phases)).argmin(axis=1)
    return np.bincount(nearest, minlength=len(phases)) / len(values)


def _change(before: float, after: float) -> str:
    return f"{before:.4g} → {after:.4g}"
