"""The coarse problem of the paper's coupling, of numbers or vectors."""

import numpy as np
from jaxtyping import Float

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.coarse.vectors import VectorSpace
from hpms.fem.faces import faces
from hpms.fem.p1 import P1Space
from hpms.problem.lifted import LiftedProblem


def coarse_problem(
    problem: LiftedProblem,
    space: P1Space,
    basis: Float[np.ndarray, "p c a b"] | None,
    cells: tuple[int, ...],
) -> CoarseProblem:
    """B[κ] y = F with y = 0 on ∂Ω, Eqs. (3.17), (4.18), for K̃ of that basis; for Hooke's law of a stiffness."""
    source, components = problem.source_at(), problem.law.components
    if components == 1:
        return CoarseProblem(space, space.load(source), basis, cells)
    every = [space.load(lambda points, i=i: source(points)[:, i]) for i in range(components)]
    return CoarseProblem(coarse_space(problem, space), np.stack(every, axis=1).ravel(), basis, cells)


def coarse_space(problem: LiftedProblem, space: P1Space) -> P1Space | VectorSpace:
    """The space of y: `space`, or vectors of it that vanish on ∂Ω."""
    components = problem.law.components
    return space if components == 1 else VectorSpace(space, [faces(space.dim)] * components)


def stacked(columns: Float[np.ndarray, "n l"], components: int) -> Float[np.ndarray, "m k"]:
    """From the columns of all components of k = l/c vectors to one column for each, c values at each node."""
    nodes, count = columns.shape
    return columns.reshape(nodes, count // components, components).swapaxes(1, 2).reshape(nodes * components, -1)


def unstacked(values: Float[np.ndarray, " m k *p"], components: int) -> Float[np.ndarray, " n l *p"]:
    """The inverse of `stacked`."""
    _, count, *rest = values.shape
    return values.reshape(-1, components, count, *rest).swapaxes(1, 2).reshape(-1, count * components, *rest)
