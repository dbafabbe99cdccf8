from dataclasses import replace

import numpy as np
import pytest

from hpms.coupling.schedule import Schedule
from hpms.fem.p1 import P1Space
from hpms.options.coupling import HybridOptions
from tests.problems import small_problem


@pytest.mark.parametrize("iteration", [0, 7, 10**6])
def test_a_constant_weight_stays(iteration):
    assert Schedule("constant", 10, 0.1).strength(1.0, iteration, 1e-9) == 1


def test_a_decaying_weight_halves():
    schedule = Schedule("decaying", 10, 0.1)
    assert [schedule.strength(1.0, i, 1.0) for i in (0, 10, 30)] == [1, 0.5, 0.125]


def test_until_a_residual_and_never_again():
    schedule, strength, found = Schedule("until", 10, 0.1), 1.0, []
    for residual in (2.0, 0.11, 0.09, 3.0):
        strength = schedule.strength(strength, 0, residual)
        found.append(strength)
    assert found == [1, 1, 0, 0]


def test_a_coupling_that_is_switched_off_needs_no_coarse_solve():
    points = np.random.default_rng(0).random((60, 1))
    hybrid = HybridOptions(1.0, 0.45, False, "every_step", 1, 0.0, "until", 1, 0.5)
    _, coarse = hybrid.build(P1Space(1, 0.25), small_problem(1), points, 64, np.dtype("float64"))
    record, upscaled = coarse.initial(), np.array([[2.0]])
    assert coarse.is_due(record, upscaled)
    off = coarse.scheduled(record, 5, 0.4)
    assert not coarse.is_due(off, upscaled)
    assert coarse.state(off).strength == 0
    assert coarse.state(replace(off, strength=1.0)).strength == 1
