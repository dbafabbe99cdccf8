"""A coupling: R = 1/N Σ_j (v(x_j) - y_j)² over the nodes of the coarse mesh, B[κ] y = F, B^T p = 2/N (v - y)."""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp

from hpms.config.registry import register
from hpms.config.schema import Count, NonNegative, Positive
from hpms.coupling.base import AbstractCoupling
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSolver, UpdateRule
from hpms.coupling.schedule import Schedule
from hpms.fem.coarse.problem import CoarseProblem
from hpms.options.coupling import CouplingOptions
from hpms.problem.sites import Sites, sites


class PointCoupling(AbstractCoupling):
    nodes: Sites
    lifts: int = eqx.field(static=True)
    data: None = None
    group: int = eqx.field(static=True, default=1)
    at_points: bool = eqx.field(static=True, default=False)
    keeps_adjoint: bool = eqx.field(static=True, default=False)

    @property
    def count(self):
        return self.nodes.count * self.lifts

    def means(self, values, node_values):
        return node_values

    def spread(self, means):
        return None, means

    def residual(self, means, kappa, view):
        return (view.active * self.nodes.count**-0.5 * (means - view.followed(kappa))).ravel()


class PointSolver(LazyCoarseSolver):
    def solve(self, kappa, means):
        solver, lift = self.problem.factorise(kappa), self.problem.lift(self.upscaling.lifts)
        w = solver.state(lift)
        y = w - lift
        p = solver.adjoint(2 / len(y) * (means - y))
        return CoarseSolution(
            y=y, p=p, target=y, sensitivity=solver.sensitivity(w), contraction=solver.contraction(w, p)
        )


@register("coupling", "points")
@dataclass(frozen=True)
class PointOptions(CouplingOptions):
    tau2: NonNegative
    share: Positive | None
    interval: Count
    threshold: NonNegative

    def build(self, context):
        space, upscaling = context.space, context.upscaling
        load = space.load(context.problem.source_at())
        problem = CoarseProblem(space, load, upscaling.basis, upscaling.cells)
        rule = UpdateRule(self.interval, self.threshold, Schedule("constant", 1.0))
        nodes = sites(jnp.asarray(space.nodes), context.block, context.dtype)
        coupling = PointCoupling(nodes=nodes, lifts=upscaling.lifts)
        return coupling, PointSolver(problem, upscaling, rule, context.dtype)
