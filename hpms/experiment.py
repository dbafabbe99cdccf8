"""From a configuration to the objects of an experiment."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.bound.bound import error_bound
from hpms.bound.found import ErrorBound
from hpms.bound.simplicial.bound import simplicial_bound
from hpms.config.config import Config
from hpms.coupling.base import AbstractCoarseSolver, AbstractCoupling, CouplingContext
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.errors import UserError
from hpms.fem.p1 import P1Space
from hpms.initial import draw_parameters, draw_points
from hpms.jet import Forms
from hpms.network.base import Parametrised, jet_of
from hpms.problem.boundary_data import check_conditions, check_faces
from hpms.problem.collocation import BOUNDARY, INTERIOR, Sampler, collocate
from hpms.problem.layers import check_layers
from hpms.problem.lifted import LiftedProblem
from hpms.problem.meshed import AbstractMeshed
from hpms.problem.smoothness import roughness
from hpms.training.loss import Loss
from hpms.training.rest import at_rest, rate_of_slopes, trivial_loss
from hpms.training.start import Start
from hpms.training.term.residual import ResidualTerm
from hpms.training.trainer import Trainer
from hpms.training.validation import Validation

_ROUNDING = 1e-20
_PROBES = 256  # points at which a medium is checked


@dataclass(frozen=True)
class Experiment:
    """What a configuration builds: the loss, its initial parameters θ, the coarse solver, and the weights τ_k in the
    order of the loss's terms.
    """

    config: Config
    problem: LiftedProblem
    space: P1Space
    loss: Loss
    theta: Array
    solver: AbstractCoarseSolver | None
    points: Mapping[str, np.ndarray]
    taus: np.ndarray

    @property
    def fixed(self) -> dict[str, np.ndarray]:
        """The untrained arrays of the network."""
        leaves = jax.tree.leaves(eqx.filter(self.loss.model.frame, eqx.is_array))
        return {str(i): np.asarray(leaf) for i, leaf in enumerate(leaves)}

    def trainer(self, validation: Validation | None) -> Trainer:
        """What a run of this experiment trains."""
        config = self.config
        return Trainer(
            loss=self.loss,
            optimizer=config.optimizer.build(self.loss.model),
            balancing=config.balancing,
            solver=self.solver,
            validation=validation,
            limits=config.training,
            taus=self.taus,
            bound=self.bound,
        )

    @cached_property
    def roughness(self) -> str:
        """What keeps a bound of the error from being one, or nothing."""
        if found := roughness(self.problem):
            return found
        is_known = self.config.law.is_linear or self.config.boundary.hard
        return "" if is_known else "values that w misses are bounded for a linear law alone"

    def bound(self, theta: Array, goal: float | None = None) -> ErrorBound:
        """The bound of the network's error with parameters θ; where a few points show that it is far above the goal,
        by these. Raises `UserError` where none is known.
        """
        if why := self.config.law.lacks_bound(self.config.problem):
            raise UserError(f"there is no bound of the error: {why}.")
        most, is_hard = self.config.training.bound_points or None, self.config.boundary.hard
        problem, domain, model = self.problem, self.problem.domain, self.loss.model
        if isinstance(domain, AbstractMeshed):
            lacks = self.roughness or self.config.problem.lacks
            how = {"goal": goal, "lacks": lacks, "is_hard": is_hard}
            return simplicial_bound(model, theta, problem, domain.mesh, problem.flux_parts, most, **how)
        return error_bound(model, theta, problem, most, goal, self.roughness, is_hard)


def fine_problem(config: Config) -> LiftedProblem:
    """K^ε and q on Ω, checked at random points; raises `UserError` where K is not positive or not as periodic as
    said, or where `reference.method` needs another problem.

    `runtime.setup()` has to come first.
    """
    dim, eps = config.problem.dim, config.problem.eps
    coefficient, source = config.coefficient.over(config.problem.lengths, eps), config.source.build(dim, eps)
    law = config.law.build(coefficient, config.problem.lengths, eps)
    problem = config.problem.problem(law, source, config.outputs)
    points = problem.domain.probes(_PROBES)
    problem.medium(jnp.asarray(points)).check(points)
    _check_periods(problem, points)
    if problem.conditions is not None:
        check_conditions(problem, points)
    if config.reference.is_layered:
        check_layers(problem, points)
    return problem


def _check_periods(problem: LiftedProblem, points: np.ndarray) -> None:
    periods, coefficient = problem.coefficient.periods, problem.coefficient_at()
    here = coefficient(points)
    for axis, period in enumerate(periods or ()):
        shifted = points.copy()
        shifted[:, axis] += period
        if np.abs(coefficient(shifted) - here).max() > 1e-6 * np.abs(here).max():
            raise UserError(
                f"coefficient.periods={list(periods or ())} is not allowed: along x{axis + 1} the coefficient does not "
                f"repeat after {period:g}; give its period there, or null."
            )


def build(
    config: Config,
    problem: LiftedProblem,
    points: Mapping[str, np.ndarray] | None = None,
    fixed: Mapping[str, np.ndarray] | None = None,
    start: Start | None = None,
) -> Experiment:
    """The experiment on `fine_problem(config)`.

    Points and untrained arrays are drawn from `seed` unless those of a stored run are given. With a `start` the
    parameters are its own, and untrained arrays are drawn from its seed. Raises `UserError` for a coefficient that is
    not positive at a point, for many empty averaging balls, and where the start does not fit.
    """
    domain, dtype = problem.domain, config.runtime.dtype
    network_key, point_key = jax.random.split(jax.random.key(config.seed))
    if start is not None:
        network_key, _ = jax.random.split(jax.random.key(start.parent.seed))
    block = config.runtime.block_size()
    if config.problem.corners and problem.law.forms is not None:
        raise UserError(
            "problem.singular=true is not allowed: the functions at corners are those of a coefficient that is a "
            "number; give problem.singular=false, with which the network stays wrong near such corners."
        )
    theta, model = draw_parameters(config, problem, network_key)
    if start is not None:
        theta = jnp.asarray(start.fitting(theta.size, config.names["network"]), theta.dtype)
    _check_outputs(config, model, theta, problem.law.forms)
    if points is None:
        interior, boundary = draw_points(config, problem, point_key)
        points = {INTERIOR: np.asarray(interior), BOUNDARY: np.asarray(boundary)}
    if (found := len(points[INTERIOR])) != config.collocation.interior_points:
        raise UserError(
            f"there are {found} points where collocation.interior_points={config.collocation.interior_points}."
        )
    if problem.conditions is not None:
        check_faces(problem.conditions, points[BOUNDARY], config.boundary.hard)
    config.upscaling.check_mesh(config)
    space, upscaling = config.coarse_space(), config.upscaling.build(domain.dim, config.boundary.hard)
    _check_cells(upscaling, points[INTERIOR])
    context = CouplingContext(upscaling, space, problem, points[INTERIOR], block, dtype)
    coupling, solver = config.coupling.build(context) or (None, None)
    sizes = len(points[INTERIOR]), len(points[BOUNDARY]), config.outputs
    _check_size(config, theta.size, coupling, *sizes, problem.conditions is not None and problem.conditions.has_flux)
    drawn = {part: jnp.asarray(array) for part, array in points.items()}
    places = collocate(problem, drawn, config.collocation.weights(domain), block, dtype)
    sampler = Sampler(problem, point_key, config.collocation, block, dtype) if config.collocation.fresh else None
    if fixed is not None:
        model = _with_fixed(model, fixed)
    residual = ResidualTerm(places=places[INTERIOR], measure=domain.volume, of_law=problem.law.forms)
    of_values, of_fluxes = config.boundary.terms(places, domain), config.problem.terms(places, domain)
    loss = Loss(
        model=model,
        terms=(residual, *of_values, *of_fluxes),
        coupling=coupling,
        upscaling=upscaling,
        sampler=sampler,
    )
    weights = [1.0, *[config.boundary.tau1] * len(of_values), *[config.problem.flux_weight] * len(of_fluxes)]
    return Experiment(config, problem, space, loss, theta, solver, points, _taus(config, loss, solver, weights))


def _taus(config: Config, loss: Loss, solver: AbstractCoarseSolver | None, taus: list[float]) -> np.ndarray:
    """τ_k, from those of the terms over points. Raises `UserError` where a `share` has no coarse state to compare
    with.
    """
    if loss.coupling is None:
        return np.array(taus)
    tau = config.coupling.tau2
    if solver is not None and (share := config.coupling.share) is not None:
        trivial, (gap, kappa) = trivial_loss(loss), at_rest(loss, solver)
        if not gap * (np.abs(kappa).max() if kappa.size else 1.0) ** 2 > _ROUNDING * trivial:
            raise UserError(
                "coupling.share compares with the coarse state of v = 0, which vanishes here: give coupling.share=null "
                "and coupling.tau2."
            )
        rate = trivial / gap
        if not config.coupling.has_averages:
            rate = max(rate, float(rate_of_slopes(loss)))
        tau = share * rate
    return np.array([*taus, tau])


def _check_size(
    config: Config,
    parameters: int,
    coupling: AbstractCoupling | None,
    interior: int,
    boundary: int,
    lifts: int,
    has_flux: bool,
) -> None:
    """Raises `UserError` where the optimizer's matrices would be too large."""
    at_edge = int(not config.boundary.hard) + int(has_flux)
    rows, averaged = lifts * (interior + at_edge * boundary), 0
    if coupling is not None:
        rows, averaged = rows + coupling.count, coupling.kept + (interior if coupling.at_points else 0)
    config.optimizer.check_size(parameters, rows, lifts * averaged)


