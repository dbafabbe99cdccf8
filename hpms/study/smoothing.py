"""What smoothing makes of a medium of pixels."""

from math import prod

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
_MOST_SAMPLES = 1_000_000


def lost(values: Float[np.ndarray, "*n"], smooth: ImageCoefficient, phases: list[float] | None) -> str:
    """One sentence: means, shares of the phases where there are any, and K* of a period by its cell problem (of the
    whole image where it has none), of the pixels and of the smooth K; K* where that takes about a second, the others
    at random points where a grid within the pixels would have more than a million.
    """
    dim, sides, functions = values.ndim, smooth.sides, (_pixels(values, smooth.sides), on_host(smooth, values.ndim))
    points, shape = _samples(values.shape, sides), "×".join(map(str, values.shape))
    sampled = [k(points) for k in functions]
    where = f" (at {len(points):,} random points)" if len(points) == _MOST_SAMPLES else ""
    parts = [f"the image of {shape} pixels is smoothed{where}: mean {_change(*(each.mean() for each in sampled))}"]
    parts.append(f"harmonic mean {_change(*(float(harmonic_mean(each)) for each in sampled))}")
    if phases is not None:
        shares = zip(phases, *(_shares(each, phases) for each in sampled), strict=True)
        parts.append("shares " + ", ".join(f"of K = {k:g} {_change(a, b)}" for k, a, b in shares))
    periods = smooth.periods or sides
    each = [round(n * period / side) for n, period, side in zip(values.shape, periods, sides, strict=True)]
    if max(each) <= _MOST[dim] and len(set(each)) == 1:
        n = each[0] * -(-_LEAST[dim] // each[0])
        box = period_box(periods, n)
        stars = [np.diag(periodic(k, box).tensor) for k in functions]
        names = ", ".join(_change(a, b) for a, b in zip(*stars, strict=True))
        parts.append(f"diagonal of K* {names}")
    return "; ".join(parts)


def _samples(shape: tuple[int, ...], sides: tuple[float, ...]) -> Float[np.ndarray, "m d"]:
    """A grid within each pixel, or `_MOST_SAMPLES` random points where that has as many or more."""
    counts = [_PER_PIXEL[len(shape)] * n for n in shape]
    if prod(counts) >= _MOST_SAMPLES:
        return np.random.default_rng(0).random((_MOST_SAMPLES, len(shape))) * np.array(sides)
    axes = [side * (np.arange(n) + 0.5) / n for side, n in zip(sides, counts, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))


def _pixels(values: Float[np.ndarray, "*n"], sides: tuple[float, ...]) -> Function:
    """K, constant on each pixel."""
    shape = np.array(values.shape)

    def found(points: np.ndarray) -> np.ndarray:
        places = np.clip((points / np.array(sides) * shape).astype(int), 0, shape - 1)
        return values[tuple(places.T)]

    return found


def _shares(values: Float[np.ndarray, " m"], phases: list[float]) -> Float[np.ndarray, " p"]:
    """How many are nearest to each phase, in log K; `phases` ascend."""
    known = np.log(phases)
    nearest = np.searchsorted((known[1:] + known[:-1]) / 2, np.log(values))
    return np.bincount(nearest, minlength=len(phases)) / len(values)


def _change(before: float, after: float) -> str:
    return f"{before:.4g} → {after:.4g}"
