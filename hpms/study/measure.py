"""What a network is measured by: the reference, the fine FEM beside it, and the points where errors are taken."""

import logging
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.config.config import Config
from hpms.coupling.known import Known
from hpms.experiment import Experiment
from hpms.fem.fine.baseline import Baseline
from hpms.fem.fine.corrector import Corrector
from hpms.fem.fine.reference import Reference
from hpms.fem.validation import ratio
from hpms.network.base import Parametrised
from hpms.problem.lifted import LiftedProblem, alone
from hpms.problem.sites import sites
from hpms.study.fine import find_baseline, find_corrector, find_reference, known_to
from hpms.training.state import evaluate
from hpms.training.validation import Validation, fields, relative_errors, validation

log = logging.getLogger(__name__)
_OWN_ERROR, _ISOTROPIC = 0.02, 0.02
_PLACES = ("points", "weights", "nodes", "cells")


@dataclass(frozen=True)
class Exact:
    """The reference with its values u_i (M, l) and gradients (M, l, d) at validation points, by how much it misses the
    coupling, and the errors of the fine FEM and, for a periodic medium, of homogenisation with its corrector. With
    conditions of one's own it has ℓ and ∇ℓ there, and errors are those of w = u + ℓ.
    """

    known: Known
    gap: float
    fem: Baseline
    corrector: Corrector | None
    value: np.ndarray
    gradient: np.ndarray
    lift: tuple[np.ndarray, np.ndarray] | None = None
    floats: bool = False

    @property
    def reference(self) -> Reference:
        return self.known.reference

    def summary(self) -> dict[str, Any]:
        """The numbers that stand beside a network's."""
        found, fem = self.reference, self.fem
        common = {
            "reference_method": f"{found.method}, h = {found.h:.3g}, {found.unknowns} unknowns",
            "reference_seconds": found.assemble_seconds + found.solve_seconds,
            "reference_own_l2": found.own_error_l2,
            "reference_own_h1": found.own_error_h1,
            "reference_norm_l2": found.norm_l2,
            "reference_norm_h1": found.norm_h1,
            "fem_method": f"P1, h = {fem.h:.3g}, {fem.unknowns} unknowns",
            "fem_seconds": fem.assemble_seconds + fem.solve_seconds,
            "fem_relative_l2": fem.relative_l2,
            "fem_relative_h1": fem.relative_h1,
        }
        if self.lift is not None:
            return common
        return common | {
            "reference_upscaled_coefficient": found.upscaled_coefficient,
            "consistency_gap": found.consistency_gap,
            "coupling_gap": self.gap,
            "fem_upscaled_coefficient": fem.upscaled_coefficient,
            **({} if self.corrector is None else self.corrector.summary()),
            **self._cells(),
        }

    def _cells(self) -> dict[str, np.ndarray]:
        """K̃^j (N, d, d) and the condition numbers (N,) of the mean gradients, where there are cells."""
        means = self.known.means
        if means is None:
            return {}
        return {"reference_cell_coefficient": self.known.tensors, "reference_cell_condition": means.condition}


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
        exact = self.exact
        return validation(self.points, self.weights, exact.value, exact.gradient, block, exact.lift, exact.floats)

    def mean(self, value: np.ndarray) -> np.ndarray:
        """The means over Ω of functions, from their values at the points (M, l)."""
        return self.weights @ value / self.weights.sum()

    def summary(self) -> dict[str, Any]:
        """The numbers that stand beside a network's."""
        return {} if self.exact is None else self.exact.summary()

    def errors(self, model: Parametrised, theta: Array, block: int) -> dict[str, float | list[float]]:
        """The relative errors of the network with parameters θ, where there are any."""
        measured = self.validation(block)
        return {} if measured is None else relative_errors(measured, model, theta).named()

    def energy_error(self, built: Experiment, theta: Array, block: int) -> dict[str, float]:
        """‖K^{1/2}∇(v - u)‖/‖K^{1/2}∇u‖, of w with conditions of one's own, all lifted problems together; in elasticity
        by ∫σ:e.
        """
        if self.exact is None:
            return {}
        places = sites(jnp.asarray(self.points), block, jnp.dtype("float64"))
        slope = np.asarray(fields(built.loss.model, theta, places)[1])
        coefficient, exact = built.problem.coefficient_at()(self.points), self.exact.gradient
        total = exact if self.exact.lift is None else exact + self.exact.lift[1]
        squares = [
            float(np.einsum("m,mla,mla->", self.weights, each, built.problem.law.stress(coefficient, each)))
            for each in (slope - exact, total)
        ]
        return {"relative_energy_error": ratio(squares[0] ** 0.5, squares[1] ** 0.5)}

    def fields(self, built: Experiment, theta: Array, block: int) -> dict[str, np.ndarray]:
        """The network v, w = v + ℓ and the flux -K∇w, or stresses, at the validation points, and at the coarse nodes
        the averages Q̄v and the state y; and u, its averages and its y of the reference, where there is one. Where there
        are several lifted problems they have a second axis.
        """
        places = sites(jnp.asarray(self.points), block, jnp.dtype("float64"))
        value, gradient = map(np.asarray, fields(built.loss.model, theta, places))
        if built.problem.floats:
            value = value - self.mean(value)
        found = {"points": self.points, "weights": self.weights, "value": value, "gradient": gradient}
        found |= built.problem.fields(self.points, value, gradient)
        if (cells := built.problem.domain.measuring_cells) is not None:
            found["cells"] = cells
        if self.exact is not None:
            found |= {"reference_value": self.exact.value, "reference_gradient": self.exact.gradient}
            if "von_mises" in found:
                known = built.problem.fields(self.points, self.exact.value, self.exact.gradient)
                found["reference_von_mises"] = known["von_mises"]
        if built.solver is not None and built.config.coupling.has_averages:
            record = built.solver.initial()
            outcome = evaluate(built.loss, theta, built.solver.view(record))
            found |= {"nodes": built.solver.nodes, "coarse_state": built.solver.update(record, outcome).y}
            found |= {"averages": np.asarray(outcome.means, np.float64)}
            if self.exact is not None and (both := built.config.coupling.reference_fields(self.exact.known)):
                found |= {"reference_averages": both[0], "reference_coarse_state": both[1]}
        return {name: array if name in _PLACES else alone(array) for name, array in found.items()}


