"""The bound of the energy error on simplices, as that on boxes, `hpms/bound/bound.py`.

With the constant C_T of `poincare` and the distance h_F of the corner opposite to a facet F of T from its farthest
point, for ψ without mean in T,

    ‖ψ‖²_F <= (|F|/|T|) (‖ψ‖²_T + (2 h_F/d) ‖ψ‖_T ‖∇ψ‖_T) <= (|F|/|T|) C_T (C_T + 2 h_F/d) ‖∇ψ‖²_T,

from ∫_∂T (x - v)·n ψ² = ∫_T ∇·((x - v) ψ²) with that corner v, where (x - v)·n is the height on F and 0 on the others.
"""

import math
import time
from dataclasses import replace

import numpy as np
from jaxtyping import Array, Float

from hpms.bound.found import TOO_FEW, ErrorBound, Refined
from hpms.bound.pointwise import Moments
from hpms.bound.room import room
from hpms.bound.simplicial.constants import friedrichs
from hpms.bound.simplicial.hybrid import FacetFlux, carried
from hpms.bound.simplicial.moments import FacetData, facet_moments, flux_means, moments
from hpms.bound.simplicial.partition import Partition, enough, partition
from hpms.bound.simplicial.rules import degree_five, product
from hpms.fem.mesh.simplices import Simplices
from hpms.network.base import Parametrised
from hpms.problem.lifted import LiftedProblem

MISSED = "w misses its given values by an amount that is not bounded on a mesh"
_FEW, _FAR = 50_000, 3.0  # points of a first look, and how far above the goal it has to be
_HEAVIER = 3  # memory for a point, of that on boxes
_LEFT = 1e-6  # of ρ that may be left where no constant is known
_DRAWN, _SEEN, _FINE = 1000, 0.05, 6
_SHARE = 0.2  # of the bound that the oscillation may have before finer simplices are tried
_SHOWN = 64  # simplices of a map along the longest side


def simplicial_bound(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    mesh: Simplices,
    fluxes: tuple[str, ...] = (),
    most: float | None = None,
    goal: float | None = None,
    lacks: str = "",
    facet_data: FacetData | None = None,
    is_hard: bool = True,
) -> ErrorBound:
    """Of a network on a mesh, with conditions for the flux on the parts `fluxes` and given values on the others, as
    `hpms.bound.bound.error_bound`; `facet_data` gives a and g at points of the boundary, by default the problem's
    conditions.
    """
    start = time.perf_counter()
    if facet_data is None and fluxes:
        assert problem.conditions is not None
        facet_data = problem.conditions.at
    looks = _Looks(model, theta, problem, mesh, fluxes, facet_data)
    period = min(problem.coefficient.periods or (problem.domain.eps,))
    if most is None:
        most = enough(mesh, period, room() / _HEAVIER)
    cells = partition(mesh, period, most)
    found = None
    if goal is not None and cells.points > _FEW:
        quick = looks.at(partition(mesh, period, max(_FEW, most / 8)))
        found = None if quick.relative <= _FAR * goal else quick
    found = found or looks.refined(cells, most)
    lacks = ("" if is_hard else MISSED) or lacks or found.lacks
    return replace(found, lacks=lacks, seconds=time.perf_counter() - start)


