"""Theorems 2.11 and 3.6 and Proposition 4.9 on the exact solution."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from hpms.config.config import Config
from hpms.config.registry import option
from hpms.config.schema import read
from hpms.experiment import fine_problem
from hpms.fem.fine.baseline import Baseline
from hpms.fem.fine.coercivity import Coercivity, coercivity
from hpms.fem.fine.discretisation import CoarseErrors
from hpms.fem.fine.gaps import Gaps
from hpms.fem.fine.reference import Reference
from hpms.options.reference import needed
from hpms.options.sweep import Sweep
from hpms.problem.lifted import LiftedProblem
from hpms.study.fine import find_coarse_errors, find_fem_errors, find_gaps, find_reference

log = logging.getLogger(__name__)
_OWN_ERROR, _REFERENCE_CELLS, _LEAST_CELLS = 2e-3, 32, 8


@dataclass(frozen=True)
class GapTable:
    """‖Q̄_δ u - y‖/‖u‖ for E values of ε and D rules for δ: `eps` (E,), `delta` (E, D), the gap inside, in the frame and
    ‖Q_δ y - y‖/‖u‖ (E, D), and `norm` = ‖u‖ (E,).
    """

    eps: Float[np.ndarray, " e"]
    delta: Float[np.ndarray, "e d"]
    interior: Float[np.ndarray, "e d"]
    frame: Float[np.ndarray, "e d"]
    compression: Float[np.ndarray, "e d"]
    norm: Float[np.ndarray, " e"]

    @property
    def gap(self) -> Float[np.ndarray, "e d"]:
        """‖Q̄_δ u - y‖/‖u‖ over all of Ω."""
        return np.hypot(self.interior, self.frame)

    @property
    def absolute(self) -> Float[np.ndarray, "e d"]:
        """‖Q̄_δ u - y‖ over all of Ω."""
        return self.gap * self.norm[:, None]


@dataclass(frozen=True)
class Consistency:
    """All that is found: the gaps for fixed δ/ε and for fixed δ; for each ε both sides of Proposition 4.9
    and the reference's own estimated relative L² error (E,); and at `problem.eps` the errors of the fine meshes, and of
    the coarse ones with `reference.delta`.
    """

    relative: GapTable
    fixed: GapTable
    coercivity: list[Coercivity]
    own_error_l2: Float[np.ndarray, " e"]
    fem: list[Baseline]
    coarse: CoarseErrors


def consistency(config: Config, sweep: Sweep) -> Consistency:
    """Solves, or finds in the cache, the references of all ε and measures them. `sweep` has to be resolved.

    `runtime.setup()` has to come first. Raises `UserError` for a medium that is not admissible with one of the ε.
    """
    cases = [config_at(config, eps) for eps in sweep.eps or ()]
    problems = [fine_problem(case) for case in cases]
    rows, bounds, own = [], [], []
    for case, problem in zip(cases, problems, strict=True):
        exact, eps = _reference(case, problem), case.problem.eps
        deltas = [*(k * eps for k in sweep.delta_over_eps), *(sweep.fixed_delta or ())]
        rows.append((exact.norm_l2, deltas, [find_gaps(case, problem, exact, delta) for delta in deltas]))
        periods = problem.coefficient.periods
        bounds.append(coercivity(exact, problem.coefficient_at(), problem.source_at(), eps, periods))
        own.append(exact.own_error_l2)
    problem = fine_problem(config)
    exact, delta = _reference(config, problem), needed(config.reference).delta
    count = len(sweep.delta_over_eps)
    return Consistency(
        relative=_gap_table(sweep, rows, slice(0, count)),
        fixed=_gap_table(sweep, rows, slice(count, None)),
        coercivity=bounds,
        own_error_l2=np.array(own),
        fem=find_fem_errors(config, problem, exact, sweep.fine_h or ()),
        coarse=find_coarse_errors(config, problem, exact, sweep.coarse_h or (), delta),
    )


def _reference(config: Config, problem: LiftedProblem) -> Reference:
    found = find_reference(config, problem)
    if not found.own_error_l2 < _OWN_ERROR:
        log.warning(
            "the reference for eps=%.4g has itself a relative L² error of about %.1g: choose a smaller reference.h",
            config.problem.eps,
            found.own_error_l2,
        )
    return found


def _gap_table(sweep: Sweep, rows: Sequence[tuple[float, list[float], list[Gaps]]], columns: slice) -> GapTable:
    def of(name: str) -> np.ndarray:
        return np.array([[getattr(each, name) for each in found[columns]] for _, _, found in rows])

    return GapTable(
        eps=np.array(sweep.eps),
        delta=np.array([deltas[columns] for _, deltas, _ in rows]),
        interior=of("interior"),
        frame=of("frame"),
        compression=of("compression"),
        norm=np.array([norm for norm, _, _ in rows]),
    )


def config_at(config: Config, eps: float) -> Config:
    """The configuration with another ε: what depends on `eps` is read again, in the groups
    that the exact solution depends on.

    Where `reference.h` is null, P2 meshes of smaller ε stay as wide as that of `problem.eps`, down to ε/8, where the
    relative L² error of u is about 1e-4. Raises `UserError` where a group does not go with that ε.
    """
    groups, variables = ("coefficient", "source", "reference", "coupling"), {"eps": eps, "dim": config.problem.dim}
    found = {g: read(option(g, config.names[g]), config.values[g], g, variables) for g in groups}
    chosen = needed(found["reference"])
    if config.problem.dim > 1 and eps < config.problem.eps and chosen.h is None and chosen.method in ("auto", "p2"):
        found["reference"] = replace(chosen, h=min(config.problem.eps / _REFERENCE_CELLS, eps / _LEAST_CELLS))
    changed = replace(config, problem=replace(config.problem, eps=eps), **found)
    for each in found.values():
        each.check(changed)
    return changed
