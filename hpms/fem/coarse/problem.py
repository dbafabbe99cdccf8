"""The coarse state equation B_h y = F, its adjoint and its sensitivities, with one factorisation."""

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import SuperLU

from hpms.fem.direct import factorise
from hpms.fem.p1 import P1Space


class CoarseProblem:
    """Σ_ab K_ab A^{ab} y = F on the interior nodes of a P1 space, y = g on its boundary, Eqs. (3.13), (4.18) for g = 0.

    **Arguments:** the `space` and the load F (N,) over all its nodes. Raises `ValueError` for a load of another shape.
    """

    def __init__(self, space: P1Space, load: Float[np.ndarray, " n"]):
        if load.shape != (len(space.nodes),):
            raise ValueError(f"the load has shape {load.shape}, but the space has {len(space.nodes)} nodes")
        self.space, self.load = space, load

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
        blocks = [block for row in self.space.stiffness for block in row]
        matrix = sparse.csr_matrix(sum(k * block for k, block in zip(coefficient.ravel(), blocks, strict=True)))
        return FactorisedProblem(self.space, self.load, matrix)

    def _checked(self, coefficient: np.ndarray) -> Float[np.ndarray, "d d"]:
        coefficient = np.asarray(coefficient, dtype=np.float64)
        if coefficient.shape != (self.space.dim, self.space.dim):
            raise ValueError(f"the coefficient has shape {coefficient.shape}, not ({self.space.dim}, {self.space.dim})")
        return coefficient


class FactorisedProblem:
    """The coarse problem for one K̃ and its matrix B over all N nodes; results (N,) are 0 on the boundary but for g."""

    def __init__(self, space: P1Space, load: Float[np.ndarray, " n"], matrix: sparse.csr_matrix):
        self.space, self.load, self._matrix = space, load, matrix
        inner = matrix[space.interior]
        self._edge = sparse.csr_matrix(inner[:, space.boundary])
        self._factors: SuperLU = factorise(sparse.csc_matrix(inner[:, space.interior]))

    def state(self, data: Float[np.ndarray, " n"] | None = None) -> Float[np.ndarray, " n"]:
        """y with B_II y_I = F_I - B_IB g and y_B = g, the values of `data` (N,) at the boundary nodes, 0 by default."""
        without = self._solve(self.load, "N")
        return without if data is None else without + self.extended(data)

    def adjoint(self, rhs: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """p = B^{-T} r for a right-hand side r (N,), such as -∂J/∂y, Eq. (3.18)."""
        return self._solve(rhs, "T")

    def sensitivity(self, a: int, b: int, y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """∂y/∂K_ab = -B^{-1} A^{ab} y at a state y, a, b = 0..d-1."""
        return -self._solve(self.space.stiffness[a][b] @ y, "N")

    def extended(self, data: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The state without load: E g inside, the values g of `data` (N,) at the boundary nodes."""
        values = np.zeros_like(data)
        values[self.space.boundary] = data[self.space.boundary]
        return values + self._solve(-(self._matrix @ values), "N")

    def extension(self) -> Float[np.ndarray, "i b"]:
        """E = ∂y_I/∂g = -B_II^{-1} B_IB, dense: the coarse-harmonic extension of boundary data."""
        return -self._factors.solve(self._edge.toarray())

    def contraction(self, y: Float[np.ndarray, " n"], p: Float[np.ndarray, " n"]) -> Float[np.ndarray, "d d"]:
        """p^T A^{ab} y, the derivative of p^T B y with respect to K_ab, Eq. (4.28)."""
        return np.array([[p @ (matrix @ y) for matrix in row] for row in self.space.stiffness])

    def data_gradient(self, p: Float[np.ndarray, " n"]) -> Float[np.ndarray, " b"]:
        """B_IB^T p_I, the derivative of p^T B y with respect to the boundary data g."""
        return self._edge.T @ p[self.space.interior]

    def _solve(self, rhs: Float[np.ndarray, " n"], transposed: str) -> Float[np.ndarray, " n"]:
        if rhs.shape != (len(self.space.nodes),):
            raise ValueError(f"the right-hand side has shape {rhs.shape}, not ({len(self.space.nodes)},)")
        solution = np.zeros(len(self.space.nodes))
        solution[self.space.interior] = self._factors.solve(rhs[self.space.interior], trans=transposed)
        return solution
