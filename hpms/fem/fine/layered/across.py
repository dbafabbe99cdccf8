"""What the series of a layered medium have in the axes along its layers, on the square of a unit interval."""

import numpy as np
from jaxtyping import Float, Int

_NEGLIGIBLE = 40.0  # exp(-40) = 4e-18


def odd_numbers(dim: int, period: float, reach: float) -> Int[np.ndarray, "k c"]:
    """The n with which 1 = Σ c_n Π_a sin(n_a π x_a), c_n = Π 4/(n_a π), is cut off, by growing |n|.

    In 2-D all odd n up to `reach`; in 3-D all pairs of odd numbers whose share in the energy of a layer at x₁ = 0,
    n⁻² m⁻² (n² + m² + (2/p)²)^(-3/2), is at least that of (1, reach).
    """
    every = np.arange(1, int(reach) + 1, 2)
    if dim == 2:
        return every[:, None]
    first, second = np.broadcast_arrays(every[:, None], every)

    def share(n: np.ndarray, m: np.ndarray) -> np.ndarray:
        return (n**-2.0) * (m**-2.0) * (n**2.0 + m**2.0 + (2 / period) ** 2) ** -1.5

    kept = share(first, second) >= share(every[:1], every[-1:])
    pairs = np.stack([first[kept], second[kept]], axis=1)
    return pairs[np.argsort((pairs**2).sum(axis=1), kind="stable")]


def sines(
    numbers: Int[np.ndarray, "k c"], points: Float[np.ndarray, "m c"]
) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "c m k"]]:
    """Π_a sin(n_a π x_a) and its gradient."""
    every = np.arange(1, numbers.max() + 1, 2)
    sine, cosine = [], []
    for x, n in zip(points.T, numbers.T, strict=True):
        phase = np.pi * x[:, None] * every
        sine.append(np.sin(phase)[:, n // 2])
        cosine.append((np.pi * every * np.cos(phase))[:, n // 2])
    if len(sine) == 1:
        return sine[0], np.stack(cosine)
    return sine[0] * sine[1], np.stack([cosine[0] * sine[1], sine[0] * cosine[1]])


def saturation(
    points: Float[np.ndarray, "m c"], mu: Float[np.ndarray, " j"], reach: float
) -> tuple[Float[np.ndarray, "m j"], Float[np.ndarray, "c m j"]]:
    """z and ∇z with -Δz + μ_j z = 1 in (0,1)^c, z = 0 on its boundary, c = 1 or 2.

    On the square z = ζ(a; μ) - Σ c_n sin(nπa) C(b; μ + n²π²)/(μ + n²π²), n odd up to `reach`, where b is the
    coordinate farther from the boundary, ζ the z of the interval and C = 1 - νζ(·; ν).
    """
    if points.shape[1] == 1:
        value, slope = _interval(points[:, 0], mu)
        return value, slope[None]
    distance = np.minimum(points, 1 - points)
    far = np.argmax(distance, axis=1)
    order = np.argsort(distance.max(axis=1))
    rows = np.arange(len(points))
    near, other, depth = points[rows, 1 - far][order], points[rows, far][order], distance.max(axis=1)[order]
    value, slope = _interval(near, mu)
    gradient = np.stack([slope, np.zeros_like(slope)])
    for n in range(1, int(reach) + 1, 2):
        active = slice(0, np.searchsorted(depth, _NEGLIGIBLE / (n * np.pi)))
        if not active.stop:
            break
        nu, phase = mu + (n * np.pi) ** 2, n * np.pi * near[active, None]
        edge, edge_slope = _edges(other[active], nu)
        share = 4 / (n * np.pi) / nu
        value[active] -= share * np.sin(phase) * edge
        gradient[0, active] -= share * n * np.pi * np.cos(phase) * edge
        gradient[1, active] -= share * np.sin(phase) * edge_slope
    back = np.empty_like(order)
    back[order] = rows
    value, gradient = value[back], gradient[:, back]
    return value, np.where(far[:, None] == 1, gradient, gradient[::-1])


def _interval(t: Float[np.ndarray, " m"], mu: Float[np.ndarray, " j"]) -> tuple[np.ndarray, np.ndarray]:
    """ζ = (1 - cosh(√μ(t-½))/cosh(√μ/2))/μ and ζ'; t(1-t)/2 where μ = 0."""
    zero, safe = mu == 0, np.where(mu == 0, 1.0, mu)
    edge, slope = _edges(t, safe)
    value = np.where(zero, (t * (1 - t) / 2)[:, None], (1 - edge) / safe)
    return value, np.where(zero, (0.5 - t)[:, None], -slope / safe)


def _edges(t: Float[np.ndarray, " m"], nu: Float[np.ndarray, " j"]) -> tuple[np.ndarray, np.ndarray]:
    """C = cosh(√ν(t-½))/cosh(√ν/2) and C'."""
    root = np.sqrt(nu)
    total = 1 + np.exp(-root)
    low, high = (np.exp(-root * side[:, None]) / total for side in (t, 1 - t))
    return low + high, root * (high - low)
