"""The damped normal equations of the loss as one least-squares problem Σ r_i(θ)²."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.machine.devices import in_memory
from hpms.machine.memory import GIGA, available
from hpms.problem.sites import fold_blocks
from hpms.training import lapack
from hpms.training.jacobian import block_jacobian, other_jacobian, pullback, term_jacobian
from hpms.training.loss import Loss


class AbstractSystem(eqx.Module):
    """The Jacobian J of a least-squares problem at θ, in the smaller of parameter and residual space, in float64."""

    diagonal: eqx.AbstractVar[Float[Array, " p"]]

    @abc.abstractmethod
    def factor(self, damping: Float[Array, ""]) -> Float[Array, "n n"]:
        """The Cholesky factor that `solve` needs for the damping μ; NaN where there is none."""

    @abc.abstractmethod
    def solve(self, factor: Float[Array, "n n"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        """(J^T J + μ D)^{-1} J^T z, where D = diag(J^T J) is `diagonal`."""

    @abc.abstractmethod
    def solve_rows(self, factor: Float[Array, "n n"]) -> Float[Array, " p"]:
        """`solve` for z = r(θ)."""


class ParameterSpace(AbstractSystem):
    """The lower triangle of J^T J (P, P), and J^T r."""

    loss: Loss
    theta: Float[Array, " p"]
    gram: Float[Array, "p p"]
    gradient: Float[Array, " p"]
    diagonal: Float[Array, " p"]

    def factor(self, damping: Float[Array, ""]) -> Float[Array, "p p"]:
        return lapack.factor(self.gram, damping * self.diagonal)

    def solve(self, factor: Float[Array, "p p"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        right = pullback(self.loss, self.theta, z).astype(jnp.float64)
        return lapack.solve(factor, right).astype(z.dtype)

    def solve_rows(self, factor: Float[Array, "p p"]) -> Float[Array, " p"]:
        return lapack.solve(factor, self.gradient).astype(self.theta.dtype)


class ResidualSpace(AbstractSystem):
    """J itself (R, P), and J D^{-1} J^T: (J^T J + μD)^{-1} J^T = D^{-1} J^T (J D^{-1} J^T + μ)^{-1}."""

    rows: Float[Array, " r"]
    jacobian: Float[Array, "r p"]
    kernel: Float[Array, "r r"]
    diagonal: Float[Array, " p"]

    def factor(self, damping: Float[Array, ""]) -> Float[Array, "r r"]:
        return lapack.factor(self.kernel, jnp.full(len(self.kernel), damping))

    def solve(self, factor: Float[Array, "r r"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        dual = lapack.solve(factor, z.astype(jnp.float64))
        return (self.jacobian.T @ dual / self.diagonal).astype(z.dtype)

    def solve_rows(self, factor: Float[Array, "r r"]) -> Float[Array, " p"]:
        return self.solve(factor, self.rows)


def check_memory(parameters: int, rows: int, averaged: int) -> None:
    """Raises `UserError` where the matrices of `assemble` do not fit into what memory there is.

    `averaged` is the number of points at which the coupling takes v.
    """
    own = 24 * parameters**2 if rows >= parameters else 16 * rows * (parameters + rows)
    needed, there = in_memory() * (own + 16 * parameters * averaged), available()
    if needed > there:
        raise UserError(
            f"a least-squares step with {parameters} parameters and {rows} rows needs {needed / GIGA:.0f} GB, and "
            f"{there / GIGA:.3g} are available: make the network smaller, such as network=two_scale, or lower "
            f"collocation.interior_points."
        )


_FLOOR = 1e-12  # of the largest entry of D: parameters on which nothing depends yet stay where they are


def assemble(loss: Loss, theta: Float[Array, " p"], rows: Float[Array, " r"]) -> AbstractSystem:
    """J at θ, where `loss.rows` are `rows`, block by block of the collocation points.

    Memory in parameter space: some 8P(3P + block) bytes; in residual space 8R(2P + 2R). With a coupling 16P
    more per point of its means.
    """
    if loss.count < theta.size:
        return _residual_space(loss, theta, rows)
    return _parameter_space(loss, theta, rows)


def _parameter_space(loss: Loss, theta: Float[Array, " p"], rows: Float[Array, " r"]) -> ParameterSpace:
    def add(found: tuple[Array, Array], rows: Array, jacobian: Array) -> tuple[Array, Array]:
        wide = jacobian.astype(jnp.float64)
        return lapack.add_gram(found[0], wide), found[1] + rows.astype(jnp.float64) @ wide

    def add_block(found: tuple[Array, Array], block: tuple[Array, tuple]) -> tuple[Array, Array]:
        return add(found, block[0].ravel(), block_jacobian(loss, first, theta, block[1]))

    first, places = loss.terms[0], loss.collocation.sites
    count = loss.collocation.count * loss.columns
    found = jnp.zeros((theta.size, theta.size)), jnp.zeros(theta.size)
    if others := other_jacobian(loss, theta):
        found = add(found, rows[count:], jnp.concatenate(others))
    interior = places.blocked(rows[:count].reshape(loss.collocation.count, -1))
    gram, gradient = fold_blocks(add_block, found, (interior, loss.collocation.blocks))
    diagonal = _floored(jnp.diag(gram))
    return ParameterSpace(loss=loss, theta=theta, gram=gram, gradient=gradient, diagonal=diagonal)


def _residual_space(loss: Loss, theta: Float[Array, " p"], rows: Float[Array, " r"]) -> ResidualSpace:
    parts = [term_jacobian(loss, loss.terms[0], theta), *other_jacobian(loss, theta)]
    jacobian = jnp.concatenate(parts).astype(jnp.float64)
    diagonal = _floored(jnp.sum(jacobian**2, axis=0))
    kernel = lapack.add_gram(jnp.zeros((loss.count, loss.count)), (jacobian / jnp.sqrt(diagonal)).T)
    return ResidualSpace(rows=rows, jacobian=jacobian, kernel=kernel, diagonal=diagonal)


def _floored(diagonal: Float[Array, " p"]) -> Float[Array, " p"]:
    return jnp.maximum(diagonal, _FLOOR * jnp.max(diagonal))
