"""The objective as one least-squares problem Σ r_i(θ)², its Jacobian in blocks, and its damped normal equations."""

import abc
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float

from hpms.coupling.base import AbstractCouplingState
from hpms.errors import UserError
from hpms.memory import GIGA, available
from hpms.problem.sites import Sites
from hpms.training.objective import BOUNDARY, COUPLING, RESIDUAL, Objective

_COLUMNS = 512  # parameters whose coupling rows are averaged at a time


class LeastSquares(eqx.Module):
    """r(θ) in R^R, the residual vectors of all terms behind each other, each times the root of its weight.

    The coupling's rows are sqrt(λ)(Q̄v - y) with y to first order in K̃[v], so that their Jacobian is
    sqrt(λ)(Q̄v' - (∂y/∂K̃) K̃').
    """

    objective: Objective
    weights: Float[Array, " k"]
    coupling_state: AbstractCouplingState | None

    @property
    def roots(self) -> dict[str, Float[Array, ""]]:
        """The roots of the weights by name, of the terms that have rows."""
        found = self.objective.weighting(self.weights, self.coupling_state)
        if self.coupling_state is None:
            found.pop(COUPLING, None)
        return {name: jnp.sqrt(weight) for name, weight in found.items()}

    def rows(self, theta: Float[Array, " p"]) -> Float[Array, " r"]:
        """r(θ)."""
        found, roots = self.objective.residuals(theta, self.coupling_state), self.roots
        return jnp.concatenate([roots[name] * found[name] for name in roots])

    def value(self, theta: Float[Array, " p"]) -> Float[Array, ""]:
        """Σ r_i(θ)²."""
        return jnp.sum(self.rows(theta) ** 2)

    def terms(self, theta: Float[Array, " p"]) -> Float[Array, " k"]:
        """The unweighted terms in the order of the objective's names; one without rows is zero."""
        found = self.objective.residuals(theta, self.coupling_state)
        zero = jnp.zeros((), theta.dtype)
        return jnp.stack([jnp.sum(found[n] ** 2) if n in found else zero for n in self.objective.names])

    def pullback(self, theta: Float[Array, " p"], cotangent: Float[Array, " r"]) -> Float[Array, " p"]:
        """J^T z."""
        return jax.vjp(self.rows, theta)[1](cotangent)[0]

    def second_order(
        self, theta: Float[Array, " p"], step: Float[Array, " p"]
    ) -> tuple[Float[Array, " r"], Float[Array, " r"]]:
        """J s and r''(s, s)."""
        return jax.jvp(lambda t: jax.jvp(self.rows, (t,), (step,))[1], (theta,), (step,))

    def count(self) -> int:
        """R, known without computing anything."""
        total = self.objective.collocation.count
        total += self.objective.collocation.boundary.shape[0] if BOUNDARY in self.objective.names else 0
        coupling = self.objective.coupling
        return total + (0 if coupling is None or self.coupling_state is None else coupling.count)

    def interior_jacobian(self, theta: Float[Array, " p"], block: tuple) -> Float[Array, "b p"]:
        """The rows of J that belong to a block of collocation points."""
        gradient = jax.grad(lambda t, *point: self.roots[RESIDUAL] * self.objective.point_residual(t, *point))
        return jax.vmap(gradient, (None, 0, 0, 0))(theta, *block)

    def other_jacobian(self, theta: Float[Array, " p"]) -> Float[Array, "o p"]:
        """The rows of J of the boundary and the coupling."""
        parts, roots, objective = [jnp.zeros((0, theta.size), theta.dtype)], self.roots, self.objective
        if BOUNDARY in roots:
            scale = roots[BOUNDARY] * objective.boundary_scale
            boundary = objective.collocation.boundary
            parts.append(scale * _value_jacobian(objective, theta, Sites(boundary[None], len(boundary))))
        if COUPLING in roots:
            parts.append(roots[COUPLING] * self._coupling_jacobian(theta))
        return jnp.concatenate(parts)

    def _coupling_jacobian(self, theta: Float[Array, " p"]) -> Float[Array, "n p"]:
        objective, coupling, state = self.objective, self.objective.coupling, self.coupling_state
        assert coupling is not None and state is not None
        values = _value_jacobian(objective, theta, objective.value_sites).T if coupling.at_points else None
        nodes = _value_jacobian(objective, theta, coupling.nodes).T
        flux = objective.flux_gradient(theta)

        def column(parts: tuple[Array | None, Array, Array]) -> Array:
            value, node, slope = parts
            tangents = (coupling.means(value, node), slope)
            zero = jax.tree.map(jnp.zeros_like, tangents)
            return jax.jvp(lambda m, f: coupling.linearised(m, f, state), zero, tangents)[1]

        return jax.lax.map(column, (values, nodes, flux), batch_size=_COLUMNS).T


def _value_jacobian(objective: Objective, theta: Float[Array, " p"], sites: Sites) -> Float[Array, "m p"]:
    """∂v(x_i)/∂θ_j."""
    gradient = jax.grad(lambda t, x: objective.model(t).jet(x[None]).value[0, 0])
    blocks = jax.lax.map(lambda points: jax.vmap(gradient, (None, 0))(theta, points), sites.points)
    return blocks.reshape(-1, theta.size)[: sites.count]