def _check_cells(upscaling: AbstractUpscaling, points: np.ndarray) -> None:
    """Raises `UserError` where a cell of the upscaling holds no collocation point."""
    counts = _members(upscaling, jnp.asarray(points))
    if counts is not None and (empty := np.asarray(counts) == 0).any():
        raise UserError(
            f"{empty.sum()} of the {empty.size} cells of upscaling.cells={list(upscaling.cells)} hold none of the "
            f"collocation.interior_points={len(points)} points: give more points, or fewer cells."
        )


@eqx.filter_jit
def _members(upscaling: AbstractUpscaling, points: Float[Array, "m d"]) -> Float[Array, " n"] | None:
    """How many points lie in each cell, None where there is one; compiled, the matrix of members is never there."""
    members = upscaling.members(points)
    return None if members is None else jnp.sum(members, axis=0)


def _check_outputs(config: Config, model: Parametrised, theta: Array, forms: Forms | None) -> None:
    """Raises `UserError` where a network has not one output for each lifted problem, or not what the law needs."""
    wanted, point = config.outputs, np.zeros((1, config.problem.dim), config.runtime.dtype)
    try:
        jet = eqx.filter_eval_shape(lambda t: jet_of(model(t), jnp.asarray(point), forms), theta)
    except TypeError as error:
        if forms is None:
            raise
        raise UserError(
            f"network={config.names['network']} has not the second derivatives that law={config.names['law']} with "
            f"coefficient={config.names['coefficient']} needs: its jet takes x alone, not (x, forms) ({error})."
        ) from None
    found = jet.value.shape[1]
    if found != wanted:
        raise UserError(
            f"network={config.names['network']} has {found} outputs where upscaling={config.names['upscaling']} with "
            f"law={config.names['law']} needs {wanted}, as its `build` is told by scales.outputs."
        )


def _with_fixed(model: Parametrised, fixed: Mapping[str, np.ndarray]) -> Parametrised:
    arrays, rest = eqx.partition(model.frame, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)
    shapes = {str(i): (leaf.shape, leaf.dtype) for i, leaf in enumerate(leaves)}
    if {name: (array.shape, array.dtype) for name, array in fixed.items()} != shapes:
        raise UserError("the untrained arrays of the run file are not those of its network.")
    stored = [jnp.asarray(fixed[name]) for name in shapes]
    frame = eqx.combine(jax.tree.unflatten(structure, stored), rest)
    return Parametrised(frame, model.unravel)
