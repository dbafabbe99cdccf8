"""Functions ℓ_i with the boundary values of w_i: then w_i = ℓ_i + v_i, where v_i vanishes."""

import abc
from collections.abc import Sequence
from itertools import combinations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.fem.elastic.strains import unit_strains
from hpms.jet import Forms, Jet, contracted, wanted
from hpms.problem.source.base import AbstractSource


class AbstractLift(eqx.Module):
    """ℓ_i, i = 1..l."""

    @abc.abstractmethod
    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """Values, gradients and the second derivatives of the `forms` at M points, (M, l)."""

    @property
    def meets(self) -> bool:
        """Whether values on neighbouring parts are given apart: ∇ℓ, or where they agree there Δℓ, has no bound."""
        return False


class LinearLift(AbstractLift):
    """ℓ_i = x_i, Eq. (4.6)."""

    lifts: int = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        value = x[:, : self.lifts]
        axes = jnp.eye(x.shape[1], self.lifts, dtype=x.dtype)
        second = (jnp.zeros_like(value),) * len(wanted(forms, x.shape[1]))
        return Jet(value, tuple(jnp.broadcast_to(row, value.shape) for row in axes), second, forms)


class StrainLift(AbstractLift):
    """ℓ_l = E_l x, with the unit strains E_l of `hpms.fem.elastic.strains`: vectors whose columns lie beside each
    other, as many as there are `columns`.
    """

    columns: int = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        dim = x.shape[1]
        strains = jnp.asarray(unit_strains(dim).reshape(-1, dim)[: self.columns], x.dtype)
        value = x @ strains.T
        second = (jnp.zeros_like(value),) * len(wanted(forms, dim))
        return Jet(value, tuple(jnp.broadcast_to(row, value.shape) for row in strains.T), second, forms)


class AbstractTransfiniteLift(AbstractLift):
    """ℓ = Σ_i g_i W_i, W_i = Π_{j≠i} φ_j / Σ_k Π_{j≠k} φ_j, with ℓ = g_i where φ_i = 0.

    Rvachev, Sheiko, Shapiro and Tsukanov (2001); Sukumar and Srivastava (2022). Where two parts of different data meet,
    W_i has no limit: ∇ℓ, or where the data agree there Δℓ, grows without bound towards that corner. Without data ℓ = 0.
    """

    data: eqx.AbstractVar[tuple[AbstractSource, ...]]

    @abc.abstractmethod
    def distances(self, x: Float[Array, " d"]) -> Sequence[Float[Array, ""]]:
        """φ_i, of each of the data."""

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        gradient = jax.vmap(jax.grad(self._value))(x)
        second = contracted(forms, jax.vmap(jax.hessian(self._value))(x)[:, None])
        slopes = tuple(gradient[:, i : i + 1] for i in range(x.shape[1]))
        return Jet(jax.vmap(self._value)(x)[:, None], slopes, second, forms)

    def _value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        if not self.data:
            return jnp.zeros((), x.dtype)
        if len(self.data) == 1:
            return self.data[0].value(x)
        distances = list(self.distances(x))
        weights = [product(distances[:i] + distances[i + 1 :]) for i in range(len(distances))]
        values = [data.value(x) for data in self.data]
        return jnp.dot(jnp.stack(weights), jnp.stack(values)) / jnp.sum(jnp.stack(weights))


class TransfiniteLift(AbstractTransfiniteLift):
    """φ_i is the product of the distances x_a/s_a and 1 - x_a/s_a to the faces on which w = g_i."""

    data: tuple[AbstractSource, ...]
    faces: tuple[tuple[tuple[int, int], ...], ...] = eqx.field(static=True)
    sides: tuple[float, ...] = eqx.field(static=True)

    @property
    def meets(self) -> bool:
        groups = combinations(self.faces, 2)
        return any(face[0] != other[0] for one, two in groups for face in one for other in two)

    def distances(self, x: Float[Array, " d"]) -> Sequence[Float[Array, ""]]:
        return [self._distance(x, faces) for faces in self.faces]

    def _distance(self, x: Float[Array, " d"], faces: tuple[tuple[int, int], ...]) -> Float[Array, ""]:
        scaled = [x[axis] / self.sides[axis] for axis, _ in faces]
        return product([1 - each if end else each for each, (_, end) in zip(scaled, faces, strict=True)])


def product(factors: Sequence[Float[Array, ""]]) -> Float[Array, ""]:
    """Of all of them."""
    return jnp.prod(jnp.stack(factors))