class AbstractSystem(eqx.Module):
    """The Jacobian J of a least-squares problem at θ, in the smaller of parameter and residual space, in float64."""

    diagonal: eqx.AbstractVar[Float[Array, " p"]]

    @abc.abstractmethod
    def factor(self, damping: Float[Array, ""]) -> Float[Array, "n n"]:
        """The Cholesky factor that `solve` needs for the damping μ; NaN where there is none."""

    @abc.abstractmethod
    def solve(self, factor: Float[Array, "n n"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        """(J^T J + μ D)^{-1} J^T z, where D = diag(J^T J) is `diagonal`."""


class ParameterSpace(AbstractSystem):
    """The lower triangle of J^T J (P, P)."""

    problem: LeastSquares
    theta: Float[Array, " p"]
    gram: Float[Array, "p p"]
    diagonal: Float[Array, " p"]

    def factor(self, damping: Float[Array, ""]) -> Float[Array, "p p"]:
        return jnp.linalg.cholesky(self.gram + jnp.diag(damping * self.diagonal), symmetrize_input=False)

    def solve(self, factor: Float[Array, "p p"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        right = self.problem.pullback(self.theta, z).astype(jnp.float64)
        return cho_solve((factor, True), right).astype(z.dtype)


class ResidualSpace(AbstractSystem):
    """J itself (R, P), and J D^{-1} J^T: (J^T J + μD)^{-1} J^T = D^{-1} J^T (J D^{-1} J^T + μ)^{-1}."""

    jacobian: Float[Array, "r p"]
    kernel: Float[Array, "r r"]
    diagonal: Float[Array, " p"]

    def factor(self, damping: Float[Array, ""]) -> Float[Array, "r r"]:
        return jnp.linalg.cholesky(self.kernel + damping * jnp.eye(len(self.kernel)), symmetrize_input=False)

    def solve(self, factor: Float[Array, "r r"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        dual = cho_solve((factor, True), z.astype(jnp.float64))
        return (self.jacobian.T @ dual / self.diagonal).astype(z.dtype)


def check_memory(parameters: int, rows: int, averaged: int) -> None:
    """Raises `UserError` where the matrices of `assemble` do not fit into what memory there is.

    `averaged` is the number of points at which the coupling takes v.
    """
    own = 24 * parameters**2 if rows >= parameters else 16 * rows * (parameters + rows)
    needed, there = own + 16 * parameters * averaged, available()
    if needed > there:
        raise UserError(
            f"a least-squares step with {parameters} parameters and {rows} rows needs {needed / GIGA:.0f} GB, and "
            f"{there / GIGA:.3g} are available: make the network smaller, such as network=two_scale, or lower "
            f"collocation.interior."
        )


_FLOOR = 1e-12  # of the largest entry of D: parameters on which nothing depends yet stay where they are
_STRIPES = 6  # column stripes of J: the Gram matrix costs (1 + 1/_STRIPES)/2 of a full product


def assemble(problem: LeastSquares, theta: Float[Array, " p"]) -> AbstractSystem:
    """J at θ, block by block of the collocation points.

    Memory in parameter space: some 8P(3P + block) bytes; in residual space 8R(2P + 2R). With a coupling 16P
    more per point of its means.
    """
    if problem.count() < theta.size:
        return _residual_space(problem, theta)
    return _parameter_space(problem, theta)


def _parameter_space(problem: LeastSquares, theta: Float[Array, " p"]) -> ParameterSpace:
    size = theta.size
    cuts = [size * i // _STRIPES for i in range(_STRIPES + 1)]

    def add(stripes: list[Array], jacobian: Array) -> list[Array]:
        wide = jacobian.astype(jnp.float64)
        return [
            stripe + wide[:, start:stop].T @ wide[:, :stop]
            for stripe, (start, stop) in zip(stripes, pairwise(cuts), strict=True)
        ]

    empty = [jnp.zeros((stop - start, stop)) for start, stop in pairwise(cuts)]
    stripes = add(empty, problem.other_jacobian(theta))
    stripes, _ = jax.lax.scan(
        lambda total, block: (add(total, problem.interior_jacobian(theta, block)), None),
        stripes,
        problem.objective.collocation.blocks,
    )
    gram = jnp.tril(jnp.concatenate([jnp.pad(s, ((0, 0), (0, size - s.shape[1]))) for s in stripes]))
    return ParameterSpace(problem=problem, theta=theta, gram=gram, diagonal=_floored(jnp.diag(gram)))


def _residual_space(problem: LeastSquares, theta: Float[Array, " p"]) -> ResidualSpace:
    collocation = problem.objective.collocation
    blocks = jax.lax.map(lambda block: problem.interior_jacobian(theta, block), collocation.blocks)
    interior = blocks.reshape(-1, theta.size)[: collocation.count]
    jacobian = jnp.concatenate([interior, problem.other_jacobian(theta)]).astype(jnp.float64)
    diagonal = _floored(jnp.sum(jacobian**2, axis=0))
    return ResidualSpace(jacobian, (jacobian / diagonal) @ jacobian.T, diagonal)


def _floored(diagonal: Float[Array, " p"]) -> Float[Array, " p"]:
    return jnp.maximum(diagonal, _FLOOR * jnp.max(diagonal))
