"""The coarse state equation B[κ] y = F, its adjoint and its sensitivities, with one factorisation."""

import math

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import SuperLU

from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.coarse.simplex import SimplexSpace
from hpms.fem.coarse.vectors import VectorSpace
from hpms.fem.direct import factorise
from hpms.fem.p1 import P1Space

CoarseSpace = P1Space | Q1Space | SimplexSpace | VectorSpace


class CoarseProblem:
    """B[κ] y = F on the interior nodes of a space of hats, y = g on its boundary, Eqs. (3.17), (4.18) for g = 0.

    B[κ] = B_0 + Σ_k κ_k A_k is affine in κ in R^p: in cell j K̃^j_ab = Σ_k κ_k E_kjab, where row a belongs to the
    gradient and column b to the flux, and A_k = Σ_jab E_kjab A^{j,ba}, A^{j,ba}_mn = ∫_{V_j} ∂_bφ_m ∂_aφ_n. On a space
    of vectors a and b count strains and stresses in place of the axes, `VectorSpace.stiffness`.

    **Arguments:** the `space`, the load F (N,) over all its nodes, the basis E (p, cells, d, d), by default that of all
    tensors, for which κ are the entries of K̃ row by row, cell by cell, the numbers of `cells` along each axis, by
    default 1, and B_0 (N, N), the `base`, by default 0. Raises `ValueError` for a load or a basis of another shape.
    **Attributes:** `operators`, the p matrices A_k (N, N).
    """

    def __init__(
        self,
        space: CoarseSpace,
        load: Float[np.ndarray, " n"],
        basis: Float[np.ndarray, "p c d d"] | None = None,
        cells: tuple[int, ...] | None = None,
        base: sparse.csr_matrix | None = None,
    ):
        if load.shape != (len(space.nodes),):
            raise ValueError(f"the load has shape {load.shape}, but the space has {len(space.nodes)} nodes")
        self.space, self.load, self._base = space, load, base
        counts = cells or (1,) * space.dim
        parts = [space.stiffness] if set(counts) == {1} else space.stiffness_in(counts)
        size = len(parts[0])
        square = (len(parts), size, size)
        self._basis = np.eye(math.prod(square)).reshape(-1, *square) if basis is None else basis
        if self._basis.shape[1:] != square:
            raise ValueError(f"the basis has shape {self._basis.shape}, not (p, {', '.join(map(str, square))})")
        blocks = [part[b][a] for part in parts for a in range(size) for b in range(size)]
        self.operators = tuple(
            sparse.csr_matrix(sum(entries[i] * blocks[i] for i in np.flatnonzero(entries)))
            for entries in self._basis.reshape(len(self._basis), math.prod(square))
        )

    def lift(self, count: int) -> Float[np.ndarray, "n {count}"]:
        """The boundary data x_i, i = 1..count, of w_i = y_i + x_i; 0 where K̃ does not vary, as B x_i = 0 inside."""
        varies = self._basis.shape[1] > 1
        return self.space.nodes[:, :count].copy() if varies else np.zeros((len(self.space.nodes), count))

    def is_admissible(self, kappa: np.ndarray) -> bool:
        """Whether κ (p,) is finite and the symmetric part of its K̃ positive definite."""
        kappa = self._checked(kappa)
        if not np.isfinite(kappa).all():
            return False
        if not kappa.size:
            return self._base is not None
        tensors = np.tensordot(kappa, self._basis, axes=1)
        return bool(np.linalg.eigvalsh(tensors + np.swapaxes(tensors, 1, 2)).min() > 0)

    def factorise(self, kappa: np.ndarray) -> "FactorisedProblem":
        """The problem for κ (p,), factorised; raises `ValueError` where κ is not admissible."""
        kappa = self._checked(kappa)
        if not self.is_admissible(kappa):
            raise ValueError(f"the coefficient {kappa.tolist()} is not positive definite")
        return FactorisedProblem(self, self.matrix(kappa))

    def matrix(self, kappa: np.ndarray) -> sparse.csr_matrix:
        """B[κ] (N, N)."""
        parts = [k * operator for k, operator in zip(self._checked(kappa), self.operators, strict=True)]
        return sparse.csr_matrix(sum(parts if self._base is None else [self._base, *parts]))

    def _checked(self, kappa: np.ndarray) -> Float[np.ndarray, " p"]:
        kappa = np.asarray(kappa, dtype=np.float64)
        if kappa.shape != (len(self.operators),):
            raise ValueError(f"the parameters have shape {kappa.shape}, not ({len(self.operators)},)")
        return kappa


