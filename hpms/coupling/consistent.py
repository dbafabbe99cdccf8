"""How far the exact solution is from box means that are consistent with the coarse state."""

import numpy as np

from hpms.coupling.known import Known
from hpms.fem.coarse.box import BoxAverage, box_fields, box_gap
from hpms.fem.coarse.nested import Nested
from hpms.fem.validation import ratio

_FINE = {1: 2000, 2: 128, 3: 20}  # cells per axis of the mesh for the gap


def trained_gap(average: BoxAverage, spacing: float | None, known: Known) -> float:
    """‖Q̄u - y‖/‖u‖ in Ω_δ on the fine solutions as training sees it: with its K̃ on the coarse mesh, at its nodes."""
    nested, means, states = _trained(average, spacing, known)
    square = float(np.prod(nested.wide.size)) * np.mean((means - states) ** 2, axis=0)
    return known.together([ratio(s**0.5, field.norms()[0]) for s, field in zip(square, known.lifted, strict=True)])


def gaps(average: BoxAverage, spacing: float | None, known: Known) -> dict[str, float]:
    """The gap with K̃ and with K̃₁₁I on a fine mesh, and `trained_gap`."""
    tensor, fine = known.reference.upscaled_coefficient, min(known.space.h, 1 / _FINE[known.space.dim])
    return {
        "box_gap": _gap(average, known, tensor, fine),
        "box_gap_isotropic": _gap(average, known, tensor[0, 0] * np.eye(len(tensor)), fine),
        "box_gap_coarse": trained_gap(average, spacing, known),
    }


def reference_fields(average: BoxAverage, spacing: float | None, known: Known) -> tuple[np.ndarray, np.ndarray]:
    """Q̄u_i and y_i of the reference, with its K̃ on the coarse mesh, at the nodes (N, l) of the means."""
    return _trained(average, spacing, known)[1:]


def _trained(average: BoxAverage, spacing: float | None, known: Known) -> tuple[Nested, np.ndarray, np.ndarray]:
    """The meshes, Q̄u_i, and y_i with the boundary data that the nodes of the means have."""
    space, source = known.space, known.problem.source_at()
    nested = Nested(space.dim, spacing or space.h, space.h, average.low, average.high)
    found = [box_fields(field, source, known.tensors[0], average, nested) for field in known.lifted]
    means, states = (np.stack(fields, axis=1) for fields in zip(*found, strict=True))
    return nested, means, states


def _gap(average: BoxAverage, known: Known, tensor: np.ndarray, h: float) -> float:
    source = known.problem.source_at()
    return known.together([box_gap(field, source, tensor, average, h) for field in known.lifted])
