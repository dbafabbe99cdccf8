"""How fine the meshes of the fine solutions are."""

import math

from hpms.errors import UserError

# Nodes per cell along one axis, and cells per ε that resolve ε well.
RESOLUTION = {"exact": (12, 32), "p1": (1, 64), "p2": (2, 32)}
DEFAULT_MOST = {1: 1_000_000, 2: 1_000_000, 3: 125_000}  # unknowns: half a minute on 2 cores
_MOST_OF_VECTORS = {2: 150_000, 3: 20_000}  # of all components, by default
MOST = 4_000_000
_LAYERED, _LAYERED_STEP, _LAYERED_MOST, _LAYERED_LONG = 384, 16, 1024, 0.3


def method_name(method: str, dim: int, reacts: bool = False) -> str:
    """What `auto` stands for, where the law has a reaction or has none."""
    return ("exact" if dim == 1 and not reacts else "p2") if method == "auto" else method


def reference_cells(dim: int, eps: float, name: str, h: float | None, longest: float = 1.0, components: int = 1) -> int:
    """Cells per axis of a reference on a box with that longest side, of functions with so many `components`: an even
    number, at least 4; a `UserError` where they are too many.
    """
    per_cell, per_eps = RESOLUTION[name]
    most = DEFAULT_MOST[dim] if components == 1 else _MOST_OF_VECTORS[dim] / components
    wanted = min(longest * per_eps / eps, most ** (1 / dim) / per_cell) if h is None else longest / h
    n = max(4, 2 * math.ceil(wanted / 2 - 1e-9))
    if (unknowns := components * (per_cell * n) ** dim) > MOST:
        raise UserError(f"reference.h={h:g} asks for {unknowns:.2g} unknowns, more than {MOST:.0e}: enlarge it.")
    return n


def layered_nodes(period: float, h: float | None) -> int:
    """Nodes per period of a layered medium's reference, a multiple of 16; a `UserError` where they are too many.

    By default 384, and more where the period is long, as the layers at x₁ = 0 and 1 are then thinner than its elements.
    """
    wanted = _LAYERED * max(1.0, (period / _LAYERED_LONG) ** 0.5) if h is None else period / h
    n = _LAYERED_STEP * max(2, math.ceil(wanted / _LAYERED_STEP - 1e-9))
    if h is None:
        return min(n, _LAYERED_MOST)
    if n > _LAYERED_MOST:
        raise UserError(f"reference.h={h:g} asks for {n} nodes per period, more than {_LAYERED_MOST}: enlarge it.")
    return n


def baseline_cells(dim: int, h: float, longest: float = 1.0) -> int:
    """Cells per axis of the fine FEM beside a network, at least 2; a `UserError` where they are too many."""
    n = max(2, round(longest / h))
    if n**dim > MOST:
        more = f"{n**dim:.2g} unknowns, more than {MOST:.0e}"
        raise UserError(f"reference.baseline_h={h:g} asks for {more}: enlarge it.")
    return n