class FactorisedProblem:
    """The coarse problem for one κ and its matrix B over all N nodes; results are 0 on the boundary but for g.

    Vectors (N,) may be several side by side, (N, l).
    """

    def __init__(self, problem: CoarseProblem, matrix: sparse.csr_matrix):
        self.space, self._load, self._operators, self._matrix = problem.space, problem.load, problem.operators, matrix
        inner = matrix[self.space.interior]
        self._edge = sparse.csr_matrix(inner[:, self.space.boundary])
        self._factors: SuperLU = factorise(sparse.csc_matrix(inner[:, self.space.interior]))

    def state(self, data: Float[np.ndarray, " n *l"] | None = None) -> Float[np.ndarray, " n *l"]:
        """y with B_II y_I = F_I - B_IB g and y_B = g, the values of `data` (N,) at the boundary nodes, 0 by default."""
        without = self._solve(self._load, "N")
        if data is None:
            return without
        return without.reshape(-1, *[1] * (data.ndim - 1)) + self.extended(data)

    def adjoint(self, rhs: Float[np.ndarray, " n *l"]) -> Float[np.ndarray, " n *l"]:
        """p = B^{-T} r for a right-hand side r (N,), such as -∂J/∂y, Eq. (3.18)."""
        return self._solve(rhs, "T")

    def sensitivity(self, y: Float[np.ndarray, " n *l"]) -> Float[np.ndarray, " n *l p"]:
        """∂y/∂κ_k = -B^{-1} A_k y at a state y."""
        return -np.stack([self._solve(matrix @ y, "N") for matrix in self._operators], axis=-1)

    def extended(self, data: Float[np.ndarray, " n *l"]) -> Float[np.ndarray, " n *l"]:
        """The state without load: E g inside, the values g of `data` (N,) at the boundary nodes."""
        values = np.zeros_like(data)
        values[self.space.boundary] = data[self.space.boundary]
        return values + self._solve(-(self._matrix @ values), "N")

    def extension(self, data: sparse.csr_matrix) -> Float[np.ndarray, "i c"]:
        """E P = -B_II^{-1} B_IB P, dense: the coarse-harmonic extension of the boundary data in the columns of P."""
        return -self._factors.solve(sparse.csr_matrix(self._edge @ data).toarray())

    def contraction(self, y: Float[np.ndarray, " n *l"], p: Float[np.ndarray, " n *l"]) -> Float[np.ndarray, " p"]:
        """p^T A_k y (summed where there are several), the derivative of p^T B y with respect to κ_k, Eq. (4.28)."""
        return np.array([np.vdot(p, matrix @ y) for matrix in self._operators])

    def data_gradient(self, p: Float[np.ndarray, " n"]) -> Float[np.ndarray, " b"]:
        """B_IB^T p_I, the derivative of p^T B y with respect to the boundary data g."""
        return self._edge.T @ p[self.space.interior]

    def _solve(self, rhs: Float[np.ndarray, " n *l"], transposed: str) -> Float[np.ndarray, " n *l"]:
        if rhs.shape[:1] != (len(self.space.nodes),):
            raise ValueError(f"the right-hand side has shape {rhs.shape}, not ({len(self.space.nodes)},)")
        solution = np.zeros(rhs.shape)
        solution[self.space.interior] = self._factors.solve(rhs[self.space.interior], trans=transposed)
        return solution
