"""Forward derivatives: value, gradient and second derivatives of a map as separate arrays, pushed through each layer.

Of the second derivatives a law needs a few combinations with constant numbers alone: M_k : ∇²v = Σ_ij (M_k)_ij ∂_i∂_jv,
the Laplacian (M = I) for a scalar coefficient. For v: R^d -> R^n the jet at M points is v, the d arrays ∂_iv and one
array for each M_k, all of shape (M, n). A linear layer maps each of them by its weights, and for a pointwise σ

    ∂_i σ(v) = σ'(v) ∂_i v,        M : ∇²σ(v) = σ'(v) M : ∇²v + σ''(v) ∇v·M∇v.

Separate arrays let XLA fuse the pointwise work; stacking the four in one array costs a factor of three on CPUs.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Activation = Callable[[Float[Array, "m n"]], tuple[Float[Array, "m n"], Float[Array, "m n"], Float[Array, "m n"]]]
Form = tuple[tuple[int, int, float], ...]  # (i, j, c) with i <= j: Σ c ∂_i∂_j, so that c = 2M_ij where i < j
Forms = tuple[Form, ...]


def laplacian(dim: int) -> Form:
    """M = I."""
    return tuple((i, i, 1.0) for i in range(dim))


def entry(i: int, j: int) -> Form:
    """∂_i∂_j + ∂_j∂_i, or ∂_i² where i = j."""
    return ((min(i, j), max(i, j), 1.0 if i == j else 2.0),)


class Jet(eqx.Module):
    """Value (M, n), the d partial derivatives (M, n) each, and M_k : ∇²v (M, n) for each of the `forms`; for the
    Laplacian alone where these are None.
    """

    value: Float[Array, "m n"]
    gradient: tuple[Float[Array, "m n"], ...]
    second: tuple[Float[Array, "m n"], ...]
    forms: Forms | None = eqx.field(static=True, default=None)

    @property
    def laplacian(self) -> Float[Array, "m n"]:
        """Δv, where it is the only form."""
        (only,) = self.second
        return only


def wanted(forms: Forms | None, dim: int) -> Forms:
    """The forms, that of the Laplacian for None."""
    return (laplacian(dim),) if forms is None else forms


def quadratic(form: Form, a: tuple[Array, ...], b: tuple[Array, ...]) -> Array:
    """∇a·M∇b."""
    terms = []
    for i, j, factor in form:
        product = a[i] * b[j] if i == j else (a[i] * b[j] + a[j] * b[i]) / 2
        terms.append(product if factor == 1 else factor * product)
    return sum(terms)  # type: ignore[return-value]


def contracted(forms: Forms | None, hessian: Float[Array, "m n d d"]) -> tuple[Float[Array, "m n"], ...]:
    """M_k : ∇²v from all second derivatives."""
    every = wanted(forms, hessian.shape[-1])
    return tuple(jnp.stack([c * hessian[..., i, j] for i, j, c in form]).sum(axis=0) for form in every)


def affine(x: Float[Array, "m d"], weight: Float[Array, "d n"], bias: Float[Array, " n"], forms: Forms | None) -> Jet:
    """The jet of x -> x W + b; its gradient is constant, its second derivatives are zero."""
    value = x @ weight + bias
    gradient = tuple(jnp.broadcast_to(weight[i], value.shape) for i in range(x.shape[1]))
    return Jet(value, gradient, tuple(jnp.zeros_like(value) for _ in wanted(forms, x.shape[1])), forms)


def one(x: Float[Array, "m d"], forms: Forms | None) -> Jet:
    """The jet of the function 1, (M, 1)."""
    value, zero = jnp.ones_like(x[:, :1]), jnp.zeros_like(x[:, :1])
    return Jet(value, (zero,) * x.shape[1], (zero,) * len(wanted(forms, x.shape[1])), forms)


def separable(
    value: Float[Array, "m n"],
    slopes: Float[Array, "m n"],
    bends: Float[Array, "m n"],
    axes: Float[Array, "d n"],
    forms: Forms | None,
) -> Jet:
    """The jet of functions of one coordinate each, from their derivatives by it; its column of `axes` has the 1."""
    dim = len(axes)
    gradient = tuple(slopes * axis for axis in axes)
    rows = tuple(axes)
    return Jet(value, gradient, tuple(bends * quadratic(form, rows, rows) for form in wanted(forms, dim)), forms)


def linear(jet: Jet, weight: Float[Array, "n k"], bias: Float[Array, " k"]) -> Jet:
    """The jet of v W + b."""
    gradient, second = (tuple(g @ weight for g in part) for part in (jet.gradient, jet.second))
    return Jet(jet.value @ weight + bias, gradient, second, jet.forms)


def activate(jet: Jet, sigma: Activation) -> Jet:
    """The jet of σ(v), where `sigma` returns (σ, σ', σ'') at its argument."""
    value, first, curvature = sigma(jet.value)
    forms = wanted(jet.forms, len(jet.gradient))
    squares = [quadratic(form, jet.gradient, jet.gradient) for form in forms]
    second = tuple(first * s + curvature * square for s, square in zip(jet.second, squares, strict=True))
    return Jet(value, tuple(first * g for g in jet.gradient), second, jet.forms)


def multiply(a: Jet, b: Jet) -> Jet:
    """The jet of a b, with M : ∇²(ab) = a M : ∇²b + 2 ∇a·M∇b + b M : ∇²a; shapes (M, 1) broadcast."""
    cross = [quadratic(form, a.gradient, b.gradient) for form in wanted(a.forms, len(a.gradient))]
    gradient = tuple(a.value * q + p * b.value for p, q in zip(a.gradient, b.gradient, strict=True))
    parts = zip(a.second, cross, b.second, strict=True)
    second = tuple(a.value * t + 2 * c + b.value * s for s, c, t in parts)
    return Jet(a.value * b.value, gradient, second, a.forms)


def concatenate(a: Jet, b: Jet) -> Jet:
    """The jet of (a, b) along the features."""
    return jax.tree.map(lambda p, q: jnp.concatenate([p, q], axis=1), a, b)


def add(a: Jet, b: Jet) -> Jet:
    """The jet of a + b."""
    return jax.tree.map(jnp.add, a, b)


def dot(a: Jet, b: Jet) -> Jet:
    """The jet of Σ_k a_k b_k, with shapes (M, 1)."""
    return jax.tree.map(lambda array: jnp.sum(array, axis=1, keepdims=True), multiply(a, b))


def columns(jet: Jet, start: int, stop: int) -> Jet:
    """The jet of the features start, ..., stop - 1."""
    return jax.tree.map(lambda array: array[:, start:stop], jet)


def scale(factor: float, jet: Jet) -> Jet:
    """The jet of `factor` times a map."""
    return jax.tree.map(lambda array: factor * array, jet)
