import numpy as np
import pytest

from hpms.options.balancing import ConstantOptions, GradientNormOptions


def test_weights_move_towards_the_ratio_of_the_norms():
    weights = GradientNormOptions(100, 0.9).update(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 5.0]))
    np.testing.assert_allclose(weights, [0.9 + 0.1 * 10, 1.8 + 0.1 * 2.5, 2.7 + 0.1 * 2], rtol=1e-15)


def test_balanced_weights_equalise_the_weighted_norms():
    norms, weights = np.array([1.0, 40.0, 0.02]), np.ones(3)
    for _ in range(500):
        weights = GradientNormOptions(100, 0.9).update(weights, norms)
    np.testing.assert_allclose(weights * norms, norms.sum(), rtol=1e-12)


@pytest.mark.parametrize("absent", [0.0, np.nan, np.inf])
def test_a_term_without_a_gradient_keeps_its_weight_and_is_not_counted(absent):
    weights = np.array([1.0, 1.0, 5.0])
    found = GradientNormOptions(100, 0.5).update(weights, np.array([1.0, 3.0, absent]))
    np.testing.assert_allclose(found, [2.5, 0.5 + 0.5 * 4 / 3, 5.0], rtol=1e-15)
    np.testing.assert_array_equal(weights, [1.0, 1.0, 5.0])


def test_no_gradients_at_all_and_no_balancing_change_nothing():
    weights = np.array([2.0, 3.0])
    np.testing.assert_array_equal(GradientNormOptions(1, 0.9).update(weights, np.zeros(2)), weights)
    np.testing.assert_array_equal(ConstantOptions().update(weights, np.ones(2)), weights)
    assert ConstantOptions().interval is None