class _Looks:
    """A network on the parts of a mesh."""

    def __init__(
        self,
        model: Parametrised,
        theta: Float[Array, " p"],
        problem: LiftedProblem,
        mesh: Simplices,
        fluxes: tuple[str, ...],
        facet_data: FacetData | None,
    ):
        self._network, self._mesh, self._fluxes, self._data = (model, theta, problem), mesh, fluxes, facet_data
        names = [name for name in mesh.parts if mesh.on(name).any()]
        self._friedrichs = math.nan if set(names) & set(fluxes) else friedrichs(mesh)

    def refined(self, cells: Partition, most: float) -> ErrorBound:
        """On finer and finer simplices, until it is a bound with little oscillation or `most` points are used."""
        while True:
            found = self.at(cells)
            if found.is_bound and found.oscillation <= _SHARE * found.energy:
                return found
            if (finer := cells.finer(most)) is None:
                return found
            cells = finer

    def at(self, cells: Partition) -> ErrorBound:
        """On these simplices, an estimate where they do not resolve the medium."""
        found = self.on(cells)
        return found if cells.resolves and self._is_seen(cells, found) else replace(found, lacks=TOO_FEW)

    def on(self, cells: Partition) -> ErrorBound:
        mesh, facets = cells.mesh, cells.facets
        every = moments(*self._network, mesh, slice(None), degree_five(mesh.dim))
        flux = flux_means(*self._network, facets, slice(None), degree_five(mesh.dim - 1))
        given = facets.areas[:, None] * flux
        divergence = np.einsum("ti,til->tl", facets.sign, given[facets.of]) / mesh.volumes[:, None]
        density = (every.given + divergence).T
        data, oscillation = self._at_facets(cells, every)
        least, volumes = np.asarray(every.least), mesh.volumes
        variance = np.asarray(every.variance).T
        oscillation = oscillation + cells.poincare * np.sqrt(volumes * variance / least)
        matrix = _matrix(mesh, slice(None), every)
        reaction = np.asarray(every.reaction)
        tau = carried(facets, volumes, matrix, density, reaction, data)
        alone = np.sqrt(np.einsum("lti,tij,ltj->lt", tau.flux, matrix, tau.flux))
        parts = (oscillation + alone) ** 2 + volumes * reaction * tau.pressure**2
        edge = data.rate * facets.areas * tau.trace**2
        for number, each in enumerate(edge):
            np.add.at(parts[number], facets.beside[data.here], each[data.here])
        rest = self._left(tau.rest, density, volumes, float(least.min()))
        return ErrorBound(
            energy=float(((np.sqrt(parts.sum(axis=1)) + rest) ** 2).sum()) ** 0.5,
            constant=self._friedrichs / float(least.min()) ** 0.5,
            norm=float((volumes @ np.asarray(every.energy)).sum()) ** 0.5,
            oscillation=float((oscillation**2).sum()) ** 0.5,
            carried=float((alone**2).sum()) ** 0.5,
            boundary=0.0,
            missed=0.0,
            parts=parts.sum(axis=0),
            where=Refined(_shown(self._mesh, cells.mesh)),
            points=cells.points,
            seconds=0.0,
            lacks="",
        )

    def _at_facets(self, cells: Partition, every: Moments) -> tuple[FacetFlux, Float[np.ndarray, "l t"]]:
        """The data of the conditions for the flux, and per simplex what their means leave."""
        mesh, facets, lifts = cells.mesh, cells.facets, every.given.shape[1]
        here, held = np.zeros(facets.count, bool), np.zeros(facets.count, bool)
        value, rate = np.zeros((lifts, facets.count)), np.zeros(facets.count)
        oscillation = np.zeros((lifts, len(mesh.cells)))
        on = facets.of_parts(self._fluxes)
        held[facets.outer[~on]], some = True, facets.outer[on]
        if some.size:
            assert self._data is not None
            found = facet_moments(*self._network, self._data, facets, some, degree_five(mesh.dim - 1))
            here[some], value[:, some], rate[some] = True, np.asarray(found.mean).T, found.rate
            cell = facets.beside[some]
            inner = cells.poincare[cell]
            square = facets.areas[some] / mesh.volumes[cell] * inner * (inner + 2 * facets.reach[some] / mesh.dim)
            left = np.sqrt(square * facets.areas[some] * np.asarray(found.variance).T / np.asarray(every.least)[cell])
            for number in range(lifts):
                np.add.at(oscillation[number], cell, left[number])
        return FacetFlux(here, held, value, rate), oscillation

    def _left(self, rest: np.ndarray, density: np.ndarray, volumes: np.ndarray, least: float) -> np.ndarray:
        """What the solver left of the equations, times C, ‖φ‖ <= C ‖K^{1/2}∇φ‖."""
        size, given = (np.sqrt(each**2 @ volumes) for each in (rest, density))
        if math.isfinite(self._friedrichs):
            return size * self._friedrichs / least**0.5
        return np.where(size <= _LEFT * given, 0.0, math.inf)

    def _is_seen(self, cells: Partition, found: ErrorBound) -> bool:
        """Whether a rule with twice as many points along each axis sees the same in simplices that are drawn at random,
        up to a part of the bound: the flux through facets, the means of what is given, what the means leave; and K.
        """
        mesh, facets, count = cells.mesh, cells.facets, len(cells.mesh.cells)
        some = np.sort(np.random.default_rng(0).choice(count, min(count, _DRAWN), replace=False))
        around, place = np.unique(facets.of[some], return_inverse=True)
        inside, across = ([degree_five(dim), product(dim, _FINE)] for dim in (mesh.dim, mesh.dim - 1))
        few, more = (moments(*self._network, mesh, some, rule) for rule in inside)
        fluxes = [flux_means(*self._network, facets, around, rule) for rule in across]
        matrices = [_matrix(mesh, some, each) for each in (few, more)]
        missed = (facets.areas[around][:, None] * (fluxes[0] - fluxes[1]))[place.reshape(len(some), -1)]
        least, volumes = np.asarray(more.least)[:, None], mesh.volumes[some][:, None]
        constant = float(np.max(mesh.sides)) / math.pi if math.isnan(self._friedrichs) else self._friedrichs

        def norm(squares: np.ndarray) -> float:
            return math.sqrt(count * float(np.sum(squares, axis=1).mean()))

        width = cells.poincare[some][:, None]
        left = [norm(width**2 * volumes * np.asarray(m.variance) / np.asarray(m.least)[:, None]) for m in (few, more)]
        errors = [
            norm(np.einsum("til,tij,tjl->tl", missed, matrices[1], missed)),
            constant * norm(volumes * (np.asarray(few.given) - np.asarray(more.given)) ** 2 / least),
            abs(left[0] - left[1]),
        ]
        traces = [np.trace(each, axis1=1, axis2=2) for each in matrices]
        medium = math.sqrt(float(((traces[0] / traces[1] - 1) ** 2).mean()))
        return bool(max(errors) <= _SEEN * found.energy and medium <= _SEEN)


def _matrix(mesh: Simplices, cells: slice | np.ndarray, every: Moments) -> Float[np.ndarray, "t d1 d1"]:
    """M of the lowest-order Raviart-Thomas functions."""
    return np.asarray(every.inverse) / (mesh.dim**2 * mesh.volumes[cells])[:, None, None]


def _shown(mesh: Simplices, fine: Simplices) -> Simplices:
    """The mesh, refined no further than `fine` and until 64 simplices lie along its longest side."""
    while len(mesh.cells) < len(fine.cells) and mesh.h > float(np.max(mesh.sides)) / _SHOWN:
        mesh = mesh.refined()
    return mesh
