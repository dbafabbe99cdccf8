"""What a network is measured by: the reference, the fine FEM beside it, and the points where errors are taken."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.config import Config
from hpms.experiment import Experiment, fingerprint
from hpms.fem.fine.baseline import Baseline, baseline
from hpms.fem.fine.discretisation import CoarseErrors, coarse_errors
from hpms.fem.fine.gaps import Gaps, gaps
from hpms.fem.fine.reference import Reference, reference
from hpms.fem.validation import validation_points
from hpms.network.base import Parametrised
from hpms.options.coupling import NoneOptions
from hpms.options.reference import DefaultOptions, needed
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import sites
from hpms.training.state import evaluate
from hpms.training.validation import Validation, fields, relative_errors, validation

log = logging.getLogger(__name__)
_OWN_ERROR, _PER_PERIOD, _ISOTROPIC = 0.02, 8, 0.02


@dataclass(frozen=True)
class Exact:
    """The reference u with its values (M,) and gradient (M, d) at validation points, by how much it misses the
    coupling, and the fine FEM's errors.
    """

    reference: Reference
    gap: float
    fem: Baseline
    value: np.ndarray
    gradient: np.ndarray

    def summary(self) -> dict[str, Any]:
        """The numbers that stand beside a network's."""
        found, fem = self.reference, self.fem
        return {
            "reference_method": f"{found.method}, h = {found.h:.3g}, {found.unknowns} unknowns",
            "reference_seconds": found.assemble_seconds + found.solve_seconds,
            "reference_upscaled_coefficient": found.upscaled_coefficient,
            "reference_own_l2": found.own_error_l2,
            "reference_own_h1": found.own_error_h1,
            "reference_norm_l2": found.norm_l2,
            "reference_norm_h1": found.norm_h1,
            "consistency_gap": found.consistency_gap,
            "coupling_gap": self.gap,
            "fem_method": f"P1, h = {fem.h:.3g}, {fem.unknowns} unknowns",
            "fem_seconds": fem.assemble_seconds + fem.solve_seconds,
            "fem_relative_l2": fem.relative_l2,
            "fem_relative_h1": fem.relative_h1,
            "fem_upscaled_coefficient": fem.upscaled_coefficient,
        }


@dataclass(frozen=True)
class Measure:
    """Points (M, d) and weights (M,) at which a network is taken, and what it is compared with there, if anything."""

    points: np.ndarray
    weights: np.ndarray
    exact: Exact | None

    def validation(self, block: int) -> Validation | None:
        """The points and what is known there, blocked for the jitted side."""
        if self.exact is None:
            return None
        return validation(self.points, self.weights, self.exact.value, self.exact.gradient, block)

    def summary(self) -> dict[str, Any]:
        """The numbers that stand beside a network's."""
        return {} if self.exact is None else self.exact.summary()

    def errors(self, model: Parametrised, theta: Array, block: int) -> dict[str, float]:
        """The relative errors of the network with parameters θ, where there are any."""
        measured = self.validation(block)
        if measured is None:
            return {}
        l2, h1 = relative_errors(measured, model, theta)
        return {"relative_l2": float(l2), "relative_h1": float(h1)}

    def fields(self, built: Experiment, theta: Array, block: int) -> dict[str, np.ndarray]:
        """The network at the validation points, and at the coarse nodes the averages Q̄v and the state y; and the same
        of the reference, where there is one.
        """
        places = sites(jnp.asarray(self.points), block, jnp.dtype("float64"))
        value, gradient = fields(built.loss.model, theta, places)
        found = {
            "points": self.points,
            "weights": self.weights,
            "value": np.asarray(value),
            "gradient": np.asarray(gradient),
        }
        if self.exact is not None:
            found |= {"reference_value": self.exact.value, "reference_gradient": self.exact.gradient}
        if built.solver is not None:
            record = built.solver.initial()
            outcome = evaluate(built.loss, theta, built.solver.view(record))
            found |= {"nodes": built.solver.nodes, "coarse_state": built.solver.update(record, outcome).y}
            found |= {"averages": np.asarray(outcome.means, np.float64)}
            known = self.exact and built.config.coupling.reference_fields(
                built.problem, self.exact.reference, built.space
            )
            if known:
                found |= {"reference_averages": known[0], "reference_coarse_state": known[1]}
        return found


