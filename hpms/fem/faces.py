"""The faces of a box."""

import numpy as np

Face = tuple[int, int]  # the axis across which it lies, and 0 for its low or 1 for its high end
PARTS = ("left", "right", "bottom", "top", "front", "back")  # x₁ = 0, x₁ = s₁, x₂ = 0, ...


def faces(dim: int) -> list[Face]:
    """All 2d of them, in the order of their names."""
    return [(int(axis), int(end)) for axis, end in np.ndindex(dim, 2)]


def part(face: Face) -> str:
    """Its name."""
    return PARTS[2 * face[0] + face[1]]
