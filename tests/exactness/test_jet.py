import jax
import jax.numpy as jnp
import pytest

from tests.problems import SIGMA, close, network_value, quick_jit, small_network

LONG = ("two_scale", "fbpinn")


def autodiff(network, x, output=0):
    """Value, gradient and trace of the Hessian (`jax.hessian`'s forward over reverse, all three in one pass)."""

    def gradient(point):
        value, slope = jax.value_and_grad(lambda y: network_value(network, y, output))(point)
        return slope, (value, slope)

    hessian, (value, slope) = jax.vmap(jax.jacfwd(gradient, has_aux=True))(x)
    return value, slope, jnp.trace(hessian, axis1=1, axis2=2)


def forward(network, x, output=0):
    jet = network.jet(x)
    gradient = jnp.stack([g[:, output] for g in jet.gradient], axis=1)
    return jet.value[:, output], gradient, jet.laplacian[:, output]


@pytest.mark.parametrize(
    ("kind", "activation", "dim"),
    [
        pytest.param(kind, sigma, dim, marks=pytest.mark.thorough if kind in LONG and sigma != "tanh" else ())
        for kind in ("mlp", "ms_pinn", "two_scale", "fbpinn")
        for sigma in SIGMA
        for dim in (1, 2, 3)
    ],
)
def test_value_gradient_and_laplacian_are_those_of_autodiff(kind, activation, dim):
    theta, hard = small_network(kind, activation, dim, "float64", True)
    _, soft = small_network(kind, activation, dim, "float64", False)
    x = jax.random.uniform(jax.random.key(7), (6, dim))
    both = quick_jit(lambda t: [(f(hard(t), x), f(soft(t), x)) for f in (forward, autodiff)])
    found, expected = (jax.tree.leaves(part) for part in both(theta))
    assert all(close(a, b, 1e-11) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("hard", [True, False], ids=["hard", "soft"])
@pytest.mark.parametrize("kind", ["mlp", "ms_pinn", "two_scale", "fbpinn"])
def test_each_of_several_outputs_has_its_own_jet(kind, hard):
    theta, model = small_network(kind, "tanh", 2, "float64", hard, outputs=3)
    x = jax.random.uniform(jax.random.key(7), (6, 2))
    both = quick_jit(lambda t: [[f(model(t), x, i) for i in range(3)] for f in (forward, autodiff)])
    found, expected = (jax.tree.leaves(part) for part in both(theta))
    assert all(close(a, b, 1e-11) for a, b in zip(found, expected, strict=True))
    assert not close(found[0], found[3], 0.1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hard", [True, False], ids=["hard", "soft"])
@pytest.mark.parametrize("kind", ["mlp", "ms_pinn", "two_scale", "fbpinn"])
def test_a_network_keeps_its_precision(kind, hard, dtype):
    with jax.numpy_dtype_promotion("strict"):
        theta, model = small_network(kind, "swish", 2, dtype, hard)
        shapes = jax.eval_shape(lambda t: model(t).jet(jnp.ones((3, 2), dtype)), theta)
    assert theta.dtype == dtype
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype(dtype)}


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("kind", ["mlp", "two_scale", "fbpinn"])
def test_a_hard_boundary_is_zero_on_the_boundary(kind, dim):
    theta, model = small_network(kind, "tanh", dim, "float64", True)
    x = jax.random.uniform(jax.random.key(7), (6, dim))
    values = quick_jit(lambda x: model(theta).jet(x).value)
    for side in (0.0, 1.0):
        assert (values(x.at[:, dim - 1].set(side)) == 0).all()
