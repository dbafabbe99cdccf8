"""The damped normal equations of the loss as one least-squares problem Σ r_i(θ)²."""

import abc
from itertools import pairwise

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.memory import GIGA, available
from hpms.problem.sites import fold_blocks, visit_blocks
from hpms.training.jacobian import interior_jacobian, other_jacobian, pullback
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


class ParameterSpace(AbstractSystem):
    """The lower triangle of J^T J (P, P)."""

    loss: Loss
    theta: Float[Array, " p"]
    gram: Float[Array, "p p"]
    diagonal: Float[Array, " p"]

    def factor(self, damping: Float[Array, ""]) -> Float[Array, "p p"]:
        return jnp.linalg.cholesky(self.gram + jnp.diag(damping * self.diagonal), symmetrize_input=False)

    def solve(self, factor: Float[Array, "p p"], z: Float[Array, " r"]) -> Float[Array, " p"]:
        right = pullback(self.loss, self.theta, z).astype(jnp.float64)
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


def assemble(loss: Loss, theta: Float[Array, " p"]) -> AbstractSystem:
    """J at θ, block by block of the collocation points.

    Memory in parameter space: some 8P(3P + block) bytes; in residual space 8R(2P + 2R). With a coupling 16P
    more per point of its means.
    """
    if loss.count < theta.size:
        return _residual_space(loss, theta)
    return _parameter_space(loss, theta)


def _parameter_space(loss: Loss, theta: Float[Array, " p"]) -> ParameterSpace:
    size = theta.size
    cuts = [size * i // _STRIPES for i in range(_STRIPES + 1)]

    def add(stripes: list[Array], jacobian: Array) -> list[Array]:
        wide = jacobian.astype(jnp.float64)
        return [
            stripe + wide[:, start:stop].T @ wide[:, :stop]
            for stripe, (start, stop) in zip(stripes, pairwise(cuts), strict=True)
        ]

    empty = [jnp.zeros((stop - start, stop)) for start, stop in pairwise(cuts)]
    stripes = add(empty, other_jacobian(loss, theta))
    stripes = fold_blocks(
        lambda total, block: add(total, interior_jacobian(loss, theta, block)), stripes, loss.collocation.blocks
    )
    gram = jnp.tril(jnp.concatenate([jnp.pad(s, ((0, 0), (0, size - s.shape[1]))) for s in stripes]))
    return ParameterSpace(loss=loss, theta=theta, gram=gram, diagonal=_floored(jnp.diag(gram)))


def _residual_space(loss: Loss, theta: Float[Array, " p"]) -> ResidualSpace:
    collocation = loss.collocation
    blocks = visit_blocks(lambda block: interior_jacobian(loss, theta, block), collocation.blocks)
    interior = blocks.reshape(-1, theta.size)[: collocation.count * loss.upscaling.lifts]
    jacobian = jnp.concatenate([interior, other_jacobian(loss, theta)]).astype(jnp.float64)
    diagonal = _floored(jnp.sum(jacobian**2, axis=0))
    return ResidualSpace(jacobian, (jacobian / diagonal) @ jacobian.T, diagonal)


def _floored(diagonal: Float[Array, " p"]) -> Float[Array, " p"]:
    return jnp.maximum(diagonal, _FLOOR * jnp.max(diagonal))
