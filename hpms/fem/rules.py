"""Quadrature on intervals and their products."""

import numpy as np
from jaxtyping import Float


def gauss(count: int, low: float, high: float) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Gauss-Legendre points and weights on an interval."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return low + (points + 1) * (high - low) / 2, weights * (high - low) / 2


def panels(low: float, high: float, count: int, order: int) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Composite Gauss-Legendre: `order` points on each of `count` equal panels."""
    points, weights = gauss(order, 0, (high - low) / count)
    starts = low + (high - low) * np.arange(count) / count
    return (starts[:, None] + points).ravel(), np.tile(weights, count)


def tensor(
    dim: int, points: Float[np.ndarray, " q"], weights: Float[np.ndarray, " q"]
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """The product of a rule on an interval with itself, in d dimensions."""
    grid = np.stack(np.meshgrid(*[points] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    return grid, np.stack(np.meshgrid(*[weights] * dim, indexing="ij"), axis=-1).reshape(-1, dim).prod(axis=1)


def ball(
    dim: int, diameter: float, radii: int, angles: int, heights: int
) -> tuple[Float[np.ndarray, "q d"], Float[np.ndarray, " q"]]:
    """Points and weights (sum 1) of the mean over the ball of a diameter around 0: interval, disc or ball.

    Gauss in the radius, with `radii` points, and in 3-D in the cosine of the polar angle, with `heights`; `angles`
    equal angles.
    """
    radius, radial = gauss(radii, 0.0, diameter / 2)
    turn = 2 * np.pi * np.arange(angles) / angles
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    if dim == 1:
        sphere, share = np.array([[-1.0], [1.0]]), np.full(2, 0.5)
    elif dim == 2:
        sphere, share = circle, np.full(angles, 1 / angles)
    else:
        height, vertical = gauss(heights, -1.0, 1.0)
        ring = np.sqrt(1 - height**2)[:, None, None] * circle
        sphere = np.concatenate([ring, np.broadcast_to(height[:, None, None], (heights, angles, 1))], axis=2)
        sphere, share = sphere.reshape(-1, 3), np.repeat(vertical / (2 * angles), angles)
    shell = radial * radius ** (dim - 1)
    points = (radius[:, None, None] * sphere).reshape(-1, dim)
    return points, (shell[:, None] / shell.sum() * share).ravel()
