"""The coarse adjoint."""

import math

import numpy as np

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.coarse.vectors import VectorSpace
from hpms.fem.p1 import P1Space
from hpms.verification.check import Check, small


def check_adjoint(space: P1Space | VectorSpace, cells: tuple[int, ...], seed: int) -> list[Check]:
    """(B^{-1}r, s) = (r, B^{-T}s), and with B^T p = r the two derivatives r·∂y/∂K̃_ab = -p^T A^{ab} y and r·∂y/∂g =
    -B_IB^T p, for a random tensor K̃ in each cell (of strains for a space of vectors), a random load and random boundary
    data g.
    """
    random = np.random.default_rng(seed)
    size, count, inner = len(space.stiffness), len(space.nodes), space.interior
    coefficient = 2 * np.eye(size) + 0.8 / size * random.uniform(-1, 1, (math.prod(cells), size, size))
    load, r, s, data = random.standard_normal((4, count))
    solver = CoarseProblem(space, load, cells=cells).factorise(coefficient.ravel())
    y, p = solver.state(data), solver.adjoint(r)
    left, right = solver.state()[inner] @ s[inner], load[inner] @ solver.adjoint(s)[inner]
    contraction = solver.contraction(y, p)
    sensitivities = r[inner] @ solver.sensitivity(y)[inner]
    along = r[inner] @ solver.extended(s)[inner]
    expected = -solver.data_gradient(p) @ s[space.boundary]
    moved = (solver.state(data + s) - y - solver.extended(s))[inner]
    return [
        small("adjoint identity (B⁻¹r, s) = (r, B⁻ᵀs)", abs(left - right) / abs(left), 1e-10),
        small(
            "adjoint part pᵀAᵃᵇy = -r·∂y/∂K̃ₐᵦ",
            float(np.abs(contraction + sensitivities).max() / np.abs(contraction).max()),
            1e-10,
        ),
        small("boundary data: r·∂y/∂g s = -pᵀB_IB s", abs(along - expected) / abs(along), 1e-10),
        small("boundary data: y(g + s) = y(g) + ∂y/∂g s", float(np.abs(moved).max() / np.abs(y).max()), 1e-10),
    ]
