"""What is known of a problem without a network: fine solutions, each from the cache where it is there."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hpms.config.config import Config
from hpms.coupling.known import Known
from hpms.fem.elastic.problem import ElasticBox, UnitStrains
from hpms.fem.faces import Face
from hpms.fem.fine.baseline import Baseline, baseline
from hpms.fem.fine.corrector import Corrector, corrector
from hpms.fem.fine.discretisation import CoarseErrors, coarse_errors
from hpms.fem.fine.gaps import Gaps, gaps
from hpms.fem.fine.mixed import BoxProblem, Flux, Value
from hpms.fem.fine.posed import Posed
from hpms.fem.fine.reference import Reference, reference
from hpms.fem.mesh.problem import MeshProblem
from hpms.fem.sample import Function
from hpms.options.reference import needed
from hpms.problem.components import ComponentConditions
from hpms.problem.law.reaction import Linearised
from hpms.problem.law.semilinear import Semilinear
from hpms.problem.lifted import LiftedProblem, on_host
from hpms.problem.meshed import AbstractMeshed


def find_reference(config: Config, problem: LiftedProblem) -> Reference:
    """The reference, from the cache where it is there."""
    chosen = needed(config.reference)
    return reference(
        config.problem.dim,
        config.problem.eps,
        problem.coefficient_at(),
        problem.source_at(),
        method=chosen.method,
        h=chosen.h,
        periods=problem.coefficient.periods,
        box=posed(problem),
        delta=chosen.delta,
        cache_dir=chosen.cache,
        key=_key(config, problem, str(chosen.method), repr(chosen.h)),
    )


def posed(problem: LiftedProblem) -> Posed | None:
    """The conditions for the finite element side; None where w_i = x_i on ∂Ω of the unit cube."""
    if problem.conditions is None:
        return None if problem.law.components == 1 else UnitStrains(problem.domain.dim)
    if isinstance(problem.conditions, ComponentConditions):
        return ElasticBox(problem.domain.sides, *(_of_components(problem.conditions, flux) for flux in (False, True)))
    domain, on_faces, on_parts = problem.domain, {}, {}
    for each in problem.conditions.faces:
        value = on_host(each.value, domain.dim)
        found = Value(value) if each.rate is None else Flux(on_host(each.rate, domain.dim), value)
        if isinstance(each.face, str):
            on_parts[each.face] = found
        else:
            on_faces[each.face] = found
    if isinstance(domain, AbstractMeshed):
        return MeshProblem(domain.mesh, on_parts, problem.reaction_at())
    term = on_host(Linearised(problem.law.term), domain.dim + 1) if isinstance(problem.law, Semilinear) else None
    return BoxProblem(domain.sides, on_faces, problem.conditions.periodic, problem.reaction_at(), term)


def _of_components(conditions: ComponentConditions, flux: bool) -> tuple[dict[Face, Function], ...]:
    """The values of those for the flux, or of the others, by face, of each component."""
    dim = len(conditions.each)
    return tuple(
        {c.face: on_host(c.value, dim) for c in each.faces if c.is_flux == flux and not isinstance(c.face, str)}
        for each in conditions.each
    )


def known_to(config: Config, problem: LiftedProblem, exact: Reference) -> Known:
    """The reference as a coupling is measured by it."""
    return Known(problem, exact, config.upscaling, config.coarse_space())


def find_box_gaps(config: Config, problem: LiftedProblem, exact: Reference) -> dict[str, float]:
    """How far the exact solution is from a coupling that has its own averages; empty for the others."""
    return config.coupling.gaps(known_to(config, problem, exact))


def find_baseline(config: Config, problem: LiftedProblem, exact: Reference) -> Baseline:
    """The fine P1 solution of `reference.baseline_h`, from the cache where it is there."""
    coefficient, source = problem.coefficient_at(), problem.source_at()
    chosen = needed(config.reference)
    key = _key(config, problem, exact.method, repr(exact.h), repr(chosen.baseline_h))
    return baseline(
        config.problem.dim,
        coefficient,
        source,
        h=chosen.baseline_h,
        exact=exact.lifted[: problem.lifts],
        box=posed(problem),
        cache_dir=chosen.cache,
        key=key,
    )


def find_corrector(
    config: Config,
    problem: LiftedProblem,
    exact: Reference,
    points: np.ndarray,
    weights: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
) -> Corrector | None:
    """Homogenisation with its corrector against the known u_i and ∇u_i, from the cache where it is there; None for a
    medium without periods, for vectors, and with conditions of one's own.
    """
    if problem.coefficient.periods is None or problem.conditions is not None or problem.law.components > 1:
        return None
    return corrector(
        problem.coefficient_at(),
        problem.source_at(),
        problem.coefficient.periods,
        points=points,
        weights=weights,
        exact=known,
        cache_dir=needed(config.reference).cache,
        key=_reference_key(config, problem, exact),
    )


def find_gaps(config: Config, problem: LiftedProblem, exact: Reference, delta: float) -> Gaps:
    """How far the exact solution is from the paper's coupling with that δ, from the cache where it is there."""
    return gaps(
        exact, delta, config.problem.eps, needed(config.reference).cache, _reference_key(config, problem, exact)
    )


def find_fem_errors(
    config: Config, problem: LiftedProblem, exact: Reference, widths: Sequence[float]
) -> list[Baseline]:
    """The fine P1 solutions of several mesh widths in place of `reference.baseline_h`."""
    changed = (replace(config, reference=replace(needed(config.reference), baseline_h=h)) for h in widths)
    return [find_baseline(each, problem, exact) for each in changed]


def find_coarse_errors(
    config: Config, problem: LiftedProblem, exact: Reference, widths: Sequence[float], delta: float
) -> CoarseErrors:
    """Coarse state and adjoint of the exact solution on coarse meshes, from the cache where they are there."""
    key = _reference_key(config, problem, exact)
    eps, folder = config.problem.eps, needed(config.reference).cache
    return coarse_errors(exact, problem.source_at(), widths, delta, eps, folder, key)


def _reference_key(config: Config, problem: LiftedProblem, exact: Reference) -> str:
    return _key(config, problem, exact.method, repr(exact.h))


def _key(config: Config, problem: LiftedProblem, *how: str) -> str:
    """A hash of the medium and of how it is solved."""
    what = [config.solved().identity("problem", "coefficient", "source", "law"), problem.digest, *how]
    return hashlib.sha256(" ".join(what).encode()).hexdigest()[:16]
