"""Fine solutions of -∇·(K∇w) = q on a box with given values and fluxes on its faces."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from hpms.fem.faces import Face
from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.fine.meshes import RESOLUTION
from hpms.fem.fine.method import AbstractMethod
from hpms.fem.fine.quadrature_1d import PanelField, antiderivative, integral, sampled
from hpms.fem.fine.solve import FineSolution, assemble
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function, sample_source
from hpms.fem.spd import solve

_FACE_ORDER = 6


@dataclass(frozen=True)
class Value:
    """w = g on a face."""

    value: Function


@dataclass(frozen=True)
class Flux:
    """K∇w·n + a w = g on a face, n outward; Neumann's condition has a = 0."""

    rate: Function
    value: Function


@dataclass(frozen=True)
class BoxProblem:
    """The sides s of the box Π(0, s_a), the condition on each of its faces but those across `periodic` axes, and of
    -∇·(K∇w) + c w + s(x, w) = q the `reaction` c and the `term` s, None for 0; the term gives s and ∂s/∂w (M, 2) at
    points with w behind them (M, d + 1).
    """

    sides: tuple[float, ...]
    conditions: Mapping[Face, Value | Flux]
    periodic: tuple[int, ...] = ()
    reaction: Function | None = None
    term: Function | None = None

    @property
    def reacts(self) -> bool:
        """Whether there is more than diffusion."""
        return self.reaction is not None or self.term is not None


class AbstractBoxElements(AbstractMethod):
    """P1 or P2 elements of degree r on n cells along each side of a box, with errors O(h^(r+1)) and O(h^r)."""

    def __init__(self, sides: tuple[float, ...], degree: int):
        self.sides, self.degree, self.dim = sides, degree, len(sides)

    def width(self, n: int) -> float:
        return max(self.sides) / n

    def size(self, n: int) -> float:
        return (self.degree * n) ** self.dim

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        """Zero: there is no coarse problem."""
        return self.field(n, np.zeros(self.space(n).size))

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return LagrangeField(self.space(n), data, self.sides)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        nodes = self.space(n).nodes * np.array(self.sides)
        l2, h1 = self.field(n, fine.data - wide.values(nodes)).norms()
        return l2 / (2.0 ** (self.degree + 1) - 1), h1 / (4.0**self.degree - 1) ** 0.5

    def space(self, n: int) -> LagrangeSpace:
        """The elements on the unit cube."""
        return LagrangeSpace(self.dim, n, self.degree)


class MixedElements(AbstractBoxElements):
    """Those of diffusion with conditions of one's own."""

    def __init__(self, box: BoxProblem, degree: int):
        super().__init__(box.sides, degree)
        self.box = box

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_mixed(self.space(n), coefficient, source, self.box)


class MixedQuadrature(AbstractMethod):
    """Gauss quadrature on n panels of (0, s)."""

    def __init__(self, box: BoxProblem):
        (self.side,), self.box = box.sides, box

    def width(self, n: int) -> float:
        return self.side / n

    def size(self, n: int) -> float:
        return RESOLUTION["exact"][0] * n

    def solve(self, n: int, coefficient: Function, source: Function) -> FineSolution:
        return solve_on_a_line(coefficient, source, n, self.box)

    def state(self, n: int, source: Function, coefficient: float) -> AbstractField:
        """Zero: there is no coarse problem."""
        return self.field(n, np.zeros((2, n, RESOLUTION["exact"][0])))

    def field(self, n: int, data: np.ndarray) -> AbstractField:
        return PanelField(data, self.side)

    def own_errors(self, n: int, fine: AbstractField, wide: AbstractField) -> tuple[float, float]:
        value, slope = wide.evaluate(PanelField.nodes(n) * self.side)
        there = np.stack([value, slope[:, 0] * self.side]).reshape(fine.data.shape)
        l2, h1 = self.field(n, fine.data - there).norms()
        return l2, h1


