"""Fine solutions of -∇·(K∇w) + s(x, w) = q on a box, by Newton's method."""

import contextlib
import time
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.errors import UserError
from hpms.fem.field import LagrangeField
from hpms.fem.fine.mixed import AbstractBoxElements, BoxProblem, BoxSystem, box_system
from hpms.fem.fine.solve import FineSolution, collect, triplets
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function
from hpms.fem.spd import solve

_ORDER, _POINTS = 5, 200_000
_STEP, _SMALL = 1e-8, 1e-6  # relative to w: the error behind such a step is its square; rounding may hide what falls
_STEPS, _HALVINGS = 50, 40
_COARSEST = 8
_STEEP = "Newton's method for law=semilinear {}: is law.formula too steep, or w far larger than the solution's?"


class SemilinearElements(AbstractBoxElements):
    """P1 or P2 elements for a semilinear law; Newton's method begins with the solution on half as many cells."""

    def __init__(self, box: BoxProblem, degree: int):
        super().__init__(box.sides, degree)
        self.box = box

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        coarser = None
        if n >= 2 * _COARSEST:
            nodes = self.space(n).nodes * np.array(self.sides)
            coarser = self.solve(n // 2, coefficient, source).lifted[0].values(nodes)
        return solve_semilinear(self.space(n), coefficient, source, self.box, coarser)


def solve_semilinear(
    space: LagrangeSpace,
    coefficient: Function,
    source: Function,
    box: BoxProblem,
    guess: Float[np.ndarray, " m"] | None = None,
) -> FineSolution:
    """∫ K∇w·∇φ + ∫ s(x, w)φ + ∫_F a wφ = ∫ qφ + ∫_F gφ for all φ that vanish where w is given, from a `guess` of w at
    the nodes, 0 where there is none.

    Raises `UserError` where Newton's method does not end, and as `box_system` and `hpms.fem.spd.solve` do.
    """
    start = time.perf_counter()
    system = box_system(space, coefficient, source, box)
    w, free = system.given.copy(), system.free
    if guess is not None:
        w[system.place[free[system.place]]] = guess[free[system.place]]
    assembled = time.perf_counter()
    balance = _Balance(space, box, system)
    rest, tangent = balance(w)
    for _ in range(_STEPS):
        step = np.zeros_like(w)
        step[free] = _newton(tangent[free][:, free], rest[free], space.dim)
        w, rest, tangent = balance.after(w, step, rest)
        if np.abs(step).max() <= _STEP * np.abs(w).max():
            break
    else:
        raise UserError(_STEEP.format(f"did not end in {_STEPS} steps"))
    unknown = np.full((space.dim, space.dim), np.nan)
    field, seconds = LagrangeField(space, w[system.place], box.sides), time.perf_counter() - assembled
    return FineSolution((field,), unknown, int(free.sum()), assembled - start, seconds)


def _newton(tangent: Any, rest: Float[np.ndarray, " n"], dim: int) -> Float[np.ndarray, " n"]:
    """Its step."""
    if np.isfinite(tangent.data).all() and np.isfinite(rest).all():
        with contextlib.suppress(ValueError):
            found = solve(sparse.csr_matrix(tangent), rest[None], dim)[0]
            if np.isfinite(found).all():
                return found
    raise UserError(_STEEP.format("met a system that has no solution in floating point numbers"))


Rest = Float[np.ndarray, " n"]


class _Balance:
    """What is left of the equation at w, 0 where w is given, and the matrix of its linearisation there."""

    def __init__(self, space: LagrangeSpace, box: BoxProblem, system: BoxSystem):
        assert box.term is not None
        self.space, self.term, self.sides, self.system = space, box.term, np.array(box.sides), system
        self.gather = system.gather

    def after(self, w: Rest, step: Rest, rest: Rest) -> tuple[Rest, Rest, sparse.csr_matrix]:
        """w behind a step, or a half, a quarter, ... of it, with what is left there.

        As s does not fall in w, a convex energy is least at the solution, and rest · step is the rate at which it falls
        at w. The step is short enough where it rises by no more than half of that rate at the end. Raises `UserError`
        where none is.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            fall, is_small = step @ rest, np.abs(step).max() <= _SMALL * np.abs(w).max()
            for halvings in range(_HALVINGS):
                there = w + step / 2**halvings
                rest, tangent = self(there)
                if is_small or -(step @ rest) <= fall / 2:
                    return there, rest, tangent
        raise UserError(_STEEP.format("found no step that brings it nearer"))

    def __call__(self, w: Rest) -> tuple[Rest, sparse.csr_matrix]:
        space, system, moments = self.space, self.system, np.zeros(self.space.size)
        barycentric, weights = space.rule(_ORDER)
        shape = space.shape(barycentric)
        mass, parts = np.einsum("qi,qj,q->qij", shape, shape, weights).reshape(len(weights), -1), list[Any]()
        for simplex, cube in space.blocks(max(1, _POINTS // len(weights))):
            unknowns = space.unknowns(cube, simplex)
            places = space.places(barycentric, cube, simplex).reshape(-1, space.dim) * self.sides
            there = (w[system.place[unknowns]] @ shape.T).reshape(-1, 1)
            value, slope = self.term(np.concatenate([places, there], axis=1)).T.reshape(2, len(cube), -1)
            moments += collect(unknowns, (value * weights) @ shape, space.size)
            parts.append(triplets(system.place[unknowns], slope @ mass))
        entries, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
        reaction = sparse.csr_matrix((entries, (rows, columns)), shape=system.matrix.shape)
        rest = system.load - system.matrix @ w - self.gather @ moments
        return np.where(system.free, rest, 0.0), sparse.csr_matrix(system.matrix + reaction)
