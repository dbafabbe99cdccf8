"""Solving large symmetric positive definite systems: directly while that is cheap, else by algebraic multigrid."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from hpms.errors import UserError
from hpms.fem.direct import factorise

_DIRECT = {1: 10_000_000, 2: 200_000, 3: 5_000}
_RELATIVE = 1e-10
_ITERATIONS = 1000
_STRENGTH = 0.05


def solve(
    matrix: sparse.csr_matrix,
    rhs: Float[np.ndarray, "k m"],
    dim: int,
    each: Callable[[np.ndarray], None] | None = None,
    modes: Float[np.ndarray, "m r"] | None = None,
) -> Float[np.ndarray, "k m"]:
    """A x_i = b_i for the rows b_i, with A from a grid in `dim` dimensions.

    One factorisation up to 2e5 unknowns (5e3 in 3-D); above, conjugate gradients preconditioned with one smoothed
    aggregation hierarchy, to a residual of 1e-10 ‖b‖, with `each` called after each of their iterations. Of a vector
    equation, its d unknowns of a node side by side, the `modes` are those of least energy. Raises `UserError` where
    these do not get there.
    """
    if rhs.shape[1] <= _DIRECT[dim]:
        factors = factorise(sparse.csc_matrix(matrix))
        return np.stack([factors.solve(b) for b in rhs])
    return _multigrid(rhs, _hierarchy(matrix) if modes is None else _block_hierarchy(matrix, modes, dim), matrix, each)


def _multigrid(
    rhs: Float[np.ndarray, "k m"],
    preconditioner: LinearOperator,
    matrix: sparse.csr_matrix,
    each: Callable[[np.ndarray], None] | None,
) -> Float[np.ndarray, "k m"]:
    solutions = []
    for b in rhs:
        x, info = cg(matrix, b, rtol=_RELATIVE, atol=0, maxiter=_ITERATIONS, M=preconditioner, callback=each)
        if info != 0:
            raise UserError(
                f"the fine solver did not converge in {_ITERATIONS} iterations for {len(b)} unknowns: "
                "choose a larger reference.h or reference.baseline_h, or a coefficient with less contrast."
            )
        solutions.append(x)
    return np.stack(solutions)


def _hierarchy(matrix: sparse.csr_matrix) -> LinearOperator:
    """One V-cycle of smoothed aggregation; PyAMG's coarse levels come in block format, three times slower than CSR."""
    import pyamg

    strength: Any = ("symmetric", {"theta": _STRENGTH})
    return _preconditioner(pyamg.smoothed_aggregation_solver(matrix, strength=strength))


def _block_hierarchy(matrix: sparse.csr_matrix, modes: Float[np.ndarray, "m r"], dim: int) -> LinearOperator:
    """The same with the nodes as units, and the modes kept on all levels."""
    import pyamg

    strength: Any = ("symmetric", {"theta": 0.0})
    return _preconditioner(
        pyamg.smoothed_aggregation_solver(matrix.tobsr((dim, dim)), B=modes, strength=strength, max_coarse=300)
    )


def _preconditioner(hierarchy: Any) -> LinearOperator:
    for level in hierarchy.levels:
        level.A = sparse.csr_matrix(level.A)
    for level in hierarchy.levels[:-1]:
        level.P, level.R = sparse.csr_matrix(level.P), sparse.csr_matrix(level.R)
    return hierarchy.aspreconditioner()
