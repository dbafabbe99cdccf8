"""The coarse state equation B_h y = F, its adjoint and its sensitivities, with one factorisation."""

from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import SuperLU

from hpms.coarse.direct import factorise
from hpms.coarse.p1 import P1Space


class CoarseProblem:
    """Σ_ab K_ab A^{ab} y = F on the interior nodes of a P1 space, y = 0 on ∂Ω, Eqs. (3.13), (4.18).

    **Arguments:** the `space` and the load F (N,) over all its nodes. Raises `ValueError` for a load of another shape.
    """

    def __init__(self, space: P1Space, load: Float[np.ndarray, " n"]):
        if load.shape != (len(space.nodes),):
            raise ValueError(f"the load has shape {load.shape}, but the space has {len(space.nodes)} nodes")
        self.space, self.load = space, load
        inner = space.interior
        self._blocks = [[matrix[inner][:, inner] for matrix in row] for row in space.stiffness]

    def is_admissible(self, coefficient: np.ndarray) -> bool:
        """Whether K̃ (d, d) is finite and its symmetric part positive definite."""
        coefficient = self._checked(coefficient)
        if not np.isfinite(coefficient).all():
            return False
        return bool(np.linalg.eigvalsh(coefficient + coefficient.T).min() > 0)

    def factorise(self, coefficient: np.ndarray) -> "FactorisedProblem":
        """The problem for K̃ (d, d), factorised; raises `ValueError` where K̃ is not admissible."""
        if not self.is_admissible(coefficient):
            raise ValueError(f"the coefficient {np.asarray(coefficient).tolist()} is not positive definite")
        coefficient = self._checked(coefficient)
        terms = zip(coefficient.ravel(), [block for row in self._blocks for block in row], strict=True)
        matrix = sum(k * block for k, block in terms)
        return FactorisedProblem(self.space, self.load, factorise(sparse.csc_matrix(matrix)))

    def _checked(self, coefficient: np.ndarray) -> Float[np.ndarray, "d d"]:
        coefficient = np.asarray(coefficient, dtype=np.float64)
        if coefficient.shape != (self.space.dim, self.space.dim):
            raise ValueError(f"the coefficient has shape {coefficient.shape}, not ({self.space.dim}, {self.space.dim})")
        return coefficient


class FactorisedProblem:
    """The coarse problem for one K̃; B is its matrix on the interior nodes, and results (N,) are 0 on ∂Ω."""

    def __init__(self, space: P1Space, load: Float[np.ndarray, " n"], factors: SuperLU):
        self.space, self.load, self._factors = space, load, factors

    @cached_property
    def _state(self) -> Float[np.ndarray, " n"]:
        return self._solve(self.load, "N")

    def state(self) -> Float[np.ndarray, " n"]:
        """y = B^{-1} F."""
        return self._state.copy()

    def adjoint(self, rhs: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """p = B^{-T} r for a right-hand side r (N,), such as -∂J/∂y, Eq. (3.18)."""
        return self._solve(rhs, "T")

    def sensitivity(self, a: int, b: int) -> Float[np.ndarray, " n"]:
        """∂y/∂K_ab = -B^{-1} A^{ab} y, a, b = 0..d-1."""
        return -self._solve(self.space.stiffness[a][b] @ self._state, "N")

    def contraction(self, y: Float[np.ndarray, " n"], p: Float[np.ndarray, " n"]) -> Float[np.ndarray, "d d"]:
        """p^T A^{ab} y, the derivative of p^T B y with respect to K_ab, Eq. (4.28)."""
        return np.array([[p @ (matrix @ y) for matrix in row] for row in self.space.stiffness])

    def _solve(self, rhs: Float[np.ndarray, " n"], transposed: str) -> Float[np.ndarray, " n"]:
        if rhs.shape != (len(self.space.nodes),):
            raise ValueError(f"the right-hand side has shape {rhs.shape}, not ({len(self.space.nodes)},)")
        solution = np.zeros(len(self.space.nodes))
        solution[self.space.interior] = self._factors.solve(rhs[self.space.interior], trans=transposed)
        return solution
