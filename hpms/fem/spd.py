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
) -> Float[np.ndarray, "k m"]:
    """A x_i = b_i for the rows b_i, with A from a grid in `dim` dimensions.

    One factorisation up to 2e5 unknowns (5e3 in 3-D); above, conjugate gradients preconditioned with one smoothed
    aggregation hierarchy, to a residual of 1e-10 ‖b‖, with `each` called after each of their iterations. Raises
    `UserError` where these do not get there.
    """
    if rhs.shape[1] <= _DIRECT[dim]:
        factors = factorise(sparse.csc_matrix(matrix))
        return np.stack([factors.solve(b) for b in rhs])
    return _multigrid(matrix, rhs, each)


def _multigrid(
    matrix: sparse.csr_matrix, rhs: Float[np.ndarray, "k m"], each: Callable[[np.ndarray], None] | None
) -> Float[np.ndarray, "k m"]:
    preconditioner = _hierarchy(matrix)
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
    hierarchy = pyamg.smoothed_aggregation_solver(matrix, strength=strength)
    for level in hierarchy.levels:
        level.A = sparse.csr_matrix(level.A)
    for level in hierarchy.levels[:-1]:
        level.P, level.R = sparse.csr_matrix(level.P), sparse.csr_matrix(level.R)
    return hierarchy.aspreconditioner()
