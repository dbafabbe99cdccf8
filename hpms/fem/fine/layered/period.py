"""One period of a layered medium, in spectral elements."""

from functools import cached_property

import numpy as np
import scipy.linalg
from jaxtyping import Float
from numpy.polynomial import legendre
from scipy import sparse

DEGREE = 8
GAUSS = 12
_POINTS, _WEIGHTS = legendre.leggauss(GAUSS)
_LOBATTO = np.concatenate([[-1.0], np.sort(legendre.legroots(legendre.legder(np.eye(DEGREE + 1)[-1]))), [1.0]])
_COEFFICIENTS = np.linalg.inv(legendre.legvander(_LOBATTO, DEGREE))  # (k, i): of P_k in φ_i
_SLOPES = legendre.legder(_COEFFICIENTS)


def gauss_points(length: float, panels: int) -> Float[np.ndarray, " g"]:
    """The points on [0, p] at which a `Period` is given."""
    return (length / panels * (np.arange(panels)[:, None] + (_POINTS + 1) / 2)).ravel()


class Period:
    """K on [0, p] by its `values` (G,) at `gauss_points`, and continuous elements of degree 8 on its m panels.

    The N = 8 m + 1 nodes of a panel are those of Gauss-Lobatto; p is the `length`.
    """

    def __init__(self, length: float, values: Float[np.ndarray, " g"]):
        self.length, self.panels = length, len(values) // GAUSS
        self.values, self.points = values, gauss_points(length, self.panels)
        self.weights = np.tile(_WEIGHTS * length / (2 * self.panels), self.panels)
        self.count = DEGREE * self.panels + 1

    def interpolation(self, x: Float[np.ndarray, " m"]) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """From values at the N nodes to values and derivatives at M points of [0, p]."""
        scaled = x * (self.panels / self.length)
        panel = np.clip(scaled.astype(np.int64), 0, self.panels - 1)
        local = 2 * (scaled - panel) - 1
        columns = (DEGREE * panel[:, None] + np.arange(DEGREE + 1)).ravel()
        starts = np.arange(len(x) + 1) * (DEGREE + 1)
        value = legendre.legvander(local, DEGREE) @ _COEFFICIENTS
        slope = legendre.legvander(local, DEGREE - 1) @ _SLOPES * (2 * self.panels / self.length)
        shape = (len(x), self.count)
        to_value = sparse.csr_matrix((value.ravel(), columns, starts), shape=shape)
        return to_value, sparse.csr_matrix((slope.ravel(), columns, starts), shape=shape)

    @cached_property
    def at_points(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """`interpolation` to the Gauss points."""
        return self.interpolation(self.points)

    @cached_property
    def matrices(self) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n n"]]:
        """∫ K φ_i' φ_j' and ∫ K φ_i φ_j."""
        measure = sparse.diags_array(self.values * self.weights)
        value, slope = self.at_points
        return (slope.T @ measure @ slope).toarray(), (value.T @ measure @ value).toarray()

    def load(self, source: float, jump: float) -> Float[np.ndarray, " n"]:
        """∫ q φ_i - jump ∫ K φ_i'."""
        value, slope = self.at_points
        return source * (value.T @ self.weights) - jump * (slope.T @ (self.values * self.weights))

    @cached_property
    def periodic(self) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "n k"]]:
        """μ_j and ψ_j at the nodes: -(Kψ')' = μ K ψ, p-periodic, ∫ K ψ_i ψ_j = δ_ij, μ_0 = 0."""
        fold = np.vstack([np.eye(self.count - 1), np.eye(1, self.count - 1)])
        mu, psi = scipy.linalg.eigh(*(fold.T @ matrix @ fold for matrix in self.matrices))
        return np.concatenate([[0.0], mu[1:]]), fold @ psi
