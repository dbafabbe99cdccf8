"""The matrices of a least-squares step, on a CPU by BLAS and LAPACK, whose products there are three times faster than
XLA's; elsewhere by JAX. All are symmetric, float64, and given by their lower triangle; the rest of them means nothing.
"""

import logging
from collections.abc import Callable
from ctypes import CFUNCTYPE, byref, c_char, c_double, c_int, c_void_p
from functools import cache
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float
from scipy.linalg import cython_blas, cython_lapack  # pyright: ignore[reportAttributeAccessIssue]

from hpms.machine import ffi
from hpms.machine.runtime import device

log = logging.getLogger(__name__)
_GRAM, _FACTOR, _SOLVE = "hpms_gram", "hpms_factor", "hpms_solve"
_STRIPES = 6  # column stripes of J: the product costs (1 + 1/_STRIPES)/2 of a full one
_UPPER, _PLAIN = c_char(b"U"), c_char(b"N")  # a lower triangle by rows is an upper one by columns


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
    count, size, one = c_int(rows.shape[0]), c_int(rows.shape[1]), c_double(1.0)
    _routine(cython_blas, "dsyrk")(*_all(_UPPER, _PLAIN, size, count, one, rows, size, one, result, size))


def _factor(matrix: np.ndarray, shift: np.ndarray, result: np.ndarray) -> None:
    result[...] = matrix
    result[np.diag_indices(len(result))] += shift
    size, info = c_int(len(result)), c_int()
    _routine(cython_lapack, "dpotrf")(*_all(_UPPER, size, result, size, info))
    if info.value != 0:
        result[...] = np.nan


def _solve(factor: np.ndarray, right: np.ndarray, result: np.ndarray) -> None:
    result[...] = right
    size, one, info = c_int(len(factor)), c_int(1), c_int()
    _routine(cython_lapack, "dpotrs")(*_all(_UPPER, size, one, factor, size, result, size, info))


def _all(*arguments: Any) -> list[Any]:
    """Pointers to the arguments, as Fortran wants them."""
    return [a.ctypes.data_as(c_void_p) if isinstance(a, np.ndarray) else byref(a) for a in arguments]


@cache
def _routine(module: Any, name: str) -> Callable[..., None]:
    """SciPy's own BLAS or LAPACK routine, called without Python's global lock. Raises `TypeError` for long integers."""
    pointer, signature = ffi.unpacked(module.__pyx_capi__[name])
    if b" int *" not in signature:
        raise TypeError(f"{name} has the signature {signature!r}")
    return CFUNCTYPE(None, *[c_void_p] * signature.count(b"*"))(pointer)


@cache
def _registered() -> bool:
    """Whether this JAX takes the functions and gives what they compute."""
    try:
        for name, function in ((_GRAM, _gram), (_FACTOR, _factor), (_SOLVE, _solve)):
            ffi.register(name, function)
        with jax.ensure_compile_time_eval(), jax.default_device(jax.local_devices(backend="cpu")[0]):
            found = jax.jit(lambda a, b: _call(_GRAM, a, a, b, aliased=True))(np.eye(2), np.array([[1.0, 2.0]]))
        fits = bool(np.array_equal(np.tril(found), [[2.0, 0.0], [2.0, 5.0]]))
    except Exception as error:
        log.debug("%s", error)
        fits = False
    if not fits:
        log.warning("BLAS cannot be called from compiled programs here: least-squares steps take longer")
    return fits


def is_named() -> bool:
    return device().platform == "cpu" and _registered()