def measure(config: Config, problem: LiftedProblem) -> Measure:
    """Computes or finds in the cache what the configuration's network is measured by."""
    dim, eps = config.problem.dim, config.problem.eps
    points, weights = validation_points(dim, eps)
    if not isinstance(config.reference, DefaultOptions):
        return Measure(points, weights, None)
    exact = find_reference(config, problem)
    if not exact.own_error_h1 < _OWN_ERROR:
        log.warning(
            "the reference's own relative H¹ error is about %.1g: errors are not better known; choose a smaller "
            "reference.h",
            exact.own_error_h1,
        )
    if (per_period := len(points) ** (1 / dim) * eps) < _PER_PERIOD:
        log.warning("errors are taken at only %.2g points per length eps and axis", per_period)
    _warn_of_anisotropy(config, exact)
    value, gradient = exact.evaluate(points)
    gap = config.coupling.trained_gap(problem, exact, config.coarse.build(dim).h)
    return Measure(points, weights, Exact(exact, gap, find_baseline(config, problem, exact), value, gradient))


def _warn_of_anisotropy(config: Config, exact: Reference) -> None:
    """Logs where K̃ = K̃₁₁ I, with which the coarse problem is solved, is not what the fine solution has."""
    upscaled = exact.upscaled_coefficient
    off = float(np.abs(upscaled - upscaled[0, 0] * np.eye(len(upscaled))).max() / abs(upscaled[0, 0]))
    if off > _ISOTROPIC and not isinstance(config.coupling, NoneOptions):
        log.warning(
            "the fine solution's K̃ = %s is not isotropic: the coarse problem with K̃₁₁ I alone is another one",
            np.array2string(upscaled, precision=4, separator=", ").replace("\n", ""),
        )


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
        delta=chosen.delta,
        cache_dir=chosen.cache,
        key=_key(config, problem, str(chosen.method), repr(chosen.h)),
    )


def find_box_gaps(config: Config, problem: LiftedProblem, exact: Reference) -> dict[str, float]:
    """How far the exact solution is from a coupling that has its own averages; empty for the others."""
    return config.coupling.gaps(problem, exact, config.coarse.build(config.problem.dim).h)


def find_baseline(config: Config, problem: LiftedProblem, exact: Reference) -> Baseline:
    """The fine P1 solution of `reference.fem_h`, from the cache where it is there."""
    coefficient, source = problem.coefficient_at(), problem.source_at()
    chosen = needed(config.reference)
    key = _key(config, problem, exact.method, repr(exact.h), repr(chosen.fem_h))
    return baseline(
        config.problem.dim,
        coefficient,
        source,
        h=chosen.fem_h,
        exact=exact.fine,
        cache_dir=chosen.cache,
        key=key,
    )


def find_gaps(config: Config, problem: LiftedProblem, exact: Reference, delta: float) -> Gaps:
    """How far the exact solution is from the paper's coupling with that δ, from the cache where it is there."""
    return gaps(
        exact, delta, config.problem.eps, needed(config.reference).cache, _reference_key(config, problem, exact)
    )


def find_fem_errors(
    config: Config, problem: LiftedProblem, exact: Reference, widths: Sequence[float]
) -> list[Baseline]:
    """The fine P1 solutions of several mesh widths in place of `reference.fem_h`."""
    changed = (replace(config, reference=replace(needed(config.reference), fem_h=h)) for h in widths)
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
    what = [config.identity("problem", "coefficient", "source"), fingerprint(problem), *how]
    return hashlib.sha256(" ".join(what).encode()).hexdigest()[:16]
