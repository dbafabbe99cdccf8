"""The coarse adjoint."""

import numpy as np

from hpms.coarse.p1 import P1Space
from hpms.coarse.state import CoarseProblem
from hpms.verification.check import Check, small


def check_adjoint(space: P1Space, seed: int) -> list[Check]:
    """(B^{-1}r, s) = (r, B^{-T}s), and r·∂y/∂K̃_ab = -p^T A^{ab} y with B^T p = r, for a random tensor K̃ and load."""
    random = np.random.default_rng(seed)
    dim, count, inner = space.dim, len(space.nodes), space.interior
    coefficient = 2 * np.eye(dim) + 0.4 * random.uniform(-1, 1, (dim, dim))
    load, r, s = random.standard_normal((3, count))
    solver = CoarseProblem(space, load).factorise(coefficient)
    y, p = solver.state(), solver.adjoint(r)
    left, right = y[inner] @ s[inner], load[inner] @ solver.adjoint(s)[inner]
    contraction = solver.contraction(y, p)
    sensitivities = np.array([[r[inner] @ solver.sensitivity(a, b)[inner] for b in range(dim)] for a in range(dim)])
    return [
        small("adjoint identity (B⁻¹r, s) = (r, B⁻ᵀs)", abs(left - right) / abs(left), 1e-10),
        small(
            "adjoint part pᵀAᵃᵇy = -r·∂y/∂K̃ₐᵦ",
            float(np.abs(contraction + sensitivities).max() / np.abs(contraction).max()),
            1e-10,
        ),
    ]
