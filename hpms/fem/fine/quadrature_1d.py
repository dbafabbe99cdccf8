"""The exact solution in 1-D, by quadrature."""

import time
from math import inf

import numpy as np
from jaxtyping import Float

from hpms.fem.field import AbstractField
from hpms.fem.fine.solve import FineSolution
from hpms.fem.sample import Function, sample_coefficient, sample_source

_GAUSS = 12
_OUTSIDE = 1e-9
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(_GAUSS)
_BARYCENTRIC = (-1.0) ** np.arange(_GAUSS) * np.sqrt((1 - _POINTS**2) * _WEIGHTS)
_VANDERMONDE = np.polynomial.legendre.legvander(_POINTS, _GAUSS - 1)


def _antiderivatives() -> Float[np.ndarray, "g g"]:
    """The matrix from values at the Gauss points of [-1,1] to ∫ from -1 to each of them of the interpolant."""
    integrals = np.array([np.polynomial.legendre.legint(e, lbnd=-1) for e in np.eye(_GAUSS)])
    return np.polynomial.legendre.legval(_POINTS, integrals.T).T @ np.linalg.inv(_VANDERMONDE)


_INTEGRATE = _antiderivatives()


class PanelField(AbstractField):
    """A function on (0, s), s = `side`, by its values and its slopes times s, `data` (2, n, 12), at the Gauss points of
    n equal panels.
    """

    dim, most_points = 1, inf

    def __init__(self, data: Float[np.ndarray, "2 n g"], side: float = 1.0):
        if data.shape[2] != _GAUSS:
            raise ValueError(f"{data.shape[2]} points per panel, not {_GAUSS}")
        self.data, self.side = data, side

    @staticmethod
    def nodes(n: int) -> Float[np.ndarray, "m 1"]:
        """The Gauss points of n panels of (0,1)."""
        return ((2 * np.arange(n)[:, None] + 1 + _POINTS) / (2 * n)).reshape(-1, 1)

    def values(self, points: Float[np.ndarray, "m 1"]) -> Float[np.ndarray, " m"]:
        panel, weights = self._locate(points)
        return (weights * self.data[0, panel]).sum(axis=1)

    def evaluate(self, points: Float[np.ndarray, "m 1"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m 1"]]:
        panel, weights = self._locate(points)
        value, slope = (weights * self.data[:, panel]).sum(axis=2)
        return value, slope[:, None] / self.side

    def norms(self) -> tuple[float, float]:
        value, slope = (self.data**2 @ _WEIGHTS).sum(axis=1) / (2 * self.data.shape[1])
        return float(value * self.side) ** 0.5, float(slope / self.side) ** 0.5

    def _locate(self, points: Float[np.ndarray, "m 1"]) -> tuple[np.ndarray, Float[np.ndarray, "m g"]]:
        """The panel of each point, and the weights that interpolate there (barycentric formula)."""
        x = points[:, 0] / self.side
        if not ((x >= -_OUTSIDE) & (x <= 1 + _OUTSIDE)).all():
            raise ValueError(f"a point lies outside [0,{self.side:g}]")
        scaled = np.clip(x, 0, 1) * self.data.shape[1]
        panel = np.minimum(scaled.astype(np.int64), self.data.shape[1] - 1)
        distance = (2 * (scaled - panel) - 1)[:, None] - _POINTS
        distance[distance == 0] = np.finfo(float).tiny ** 0.5
        weights = _BARYCENTRIC / distance
        return panel, weights / weights.sum(axis=1, keepdims=True)


def solve_exact(
    coefficient: Function,
    source: Function,
    panels: int,
    jump: float = 1.0,
) -> FineSolution:
    """w' = (C - ∫₀ˣ q)/K with C such that w(1) - w(0) = jump; u = w - jump x solves -(K(u' + jump))' = q, Eq. (4.11).

    **Arguments:** K and q map points (M, 1) to (M,); with 16 `panels` or more per period, of 12 Gauss points each, u is
    good to 1e-12 for smooth K. Raises `UserError` where K is not positive and finite, or q not finite.
    """
    start = time.perf_counter()
    k, q = sampled(coefficient, source, panels)
    there = time.perf_counter()
    flux = -antiderivative(q)
    flux += (jump - integral(flux / k)) / integral(1 / k)
    slope = flux / k - jump
    field = PanelField(np.stack([antiderivative(slope), slope]))
    upscaled = np.array([[integral(flux)]])
    return FineSolution((field,), upscaled, k.size, there - start, time.perf_counter() - there)


def sampled(
    coefficient: Function, source: Function, panels: int
) -> tuple[Float[np.ndarray, "n g"], Float[np.ndarray, "n g"]]:
    """K and q at the Gauss points of n panels of (0,1); errors as in `solve_exact`."""
    points = PanelField.nodes(panels)
    k, q = sample_coefficient(coefficient, points), sample_source(source, points)
    return k.reshape(panels, _GAUSS), q.reshape(panels, _GAUSS)


def integral(values: Float[np.ndarray, "n g"]) -> float:
    """∫₀¹."""
    return 0.5 / len(values) * float((values @ _WEIGHTS).sum())


def antiderivative(values: Float[np.ndarray, "n g"]) -> Float[np.ndarray, "n g"]:
    """∫₀ˣ of the interpolant at the Gauss points x."""
    half = 0.5 / len(values)
    ends = np.cumsum(half * (values @ _WEIGHTS))
    return np.concatenate([[0.0], ends[:-1]])[:, None] + half * values @ _INTEGRATE.T
