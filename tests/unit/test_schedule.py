from dataclasses import replace

import numpy as np

from hpms.coupling.base import CouplingContext
from hpms.coupling.schedule import Schedule
from hpms.coupling.upscaling.isotropic import Isotropic
from hpms.fem.p1 import P1Space
from hpms.options.coupling import BallOptions
from tests.problems import small_problem


def test_a_constant_weight_stays():
    assert Schedule("constant", 0.1).strength(1.0, 1e-9) == 1


def test_until_a_residual_and_never_again():
    schedule, strength, found = Schedule("until", 0.1), 1.0, []
    for residual in (2.0, 0.11, 0.09, 3.0):
        strength = schedule.strength(strength, residual)
        found.append(strength)
    assert found == [1, 1, 0, 0]


def test_a_coupling_that_is_switched_off_needs_no_coarse_solve():
    points = np.random.default_rng(0).random((60, 1))
    ball = BallOptions(1.0, None, 0.45, False, "every_step", "present", 1, 0.0, "until", 0.5)
    _, solver = ball.build(
        CouplingContext(Isotropic(1), P1Space(1, 0.25), small_problem(1), points, 64, np.dtype("float64"))
    )
    record, kappa = solver.initial(), np.array([2.0])
    assert solver.is_due(record, kappa)
    off = solver.scheduled(record, 0.4)
    assert not solver.is_due(off, kappa)
    assert solver.view(off).strength == 0
    assert solver.view(replace(off, strength=1.0)).strength == 1
