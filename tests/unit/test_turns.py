import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.network.turns import cosine_sine


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 3e-7), ("float64", 1e-15)])
def test_cosine_and_sine_of_turns(dtype, tolerance):
    turns = np.concatenate([np.linspace(-3, 3, 2401), [1e3 + 0.125, -777.75]]).astype(dtype)[:, None]
    exact = 2 * np.pi * (turns.astype(float) - np.round(turns.astype(float)))
    cosine, sine = cosine_sine(jnp.asarray(turns))
    assert cosine.dtype == sine.dtype == dtype
    assert np.abs(np.asarray(cosine) - np.cos(exact)).max() < tolerance
    assert np.abs(np.asarray(sine) - np.sin(exact)).max() < tolerance


def test_their_derivatives():
    x = jnp.linspace(-2.3, 2.3, 40)[:, None]
    slopes = jax.jvp(cosine_sine, (x,), (jnp.ones_like(x),))[1]
    cosine, sine = cosine_sine(x)
    np.testing.assert_allclose(slopes[0], -2 * np.pi * sine, atol=1e-13)
    np.testing.assert_allclose(slopes[1], 2 * np.pi * cosine, atol=1e-13)