@dataclass(frozen=True)
class BoxSystem:
    """The `matrix` of ∫ K∇w·∇φ + ∫ c wφ + ∫_F a wφ and the `load` ∫ qφ + ∫_F gφ over all N unknowns, of which two are
    one across periodic axes: `place` is the number of each of the space's. `given` has the values of w where it is
    given, and 0 at the `free` unknowns; `held` is whether something holds w.
    """

    matrix: sparse.csr_matrix
    load: Float[np.ndarray, " n"]
    given: Float[np.ndarray, " n"]
    free: Bool[np.ndarray, " n"]
    held: bool
    place: Int[np.ndarray, " m"]

    @property
    def gather(self) -> sparse.csr_matrix:
        """The sums of what belongs to one unknown (N, M)."""
        return _gather(self.place)


def _gather(place: Int[np.ndarray, " m"]) -> sparse.csr_matrix:
    shape = int(place.max()) + 1, len(place)
    return sparse.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))), shape=shape)


def box_system(space: LagrangeSpace, coefficient: Function, source: Function, box: BoxProblem) -> BoxSystem:
    """K, q and the data are functions of points of the box (M, d). Errors as in `assemble`."""
    sides = np.array(box.sides)
    place = joined(space, box.periodic)
    gather, count = _gather(place), int(place.max()) + 1

    def stretched(function: Function) -> Function:
        return lambda points: function(points * sides)

    reaction = None if box.reaction is None else stretched(box.reaction)
    system = assemble(space, stretched(coefficient), stretched(source), place, 1 / sides, reaction)
    matrix, load = system.matrix, gather @ system.load
    w, free, held = np.zeros(count), np.ones(count, dtype=bool), reaction is not None
    for (axis, end), condition in box.conditions.items():
        unknowns = face_unknowns(space, axis, end)
        if isinstance(condition, Value):
            free[place[unknowns]] = False
            w[place[unknowns]] = sample_source(stretched(condition.value), space.nodes[unknowns])
            held = True
            continue
        boundary, moments = face_load(space, axis, end, unknowns, stretched(condition.rate), stretched(condition.value))
        matrix = matrix + gather @ boundary @ gather.T / sides[axis]
        load = load + gather @ moments / sides[axis]
        held = held or bool(np.any(boundary.data))
    return BoxSystem(sparse.csr_matrix(matrix), load, w, free, held, place)


def solve_mixed(space: LagrangeSpace, coefficient: Function, source: Function, box: BoxProblem) -> FineSolution:
    """∫ K∇w·∇φ + ∫ c wφ + ∫_F a wφ = ∫ qφ + ∫_F gφ for all φ that vanish where w is given.

    Where nothing holds w, ∫ w = 0, and what the data leave over is taken from q. Errors as in `box_system` and
    `hpms.fem.spd.solve`.
    """
    start = time.perf_counter()
    system = box_system(space, coefficient, source, box)
    matrix, load, w, free = system.matrix, system.load, system.given.copy(), system.free.copy()
    share = system.gather @ space.integrals()
    if not system.held:
        load = load - load.sum() * share
        free[0] = False
    right = (load - matrix @ w)[free]
    assembled = time.perf_counter()
    w[free] = solve(sparse.csr_matrix(matrix[free][:, free]), right[None], space.dim)[0]
    if not system.held:
        w -= share @ w
    unknown = np.full((space.dim, space.dim), np.nan)
    field, seconds = LagrangeField(space, w[system.place], box.sides), time.perf_counter() - assembled
    return FineSolution((field,), unknown, int(free.sum()), assembled - start, seconds)


