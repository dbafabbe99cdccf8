"""Media: images, inclusions, checkerboards, turned layers and random fields."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.errors import ConfigError
from hpms.fem.fine.upscaled import period_box, periodic
from hpms.options.media import CheckerboardOptions, InclusionsOptions, LayeredAngleOptions
from hpms.options.random_fields import ChannelsOptions, LognormalOptions
from hpms.problem.coefficient.packing import ball_volume, packing
from hpms.problem.lifted import on_host
from tests.problems import quick_jit

POINTS = np.random.default_rng(0).random((40, 3))


def config(dim, eps=0.1, lengths=None):
    return SimpleNamespace(problem=SimpleNamespace(dim=dim, eps=eps, lengths=lengths or (1.0,) * dim))


def inclusions(arrangement="random", radius=0.05, count=None, fraction=None, seed=0, smoothing=0.01):
    return InclusionsOptions(1.0, 10.0, arrangement, radius, smoothing, count, fraction, seed)


MEDIA = [
    (CheckerboardOptions(1.0, 10.0, 0.3), 1),
    (CheckerboardOptions(1.0, 10.0, 0.3), 2),
    (LayeredAngleOptions(1.0, 5.0, 30.0, 0.3), 2),
    (LayeredAngleOptions(1.0, 5.0, -70.0, 0.3), 3),
    (inclusions("periodic", 0.025, smoothing=0.005), 2),
    (inclusions("random", fraction=0.2), 2),
    (inclusions("random", count=3, radius=0.1), 3),
    (LognormalOptions(2.0, 1.0, 0.2, 64, 3), 2),
    (ChannelsOptions(2.0, 0.3, 0.2, 10.0, 0.4, 3.0, 64, 3), 2),
    (ChannelsOptions(2.0, 0.3, 0.2, 0.1, 0.4, 1.0, 16, 3), 3),
]


@pytest.mark.parametrize(("options", "dim"), MEDIA)
def test_the_gradient_is_that_of_autodiff_and_the_medium_repeats_after_its_periods(options, dim):
    coefficient, x = options.over((1.0,) * dim, 0.1), jnp.asarray(POINTS[:, :dim])
    with jax.numpy_dtype_promotion("strict"):
        found = quick_jit(
            jax.vmap(lambda y: (coefficient.value(y), coefficient.gradient(y), jax.grad(coefficient.value)(y)))
        )(x)
        value, gradient, expected = map(np.asarray, found)
        assert (value > 0).all() and np.ptp(value) > 0
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
        assert coefficient.periods == options.lengths(dim, 0.1)
        for axis, period in enumerate(coefficient.periods or ()):
            shifted = quick_jit(jax.vmap(coefficient.value))(x + period * np.eye(dim)[axis])
            np.testing.assert_allclose(shifted, value, rtol=1e-9)


@pytest.mark.parametrize("smoothing", [0.3, 1.0])
def test_a_checkerboard_of_any_smoothing_has_the_geometric_mean(smoothing):
    coefficient = CheckerboardOptions(1.0, 9.0, smoothing).build(2, 0.1)
    found = periodic(on_host(coefficient, 2), period_box((0.1, 0.1), 24)).tensor
    np.testing.assert_allclose(found, 3 * np.eye(2), atol=0.01)


def test_layers_at_an_angle_of_0_are_those_across_the_first_axis_and_at_90_across_the_second():
    from hpms.options.coefficient import LayeredOptions

    x = jnp.asarray(POINTS[:, :2])
    for angle, axis in ((0.0, 1), (90.0, 2)):
        turned = LayeredAngleOptions(1.0, 5.0, angle, 0.3).build(2, 0.1)
        straight = LayeredOptions(1.0, 5.0, axis, 0.3).build(2, 0.1)
        np.testing.assert_allclose(jax.vmap(turned.value)(x), jax.vmap(straight.value)(x), rtol=1e-12)
    with pytest.raises(ConfigError, match=r"coefficient\.angle=30"):
        LayeredAngleOptions(1.0, 5.0, 30.0, 0.3).check(config(1))


@pytest.mark.parametrize(("dim", "fraction"), [(1, 0.4), (2, 0.3), (3, 0.1)])
def test_inclusions_have_their_volume_lie_apart_and_within_the_box(dim, fraction):
    sides = (2.0, 1.0, 1.0)[:dim]
    centres = inclusions(radius=0.08, fraction=fraction).over(sides, 0.1).centres
    assert len(centres) * ball_volume(dim, 0.08) / np.prod(sides) == pytest.approx(fraction, rel=0.1)
    apart = np.linalg.norm(centres[:, None] - centres, axis=2) + 10 * np.eye(len(centres))
    assert apart.min() >= 0.18
    assert (centres >= 0.08).all() and (centres <= np.array(sides) - 0.08).all()
    again, other = (packing(sides, len(centres), 0.08, 0.02, seed) for seed in (0, 1))
    np.testing.assert_array_equal(centres, again)
    assert not np.array_equal(centres, other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (inclusions(), "coefficient.count=None"),
        (inclusions(count=3, fraction=0.1), "coefficient.count=3"),
        (inclusions(fraction=0.8), "coefficient.fraction=0.8 is not allowed: 102 of"),
        (inclusions(count=1, radius=0.6), "do not fit"),
        (inclusions(fraction=0.1, radius=1e-3, smoothing=1e-4), "at most 2000|may be 2000"),
        (inclusions("periodic", radius=0.06), "coefficient.radius=0.06"),
        (inclusions("periodic", radius=0.02, count=2), "coefficient.count=2"),
        (inclusions("periodic", radius=0.02, smoothing=0.02), "coefficient.smoothing=0.02"),
        (LognormalOptions(1.0, 50.0, 0.1, 10, 0), "coefficient.variance=50"),
        (LognormalOptions(1.0, 1.0, 0.1, 10**6, 0), "coefficient.modes=1000000"),
    ],
)
def test_media_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        options.check(config(2))


def test_channels_are_the_background_times_the_contrast_where_the_level_vanishes():
    coefficient = ChannelsOptions(2.0, 0.3, 0.1, 10.0, 0.4, 3.0, 64, 3).build(2, 0.1)
    x = jnp.asarray(np.random.default_rng(1).random((4000, 2)))
    level = np.log(jax.vmap(coefficient.level.value)(x / jnp.array([3.0, 1.0])))
    ratio = np.asarray(jax.vmap(coefficient.value)(x) / jax.vmap(coefficient.background.value)(x))
    assert ratio[np.abs(level) < 0.02] == pytest.approx(10, rel=0.02)
    assert ratio[np.abs(level) > 1.2] == pytest.approx(1, rel=0.002)
    assert 0.2 < np.mean(ratio > 10**0.5) < 0.35  # P(|G| < 0.4 sqrt(log 2)) = 0.26


def test_a_lognormal_field_has_its_mean_variance_and_correlation():
    length, x = 0.02, np.array([[0.0, 0.0], [0.02, 0.0], [0.0, 0.04]])
    logs = []
    for seed in range(300):
        coefficient = LognormalOptions(2.0, 0.5, length, 200, seed).build(2, 0.1)
        phase = np.asarray(coefficient.waves) @ x.T
        cosine, sine = np.asarray(coefficient.amplitudes)
        logs.append((cosine @ np.cos(phase) + sine @ np.sin(phase)) / 200**0.5)
    assert float(coefficient.value(jnp.asarray(x[1]))) == pytest.approx(2 * np.exp(0.5**0.5 * logs[-1][1]))
    found = np.array(logs)
    expected = np.exp(-np.sum((x[:, None] - x) ** 2, axis=2) / (2 * length**2))
    np.testing.assert_allclose(found.T @ found / len(found), expected, atol=0.25)
