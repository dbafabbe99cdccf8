"""The bound of the energy error, from the residual alone.

With e = w* - w and ρ, γ what w leaves of the equation and of the conditions for the flux, for every φ that vanishes
where w is given, and |||φ|||² = ∫ K∇φ·∇φ + ∫ c φ² + ∫_Γ a φ²,

    (e, φ) = Σ_T ∫_T (ρ - ρ_T) φ + Σ_F ∫_F (γ - γ_F) φ + [Σ_T ∫_T ρ_T φ + Σ_F ∫_F γ_F φ],

means over cells T and their faces F in Γ. The first two are less than constants times ‖∇φ‖_T, as φ may be replaced by φ
minus a mean (Payne and Weinberger), the last is ∫ τ·∇φ + ... of a flux τ that carries these means (Prager and Synge).
"""

import math
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Array, Bool, Float

from hpms.bound.cells import Cells, cells, enough
from hpms.bound.equilibrated import Equilibrated, FaceFlux, equilibrated
from hpms.bound.extension import extension
from hpms.bound.found import TOO_FEW, Boxes, ErrorBound
from hpms.bound.korn import by_korn
from hpms.bound.moments import face_moments, flux_means, moments
from hpms.bound.pointwise import FaceMoments, Moments
from hpms.bound.room import room
from hpms.fem.faces import Face
from hpms.network.base import Parametrised
from hpms.problem.lifted import LiftedProblem

_FEW, _FAR = 50_000, 3.0  # points of a first look, and how far above the goal it has to be
_LEFT = 1e-6  # of ρ that may be left where no constant is known
_DRAWN, _SEEN = 1000, 0.05
_SHARE = 0.2  # of the bound that the oscillation may have before finer cells are tried


def error_bound(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    most: float | None = None,
    goal: float | None = None,
    lacks: str = "",
    is_hard: bool = True,
) -> ErrorBound:
    """Of a network, with at most about `most` quadrature points (None: as many as the medium asks for, up to 1e8 and
    what memory allows): cells are made finer while their oscillation is a large part of it. With a relative `goal` an
    eighth of the points is tried first, and is all where it gives thrice the goal. `lacks` is what keeps it from being
    a bound whatever the points, `is_hard` whether w has its given values.
    """
    start = time.perf_counter()
    sides, periods = problem.domain.sides, _periods(problem)
    if most is None:
        most = enough(sides, periods, room())
    grid = cells(sides, periods, most)
    found = None
    if goal is not None and grid.points > _FEW:
        quick = _looked_at(model, theta, problem, cells(sides, periods, max(_FEW, most / 8)))
        found = None if quick.relative <= _FAR * goal else quick
    found = found or _refined(model, theta, problem, grid, most)
    if not is_hard:
        found = _with_boundary(model, theta, problem, max(found.points, _FEW), found)
    return replace(found, lacks=lacks or found.lacks, seconds=time.perf_counter() - start)


def _refined(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, grid: Cells, most: float
) -> ErrorBound:
    """On finer and finer cells, until it is a bound with little oscillation or `most` points are used."""
    while True:
        found, finer = _looked_at(model, theta, problem, grid), grid.finer(most)
        if finer is None or (found.is_bound and found.oscillation <= _SHARE * found.energy):
            return found
        grid = finer


def _looked_at(model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, grid: Cells) -> ErrorBound:
    """On these cells, an estimate where they do not resolve the medium."""
    every = _coercive(problem, moments(model, theta, problem, grid))
    found = _on(model, theta, problem, grid, every)
    is_seen = grid.resolves and _is_seen(model, theta, problem, grid, float(np.min(every.least)), found)
    return found if is_seen else replace(found, lacks=TOO_FEW)


def _periods(problem: LiftedProblem) -> tuple[float, ...]:
    return problem.coefficient.periods or (problem.domain.eps,) * problem.domain.dim


