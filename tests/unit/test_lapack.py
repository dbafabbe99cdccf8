import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.machine import ffi
from hpms.training import lapack


@pytest.fixture(params=["blas", "xla"])
def way(request, monkeypatch):
    assert lapack.is_named()
    if request.param == "xla":
        monkeypatch.setattr(lapack, "is_named", lambda: False)
    return request.param


def traced(function):
    """Compiled anew, in whatever way is set now."""
    return jax.jit(lambda *arguments: function(*arguments))


def test_the_ways_are_two(way):
    text = traced(lapack.add_gram).lower(jnp.eye(3), jnp.ones((2, 3))).as_text()
    assert ("hpms_gram" in text) == (way == "blas")


def matrices(size=13, rows=29):
    generator = np.random.default_rng(0)
    jacobian = generator.standard_normal((rows, size))
    total = np.cov(generator.standard_normal((size, 40)))
    return jacobian, total


def test_gram_matrix_factor_and_solution(way):
    jacobian, total = matrices()
    full = total + jacobian.T @ jacobian
    found = traced(lapack.add_gram)(jnp.asarray(total), jnp.asarray(jacobian))
    assert np.allclose(np.tril(found), np.tril(full), rtol=1e-13)
    shift = np.linspace(1, 2, len(full))
    factor = traced(lapack.factor)(found, jnp.asarray(shift))
    right = np.arange(len(full), dtype=float)
    x = traced(lapack.solve)(factor, jnp.asarray(right))
    assert np.allclose(x, np.linalg.solve(full + np.diag(shift), right), rtol=1e-11)


def test_inside_a_loop_the_sum_grows_and_what_was_there_stays(way):
    blocks = jnp.asarray(np.random.default_rng(1).standard_normal((4, 5, 7)))
    start = jnp.eye(7)
    found = jax.jit(lambda s, b: jax.lax.scan(lambda c, j: (lapack.add_gram(c, j), None), s, b)[0])(start, blocks)
    rows = np.asarray(blocks).reshape(-1, 7)
    assert np.allclose(np.tril(found), np.tril(np.eye(7) + rows.T @ rows), rtol=1e-13)
    assert np.array_equal(start, np.eye(7))


def test_an_indefinite_matrix_has_no_factor(way):
    factor = traced(lapack.factor)(-jnp.eye(4), jnp.zeros(4))
    assert np.isnan(np.asarray(factor)[0, 0])
    assert np.isnan(traced(lapack.solve)(factor, jnp.ones(4))).any()


def test_a_function_that_fails_gives_nan(caplog):
    def broken(array, result):
        raise ValueError("no")

    ffi.register("hpms_broken", broken)
    call = jax.ffi.ffi_call("hpms_broken", jax.ShapeDtypeStruct((2,), jnp.float64))
    assert np.isnan(jax.jit(call)(jnp.ones(2))).all()
    assert "hpms_broken failed" in caplog.text