def measure(config: Config, problem: LiftedProblem) -> Measure:
    """Computes or finds in the cache what the configuration's network is measured by."""
    points, weights = problem.domain.measuring_points()
    if not config.reference.is_one:
        return Measure(points, weights, None)
    exact = find_reference(config, problem)
    if not exact.own_error_h1 < _OWN_ERROR:
        log.warning(
            "the reference's own relative H¹ error is about %.1g: errors are not better known; choose a smaller "
            "reference.h",
            exact.own_error_h1,
        )
    _warn_of_anisotropy(config, exact)
    value, gradient = lifted_reference(problem, exact, points, problem.lifts)
    lift = None if problem.conditions is None else problem.lifted(points)
    known = known_to(config, problem, exact)
    gap, fem = config.coupling.trained_gap(known), find_baseline(config, problem, exact)
    beside = find_corrector(config, problem, exact, points, weights, (value, gradient))
    return Measure(points, weights, Exact(known, gap, fem, beside, value, gradient, lift, problem.floats))


def lifted_reference(
    problem: LiftedProblem, exact: Reference, points: np.ndarray, lifts: int
) -> tuple[np.ndarray, np.ndarray]:
    """u_i (M, l) and ∇u_i (M, l, d) of the reference, which with conditions of one's own is w = u + ℓ."""
    value, gradient = exact.evaluate_lifted(points, lifts)
    if problem.conditions is None:
        return value, gradient
    lift, slope = problem.lifted(points)
    return value - lift, gradient - slope


def _warn_of_anisotropy(config: Config, exact: Reference) -> None:
    """Logs where K̃ = K̃₁₁ I, with which the coarse problem is solved, is not what the fine solution has."""
    upscaled = exact.upscaled_coefficient
    off = float(np.abs(upscaled - upscaled[0, 0] * np.eye(len(upscaled))).max() / abs(upscaled[0, 0]))
    if off > _ISOTROPIC and config.upscaling.is_isotropic and config.coupling.is_there:
        log.warning(
            "the fine solution's K̃ = %s is not isotropic: the coarse problem with K̃₁₁ I alone is another one; "
            "upscaling=tensor has all of K̃",
            np.array2string(upscaled, precision=4, separator=", ").replace("\n", ""),
        )
