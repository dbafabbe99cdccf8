"""Problems that differ are told apart, in whatever unit they are written."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.options.coefficient import ExpressionOptions as Coefficient
from hpms.options.source import ExpressionOptions as Source
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.lifted import LiftedProblem
from hpms.problem.unit_cube import UnitCube

MEDIUM = "2 + sin(2*pi*x1/eps)*cos(2*pi*x2/eps)"


def problem(coefficient=MEDIUM, source="1 + x1", constants=None, dim=2):
    constants = constants or {}
    return LiftedProblem(
        UnitCube(dim, 0.1),
        Diffusion(Coefficient(coefficient, constants, None).build(dim, 0.1)),
        Source(source, {}).build(dim, 0.1),
    )


def test_the_same_problem_has_the_same_digest():
    assert problem().digest == problem().digest == problem(MEDIUM.replace(" ", "")).digest
    assert problem().digest == problem(f"{MEDIUM} + 1e-15*x1").digest  # the last bits of a machine
    wave = "-2*pi/eps*cos(2*pi*x1/eps)"
    assert problem(source=wave).digest == problem(source=f"{wave} + 1e-13").digest


@pytest.mark.parametrize(
    "coefficient",
    [
        f"{MEDIUM} + where(max(abs(x1 - 0.3), abs(x2 - 0.8)) < 0.0158, 0.1, 0)",  # in 0.1 % of Ω
        f"1e-12*({MEDIUM})",
        f"{MEDIUM} + 1e-5*x1",
        MEDIUM.replace("x2", "x1"),
    ],
)
def test_a_change_of_the_medium_is_another_problem(coefficient):
    assert problem(coefficient).digest != problem().digest


def test_a_small_unit_hides_no_change():
    assert problem(f"1e-12*({MEDIUM})").digest != problem(f"1e-12*({MEDIUM} + 0.01*x1)").digest
    assert problem("1e-200 + 0*x1").digest != problem("2e-200 + 0*x1").digest


def test_a_change_of_the_source_is_another_problem():
    assert problem(source="1 + x2").digest != problem().digest
    assert problem(source="0").digest != problem(source="1e-300").digest
    swapped = problem("1 + x1", MEDIUM)
    assert swapped.digest != problem().digest


class Raster(AbstractCoefficient):
    """K on squares."""

    values: jnp.ndarray
    periods: None = eqx.field(static=True, default=None)

    def value(self, x):
        i, j = (jnp.clip(x * len(self.values), 0, len(self.values) - 1)).astype(int)
        return self.values[i, j]

    def gradient(self, x):
        return autodiff_gradient(self, x)


def raster_digest(values):
    law, source = Diffusion(Raster(jnp.asarray(values))), Source("1", {}).build(2, 0.1)
    return LiftedProblem(UnitCube(2, 0.1), law, source).digest


def test_one_pixel_of_many_is_seen():
    values = np.ones((2000, 2000))
    flipped = values.copy()
    flipped[7, 1100] = 2
    assert raster_digest(values) != raster_digest(flipped)


def test_the_last_bits_of_an_array_are_not_seen():
    """A logarithm or a Gaussian filter has others on another machine."""
    values = np.random.default_rng(0).random((50, 50)) + 1
    assert raster_digest(values) == raster_digest(np.nextafter(values, 3))


def test_the_digest_of_a_formula_is_what_it_was():
    """Cached references are found by it."""
    assert problem().digest == "fbe97ade0cba"


def test_the_digest_of_earlier_files_is_what_it_was():
    assert problem().earlier_digest() == "0a9d578ee9f7"


def test_the_weak_phase_of_a_strong_contrast_is_seen():
    board = "{low} + 1e5*(1+tanh(sin(2*pi*x1/eps)/0.01))/2"
    assert problem(board.format(low=1)).digest != problem(board.format(low=0.95)).digest


def test_a_field_that_is_not_finite_everywhere_is_seen_where_it_is():
    """As outside of a domain that is no box."""
    values = np.random.default_rng(0).random((50, 50)) + 1
    values[:25] = np.nan
    other = values.copy()
    other[40, 3] = 1.7
    assert raster_digest(values) == raster_digest(values.copy()) != raster_digest(other)
