"""The matrices of a least-squares step, on a CPU by BLAS and LAPACK, whose products there are three times faster than
XLA's; elsewhere by JAX. All are symmetric, float64, and given by their lower triangle; the rest of them means nothing.
"""

from functools import cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from hpms import ffi
from hpms.runtime import device

_GRAM, _FACTOR, _SOLVE = "hpms_gram", "hpms_factor", "hpms_solve"
(_dsyrk,) = get_blas_funcs(("syrk",), dtype=np.float64)
_dpotrf, _dpotrs = get_lapack_funcs(("potrf", "potrs"), dtype=np.float64)
_STRIPES = 6  # column stripes of J: the product costs (1 + 1/_STRIPES)/2 of a full one


def add_gram(total: Float[Array, "n n"], rows: Float[Array, "m n"]) -> Float[Array, "n n"]:
    """total + A^T A for A = `rows`."""
    if is_named():
        return _call(_GRAM, total, total, rows, aliased=True)
    size = rows.shape[1]
    cuts = [size * i // _STRIPES for i in range(_STRIPES + 1)]
    stripes = [rows[:, start:stop].T @ rows[:, :stop] for start, stop in pairwise(cuts)]
    return total + jnp.concatenate([jnp.pad(s, ((0, 0), (0, size - s.shape[1]))) for s in stripes])


def factor(matrix: Float[Array, "n n"], shift: Float[Array, " n"]) -> Float[Array, "n n"]:
    """The Cholesky factor of `matrix` + diag(shift); NaN where there is none."""
    if is_named():
        return _call(_FACTOR, matrix, matrix, shift)
    return jnp.linalg.cholesky(matrix + jnp.diag(shift), symmetrize_input=False)


def solve(factor: Float[Array, "n n"], right: Float[Array, " n"]) -> Float[Array, " n"]:
    """(L L^T)^{-1} b for the factor L."""
    return _call(_SOLVE, right, factor, right) if is_named() else cho_solve((factor, True), right)


def _call(name: str, like: Array, *arguments: Array, aliased: bool = False) -> Array:
    result = jax.ShapeDtypeStruct(like.shape, like.dtype)
    aliases = {0: 0} if aliased else None
    return jax.ffi.ffi_call(name, result, input_output_aliases=aliases, vmap_method="sequential")(*arguments)


def _gram(total: np.ndarray, rows: np.ndarray, result: np.ndarray) -> None:
    if result.ctypes.data != total.ctypes.data:
        result[...] = total
    _put(result, _dsyrk(1.0, rows.T, 1.0, result.T, lower=0, overwrite_c=1))


def _factor(matrix: np.ndarray, shift: np.ndarray, result: np.ndarray) -> None:
    result[...] = matrix
    result[np.diag_indices(len(result))] += shift
    found, info = _dpotrf(result.T, lower=0, overwrite_a=1, clean=0)
    _put(result, found if info == 0 else np.nan)


def _solve(factor: np.ndarray, right: np.ndarray, result: np.ndarray) -> None:
    result[...] = _dpotrs(factor.T, right, lower=0)[0]


def _put(result: np.ndarray, found: np.ndarray | float) -> None:
    if not isinstance(found, np.ndarray) or found.ctypes.data != result.ctypes.data:
        result.T[...] = found


@cache
def _registered() -> bool:
    """Whether this JAX takes the functions and gives what they compute."""
    try:
        for name, function in ((_GRAM, _gram), (_FACTOR, _factor), (_SOLVE, _solve)):
            ffi.register(name, function)
        with jax.ensure_compile_time_eval(), jax.default_device(jax.devices("cpu")[0]):
            found = jax.jit(lambda a, b: _call(_GRAM, a, a, b, aliased=True))(np.eye(2), np.array([[1.0, 2.0]]))
        return bool(np.array_equal(np.tril(found), [[2.0, 0.0], [2.0, 5.0]]))
    except Exception:
        return False


def is_named() -> bool:
    return device().platform == "cpu" and _registered()
