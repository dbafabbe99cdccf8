"""What `coupling=consistent` builds, and how far the exact solution is from it."""

import numpy as np

from hpms.coupling.base import CouplingContext
from hpms.coupling.box import BoxCoarseSolver, BoxCoupling, box_coupling
from hpms.coupling.known import Known
from hpms.coupling.lazy import UpdateRule
from hpms.fem.coarse.box import BoxAverage, box_fields, box_gap
from hpms.fem.coarse.nested import Nested
from hpms.fem.validation import ratio
from hpms.options.coupling import ConsistentOptions
from hpms.problem.lifted import LiftedProblem

_FINE = {1: 2000, 2: 128, 3: 20}  # cells per axis of the mesh for the gap


def average_for(options: ConsistentOptions, problem: LiftedProblem) -> BoxAverage:
    """Q̄ for the coefficient's periods."""
    sides, counts = options.box(problem.coefficient.periods, problem.domain.dim, problem.domain.eps)
    return BoxAverage(sides, counts, options.average == "hat")


def build(options: ConsistentOptions, context: CouplingContext) -> tuple[BoxCoupling, BoxCoarseSolver]:
    """The jitted and the host's part."""
    return box_coupling(context, average_for(options, context.problem), options.spacing, UpdateRule.of(options))


def trained_gap(options: ConsistentOptions, known: Known) -> float:
    """‖Q̄u - y‖/‖u‖ in Ω_δ on the fine solutions as training sees it: with its K̃ on the coarse mesh, at its nodes."""
    nested, means, states = _trained(options, known)
    square = float(np.prod(nested.wide.size)) * np.mean((means - states) ** 2, axis=0)
    return known.together([ratio(s**0.5, field.norms()[0]) for s, field in zip(square, known.lifted, strict=True)])


def gaps(options: ConsistentOptions, known: Known) -> dict[str, float]:
    """The gap with K̃ and with K̃₁₁I on a fine mesh, and `trained_gap`."""
    tensor, fine = known.reference.upscaled_coefficient, min(known.space.h, 1 / _FINE[known.space.dim])
    return {
        "box_gap": _gap(options, known, tensor, fine),
        "box_gap_isotropic": _gap(options, known, tensor[0, 0] * np.eye(len(tensor)), fine),
        "box_gap_coarse": trained_gap(options, known),
    }


def reference_fields(options: ConsistentOptions, known: Known) -> tuple[np.ndarray, np.ndarray]:
    """Q̄u_i and y_i of the reference, with its K̃ on the coarse mesh, at the nodes (N, l) of the means."""
    return _trained(options, known)[1:]


def _trained(options: ConsistentOptions, known: Known) -> tuple[Nested, np.ndarray, np.ndarray]:
    """The meshes, Q̄u_i, and y_i with the boundary data that the nodes of the means have."""
    average, space, source = average_for(options, known.problem), known.space, known.problem.source_at()
    nested = Nested(space.dim, options.spacing or space.h, space.h, average.low, average.high)
    found = [box_fields(field, source, known.tensors[0], average, nested) for field in known.lifted]
    means, states = (np.stack(fields, axis=1) for fields in zip(*found, strict=True))
    return nested, means, states


def _gap(options: ConsistentOptions, known: Known, tensor: np.ndarray, h: float) -> float:
    average, source = average_for(options, known.problem), known.problem.source_at()
    return known.together([box_gap(field, source, tensor, average, h) for field in known.lifted])