def solve_on_a_line(coefficient: Function, source: Function, panels: int, box: BoxProblem) -> FineSolution:
    """w on (0, s) by F(x) = K w' = C - ∫₀ˣ q and w(x) = w₀ + ∫₀ˣ F/K, with C and w₀ from the two conditions, or ∫ w = 0
    where both are for fluxes.
    """
    (side,) = box.sides
    start = time.perf_counter()
    k, q = sampled(lambda p: coefficient(p * side), lambda p: source(p * side), panels)
    k, q = k / side, q * side
    total, partial = antiderivative(q), np.zeros((2, 3))
    end = integral(q)
    whole, weighted = integral(1 / k), integral(total / k)
    for row, place in enumerate((0, 1)):
        condition, at = box.conditions[0, place], np.array([[side * place]])
        value = float(condition.value(at)[0])
        w = np.array([1.0, place * whole, -place * weighted])  # w at this end: of w₀, of C, and the rest
        if isinstance(condition, Value):
            partial[row] = [w[0], w[1], value - w[2]]
            continue
        rate, sign = float(condition.rate(at)[0]), 2 * place - 1
        flux = np.array([0.0, sign, -sign * place * end])
        found = flux + rate * w
        partial[row] = [found[0], found[1], value - found[2]]
    floats = not partial[:, 0].any()
    if floats:
        partial[1] = [1.0, 0.0, 0.0]
    start_value, constant = np.linalg.solve(partial[:, :2], partial[:, 2])
    slope = (constant - total) / k
    value = start_value + antiderivative(slope)
    field = PanelField(np.stack([value - integral(value) if floats else value, slope]), side)
    seconds = time.perf_counter() - start
    return FineSolution((field,), np.full((1, 1), np.nan), k.size, 0.0, seconds)


def joined(space: LagrangeSpace, periodic: tuple[int, ...]) -> Int[np.ndarray, " n"]:
    """The number of each unknown, the same at both ends of the `periodic` axes."""
    first = np.arange(space.size).reshape((space.degree * space.n + 1,) * space.dim)
    for axis in periodic:
        low = np.take(first, [0], axis=axis)
        first = np.concatenate([np.delete(first, -1, axis=axis), low], axis=axis)
    return np.unique(first.ravel(), return_inverse=True)[1].astype(np.int32)


def face_unknowns(space: LagrangeSpace, axis: int, end: int) -> Int[np.ndarray, " m"]:
    """The unknowns on a face, numbered as `LagrangeSpace` of one dimension less does."""
    lattice = np.arange(space.size).reshape((space.degree * space.n + 1,) * space.dim)
    return lattice.take(-end, axis=axis).ravel()


def face_load(
    space: LagrangeSpace, axis: int, end: int, unknowns: Int[np.ndarray, " m"], rate: Function, value: Function
) -> tuple[sparse.csr_matrix, Float[np.ndarray, " n"]]:
    """∫_F a φ_iφ_j and ∫_F g φ_i over a face of the unit cube."""
    size = space.size
    if space.dim == 1:
        at = np.full((1, 1), float(end))
        a, g = (sample_source(function, at) for function in (rate, value))
        load = np.zeros(size)
        load[unknowns] = g
        return sparse.csr_matrix((a, (unknowns, unknowns)), shape=(size, size)), load
    flat = LagrangeSpace(space.dim - 1, space.n, space.degree)
    barycentric, weights = flat.rule(_FACE_ORDER)
    shape, load, parts = flat.shape(barycentric), np.zeros(size), []
    mass = np.einsum("qi,qj,q->qij", shape, shape, weights)
    for simplex, cube in flat.blocks(50_000):
        places = flat.places(barycentric, cube, simplex).reshape(-1, flat.dim)
        points = np.insert(places, axis, float(end), axis=1)
        a, g = (sample_source(function, points).reshape(len(cube), -1) for function in (rate, value))
        local = unknowns[flat.unknowns(cube, simplex)]
        load += np.bincount(local.ravel(), weights=((g * weights) @ shape).ravel(), minlength=size)
        entries = np.tensordot(a, mass, axes=1)
        rows = np.broadcast_to(local[:, :, None], entries.shape)
        parts.append((entries.ravel(), rows.ravel(), rows.swapaxes(1, 2).ravel()))
    entries, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
    return sparse.csr_matrix((entries, (rows, columns)), shape=(size, size)), load
