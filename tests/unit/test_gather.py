import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse

from hpms.coupling.gather import gather
from tests.problems import quick_jit


def matrix(density, shape=(7, 11)):
    return sparse.random(*shape, density=density, format="csr", random_state=np.random.default_rng(0))


@pytest.mark.parametrize("density", [0.0, 0.2, 1.0])
def test_gather_is_the_matrix_product(density):
    x = np.random.default_rng(1).normal(size=(11, 2))
    a = matrix(density)
    np.testing.assert_allclose(gather(a, jnp.dtype("float64"))(jnp.asarray(x)), a @ x, rtol=0, atol=1e-15)


def test_rows_of_many_lengths_have_few_shapes():
    shapes = {gather(matrix(density, (5, 200)), jnp.dtype("float64")).columns.shape for density in (0.1, 0.11, 0.12)}
    assert shapes == {(5, 32)}
    assert gather(matrix(0.02, (5, 200)), jnp.dtype("float64")).columns.shape[1] < 16


def test_gather_of_the_transpose_is_its_pullback():
    a, r = matrix(0.3), jnp.asarray(np.random.default_rng(2).normal(size=(7, 2)))
    forward, backward = gather(a, jnp.dtype("float64")), gather(a.T.tocsr(), jnp.dtype("float64"))
    found, pulled = quick_jit(lambda r: (backward(r), jax.vjp(forward, jnp.zeros((11, 2)))[1](r)[0]))(r)
    np.testing.assert_allclose(found, pulled, rtol=0, atol=1e-15)


def test_gather_has_the_precision_asked_for():
    with jax.numpy_dtype_promotion("strict"):
        product = jax.eval_shape(gather(matrix(0.3), jnp.dtype("float32")), jnp.ones((11, 1), "float32"))
    assert product.dtype == jnp.float32
