"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport
from hpms.training.optimizer.decay import ExponentialDecay
from hpms.training.optimizer.tree import all_finite

_EPSILON = 1e-8
Sides = tuple[tuple["Side", "Side"] | None, ...]


class Side(eqx.Module):
    """A Kronecker factor, the running mean of G G^T or G^T G, and its approximate eigenvectors; of each matrix in a
    stack.
    """

    factor: Float[Array, "*stack n n"]
    basis: Float[Array, "*stack n n"]


class SoapState(eqx.Module):
    """Adam's moments, vectors like θ, the second in the eigenbasis; for every weight matrix its (left, right) sides."""

    count: Int[Array, ""]
    mean: Float[Array, " p"]
    square: Float[Array, " p"]
    sides: Sides


class Soap(AbstractOptimizer):
    """Algorithm 3 of Vyas et al. (2024), arXiv:2409.11321; biases get Adam, and the rate decays as `optimizer=adam`'s.

    The first step moves nothing: it finds the first eigenbases. Every `refresh` steps one power iteration and a QR
    factorisation let them follow the factors. For PINNs: Wang, Bhartari, Li and Perdikaris, arXiv:2502.00604.
    """

    unravel: Callable[[Array], Any] = eqx.field(static=True)
    rate: ExponentialDecay = eqx.field(static=True)
    b1: float = eqx.field(static=True)
    b2: float = eqx.field(static=True)
    refresh: int = eqx.field(static=True)

    def init(self, theta: Float[Array, " p"]) -> SoapState:
        def side(*shape: int) -> Side:
            zero = jnp.zeros((*shape, shape[-1]), theta.dtype)
            return Side(zero, zero + jnp.eye(shape[-1], dtype=theta.dtype))

        shapes = [leaf.shape for leaf in jax.tree.leaves(jax.eval_shape(self.unravel, theta))]
        sides = tuple(
            (side(*shape[:-2], shape[-2]), side(*shape[:-2], shape[-1])) if _is_matrix(shape) else None
            for shape in shapes
        )
        return SoapState(jnp.zeros((), jnp.int32), jnp.zeros_like(theta), jnp.zeros_like(theta), sides)

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: SoapState,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], SoapState, StepReport]:
        gradient, terms = loss.gradient(theta)
        old, b1, b2 = optimizer_state, self.b1, self.b2
        first, age = old.count == 0, old.count.astype(theta.dtype)  # the first step counts for no moment
        sides = self._accumulate(gradient, old.sides)
        mean = jnp.where(first, old.mean, b1 * old.mean + (1 - b1) * gradient)
        square = b2 * old.square + (1 - b2) * self._rotated(gradient, old.sides) ** 2
        corrected = jnp.sqrt(1 - b2**age) / jnp.where(first, 1, 1 - b1**age)
        step = self._normalised(self._rotated(mean, old.sides), square)
        moved = theta - self.rate(age) * corrected * self._rotated(step, old.sides, back=True)

        def begin() -> tuple[Sides, Array]:
            based = jax.tree.map(lambda s: Side(s.factor, _eigenvectors(s.factor)), sides, is_leaf=_is_side)
            return based, old.square

        def follow() -> tuple[Sides, Array]:
            leaves = self._leaves(square)
            found = [(None, v) if p is None else _followed(v, p) for v, p in zip(leaves, sides, strict=True)]
            return tuple(pair for pair, _ in found), ravel_pytree([v for _, v in found])[0]

        branch = jnp.where(first, 0, jnp.where(old.count % self.refresh == 0, 1, 2))
        sides, square = jax.lax.switch(branch, [begin, follow, lambda: (sides, square)])
        new = SoapState(old.count + 1, mean, square, sides)
        report = StepReport(terms, all_finite(terms, gradient, new), jnp.array(False))
        return jnp.where(first, theta, moved), new, report

    def metrics(self, optimizer_state: SoapState, iteration: int) -> dict[str, float]:
        return {"learning_rate": self.rate(iteration)}

    def _leaves(self, theta: Float[Array, " p"]) -> list[Array]:
        return jax.tree.leaves(self.unravel(theta))

    def _normalised(self, mean: Float[Array, " p"], square: Float[Array, " p"]) -> Float[Array, " p"]:
        """m/√v, matrix by matrix; entries of √v that are rounding errors of its largest count as large as those."""
        found = []
        for m, v in zip(self._leaves(mean), self._leaves(square), strict=True):
            root = jnp.sqrt(v)
            found.append(m / (root + jnp.finfo(root.dtype).eps * jnp.max(root) + _EPSILON))
        return ravel_pytree(found)[0]

    def _accumulate(self, gradient: Float[Array, " p"], sides: Sides) -> Sides:
        """L <- β₂ L + (1 - β₂) G G^T and R <- β₂ R + (1 - β₂) G^T G."""

        def mixed(side: Side, product: Array) -> Side:
            return Side(self.b2 * side.factor + (1 - self.b2) * product, side.basis)

        return tuple(
            pair and (mixed(pair[0], g @ g.mT), mixed(pair[1], g.mT @ g))
            for g, pair in zip(self._leaves(gradient), sides, strict=True)
        )

    def _rotated(self, theta: Float[Array, " p"], sides: Sides, back: bool = False) -> Float[Array, " p"]:
        """Every weight matrix in its eigenbases, or back."""

        def rotated(leaf: Array, pair: tuple[Side, Side] | None) -> Array:
            if pair is None:
                return leaf
            left, right = (side.basis for side in pair)
            return left @ leaf @ right.mT if back else left.mT @ leaf @ right

        return ravel_pytree([rotated(g, pair) for g, pair in zip(self._leaves(theta), sides, strict=True)])[0]


def _is_matrix(shape: tuple[int, ...]) -> bool:
    """Or a stack of matrices; rows in a stack are biases."""
    return len(shape) == 2 or (len(shape) > 2 and shape[-2] > 1)


def _is_side(node: Any) -> bool:
    return isinstance(node, Side)


def _eigenvectors(factor: Float[Array, "*stack n n"]) -> Float[Array, "*stack n n"]:
    """By descending eigenvalue."""
    return jnp.linalg.eigh(factor)[1][..., ::-1]


def _followed(square: Array, pair: tuple[Side, Side]) -> tuple[tuple[Side, Side], Array]:
    """One power iteration of each basis, its columns sorted by Rayleigh quotient, and the second moment with them."""
    found = []
    for axis, side in enumerate(pair):
        image = side.factor @ side.basis
        order = jnp.argsort(-jnp.sum(side.basis * image, axis=-2))
        square = jnp.take_along_axis(square, jnp.expand_dims(order, -1 - axis), axis=axis - 2)
        image = jnp.take_along_axis(image, order[..., None, :], axis=-1)
        found.append(Side(side.factor, jnp.linalg.qr(image)[0]))
    return (found[0], found[1]), square