def _with_boundary(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, most: float, found: ErrorBound
) -> ErrorBound:
    """With what w misses of its given values."""
    missed = extension(model, theta, problem, _held(problem), _periods(problem), most)
    counts, sides = np.array(found.parts.shape), np.array(problem.domain.sides)
    places = np.minimum((missed.points / sides * counts).astype(int), counts - 1)
    parts = found.parts.copy()
    np.add.at(parts, tuple(places.T), missed.energy)
    boundary = missed.total**0.5
    energy = math.hypot(found.energy, boundary)
    return replace(
        found,
        energy=energy,
        boundary=boundary,
        missed=missed.square**0.5,
        parts=parts,
        lacks=found.lacks if missed.is_resolved else TOO_FEW,
    )


def _on(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, grid: Cells, every: Moments
) -> ErrorBound:
    on_faces = face_moments(model, theta, problem, grid)
    density = np.asarray(every.given).reshape(*grid.counts, -1)
    for axis, flux in enumerate(flux_means(model, theta, problem, grid)):
        density = density + np.diff(flux, axis=axis) / grid.widths[axis]
    parts, squares = np.zeros(grid.counts), np.zeros(3)
    for number in range(density.shape[-1]):
        some, sums = _squares(problem, grid, every, density[..., number], on_faces, number)
        parts, squares = parts + some, squares + sums
    energy, norm = float(squares[0]) ** 0.5, (grid.volume * float(np.sum(every.energy))) ** 0.5
    constant = _friedrichs(problem) / float(np.min(every.least)) ** 0.5
    return ErrorBound(
        energy=energy,
        constant=constant,
        norm=norm,
        oscillation=float(squares[1]) ** 0.5,
        carried=float(squares[2]) ** 0.5,
        boundary=0.0,
        missed=0.0,
        parts=parts,
        where=Boxes(tuple(problem.domain.sides)),
        points=grid.points,
        seconds=0.0,
        lacks="",
    )


def _is_seen(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, grid: Cells, k: float, found: ErrorBound
) -> bool:
    """Whether twice as many points along each axis see the same in cells that are drawn at random, up to a part of the
    bound: the flux through faces, the means of what is given, what the means leave; and K, whose least is k in Ω.
    """
    count = math.prod(grid.counts)
    some = np.sort(np.random.default_rng(0).choice(count, min(count, _DRAWN), replace=False))
    finer = replace(grid, each=2 * grid.each)
    few, more = (moments(model, theta, problem, each, some) for each in (grid, finer))
    inverse = [_resistances(each) for each in (few, more)]
    medium = np.sqrt(((inverse[0].sum(axis=1) / inverse[1].sum(axis=1) - 1) ** 2).mean())
    few, more = (_coercive(problem, each, k) for each in (few, more))
    fluxes = zip(*(flux_means(model, theta, problem, each, some) for each in (grid, finer)), strict=True)
    least = [np.asarray(each.least)[:, None] for each in (few, more)]
    friedrichs = _friedrichs(problem)
    constant = max(problem.domain.sides) / math.pi if math.isnan(friedrichs) else friedrichs

    def norm(squares: np.ndarray) -> float:
        return math.sqrt(grid.volume * count * float(np.sum(squares, axis=1).mean()))

    left = [norm(np.asarray(each.variance) / c) for each, c in zip((few, more), least, strict=True)]
    resistance = _resistances(more)[:, :, None]
    errors = [
        norm(np.sum([resistance[:, a] * (one - two) ** 2 for a, (one, two) in enumerate(fluxes)], axis=0)),
        constant * norm((np.asarray(few.given) - np.asarray(more.given)) ** 2 / least[1]),
        grid.widths.max() / math.pi * abs(left[0] - left[1]),
    ]
    return bool(max(errors) <= _SEEN * found.energy and medium <= _SEEN)


def _coercive(problem: LiftedProblem, every: Moments, most: float = math.inf) -> Moments:
    """With the numbers of Korn's inequality for vectors."""
    return by_korn(every, problem.domain.dim, most) if problem.law.components > 1 else every


def _resistances(every: Moments) -> Float[np.ndarray, "n d"]:
    """The means of (K^{-1})_aa."""
    return np.diagonal(np.asarray(every.inverse)[:, 0], axis1=1, axis2=2)


