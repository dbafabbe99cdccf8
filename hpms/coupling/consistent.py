"""What `coupling=consistent` builds, and how far the exact solution is from it."""

import numpy as np

from hpms.coupling.base import CouplingContext
from hpms.coupling.box import BoxCoarseSolver, BoxCoupling, box_coupling
from hpms.coupling.lazy import UpdateRule
from hpms.fem.coarse.box import BoxAverage, box_fields, box_gap
from hpms.fem.fine.reference import Reference
from hpms.fem.p1 import P1Space
from hpms.options.coupling import ConsistentOptions
from hpms.problem.lifted import LiftedProblem

_FINE = {1: 2000, 2: 128, 3: 20}  # cells per axis of the mesh for the gap


def average_for(options: ConsistentOptions, problem: LiftedProblem) -> BoxAverage:
    """Q̄ for the coefficient's periods."""
    sides, counts = options.box(problem.coefficient.periods, problem.domain.dim, problem.domain.eps)
    return BoxAverage(sides, counts, options.average == "hat")


def build(options: ConsistentOptions, context: CouplingContext) -> tuple[BoxCoupling, BoxCoarseSolver]:
    """The jitted and the host's part."""
    return box_coupling(context, average_for(options, context.problem), UpdateRule.of(options))


def trained_gap(options: ConsistentOptions, problem: LiftedProblem, reference: Reference, h: float) -> float:
    """‖Q̄u - y‖/‖u‖ in Ω_δ on the fine solution as training sees it: with K̃₁₁I on the coarse mesh of width h."""
    average = average_for(options, problem)
    return box_gap(reference.fine, problem.source_at(), _isotropic(reference), average, h)


def gaps(options: ConsistentOptions, problem: LiftedProblem, reference: Reference, h: float) -> dict[str, float]:
    """`trained_gap`, the same on a fine mesh, and that with K̃ in place of K̃₁₁I."""
    tensor, fine = reference.upscaled_coefficient, min(h, 1 / _FINE[problem.domain.dim])
    average = average_for(options, problem)
    return {
        "box_gap": box_gap(reference.fine, problem.source_at(), tensor, average, fine),
        "box_gap_isotropic": trained_gap(options, problem, reference, fine),
        "box_gap_coarse": trained_gap(options, problem, reference, h),
    }


def reference_fields(
    options: ConsistentOptions, problem: LiftedProblem, reference: Reference, space: P1Space
) -> tuple[np.ndarray, np.ndarray]:
    """Q̄u and y of the reference, with K̃₁₁I on the coarse mesh, at the nodes (N,) of the means."""
    average = average_for(options, problem)
    inner = P1Space(space.dim, space.h, average.low, average.high)
    return box_fields(reference.fine, problem.source_at(), _isotropic(reference), average, inner)


def _isotropic(reference: Reference) -> np.ndarray:
    return reference.upscaled_coefficient[0, 0] * np.eye(len(reference.upscaled_coefficient))
