"""The coarse adjoint."""

import numpy as np

from hpms.coarse.state import CoarseProblem
from hpms.verification.check import Check, small


def check_adjoint(problem: CoarseProblem, seed: int) -> list[Check]:
    """(B^{-1}r, s) = (r, B^{-T}s), and r·∂y/∂K̃_ab = -p^T A^{ab} y with B^T p = r, for a random tensor K̃."""
    random = np.random.default_rng(seed)
    dim, count = problem.space.dim, len(problem.space.nodes)
    coefficient = 2 * np.eye(dim) + 0.4 * random.uniform(-1, 1, (dim, dim))
    solver = problem.factorise(coefficient)
    r, s = random.standard_normal((2, count))
    inner = problem.space.interior
    state = CoarseProblem(problem.space, r).factorise(coefficient).state()
    left, right = state[inner] @ s[inner], r[inner] @ solver.adjoint(s)[inner]
    y, p = solver.state(), solver.adjoint(r)
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