def _squares(
    problem: LiftedProblem,
    grid: Cells,
    every: Moments,
    density: Float[np.ndarray, "..."],
    beside: Mapping[Face, FaceMoments],
    number: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The cells' shares, and of |||e|||² the bound, that by the oscillation, and by the flux τ alone."""
    shape, widths, volume = grid.counts, grid.widths, grid.volume
    least, reaction = (np.asarray(array).reshape(shape) for array in (every.least, every.reaction))
    inverse = np.asarray(every.inverse).reshape(*shape, 3, grid.dim, grid.dim)
    resistance = [inverse[..., 0, a, a] for a in range(grid.dim)]
    data = {f: FaceFlux(np.asarray(m.mean)[:, number], np.asarray(m.rate)) for f, m in beside.items()}
    periodic = () if problem.conditions is None else problem.conditions.periodic
    found = equilibrated(grid, density, resistance, reaction, data, periodic)
    longest = float(widths.max())
    variance = np.asarray(every.variance)[:, number].reshape(shape)
    oscillation = longest / math.pi * np.sqrt(volume * variance / least)
    for (axis, end), each in beside.items():
        area, across = volume / widths[axis], widths[axis]
        constant = (longest / math.pi * (longest / (math.pi * across) + 2)) ** 0.5
        at = tuple(-end if a == axis else slice(None) for a in range(grid.dim))
        here = np.asarray(each.variance)[:, number].reshape(oscillation[at].shape)
        oscillation[at] = oscillation[at] + constant * np.sqrt(area * here / least[at])
    carried = np.sqrt(volume * _energy(found, inverse))
    remainder = _left(problem, found, least, volume, float(np.sqrt(volume * (density**2).sum())))
    parts = (oscillation + carried) ** 2 + volume * reaction * found.pressure**2
    edge = np.zeros(shape)
    for (axis, end), trace in found.trace.items():
        at = tuple(-end if a == axis else slice(None) for a in range(grid.dim))
        edge[at] += volume / widths[axis] * data[axis, end].rate.reshape(trace.shape) * trace**2
    parts = parts + edge
    total = (parts.sum() ** 0.5 + remainder) ** 2
    return parts, np.array([total, (oscillation**2).sum(), (carried**2).sum()])


def _energy(found: Equilibrated, inverse: Float[np.ndarray, "... 3 d d"]) -> np.ndarray:
    """The means of τ·K^{-1}τ over the cells, where τ_a is linear in x_a."""
    mean = np.stack([(low + high) / 2 for low, high in zip(found.low, found.high, strict=True)], axis=-1)
    slope = np.stack([high - low for low, high in zip(found.low, found.high, strict=True)], axis=-1)
    first, second, third = (inverse[..., k, :, :] for k in range(3))
    return (
        np.einsum("...a,...ab,...b->...", mean, first, mean)
        + 2 * np.einsum("...a,...ab,...b->...", mean, second, slope)
        + np.einsum("...a,...ab,...b->...", slope, third, slope)
    )


def _left(problem: LiftedProblem, found: Equilibrated, least: np.ndarray, volume: float, given: float) -> float:
    """What the solver left of the equation of the norm `given`, times C, ‖φ‖ <= C ‖K^{1/2}∇φ‖."""
    constant = _friedrichs(problem)
    size = (volume * float((found.rest**2).sum())) ** 0.5
    if math.isfinite(constant):
        return size * constant / float(least.min()) ** 0.5
    return 0.0 if size <= _LEFT * given else math.inf


def _friedrichs(problem: LiftedProblem) -> float:
    """C with ‖φ‖ <= C ‖∇φ‖, by the first eigenvalue of the Laplacian on the box, of φ without its mean where
    nothing else fixes it; NaN where only a rate or a reaction does.
    """
    sides = problem.domain.sides
    if problem.floats:
        return max(sides) / math.pi
    turns = _held(problem).sum(axis=1) / 2
    value = sum((math.pi * turn / side) ** 2 for turn, side in zip(turns.tolist(), sides, strict=True))
    return value**-0.5 if value > 0 else math.nan


def _held(problem: LiftedProblem) -> Bool[np.ndarray, "d 2"]:
    """Whether w is given on the faces at both ends of each axis."""
    return np.array([[(axis, end) in problem.given for end in (0, 1)] for axis in range(problem.domain.dim)])
