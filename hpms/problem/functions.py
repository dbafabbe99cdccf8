"""The functions of a formula in `jax.numpy`, and fields given by a formula."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.formula import Formula, FormulaError

JAX: dict[str, Callable[..., Any]] = {
    **{name: getattr(jnp, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(jnp, name) for name in ("exp", "log", "sqrt", "abs", "sign", "floor", "mod", "where")},
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "atan2": jnp.arctan2,
    "min": jnp.minimum,
    "max": jnp.maximum,
}


def evaluate_field(
    formula: Formula, x: Float[Array, " d"], eps: float, constants: Mapping[str, float | Array]
) -> Float[Array, ""]:
    """The formula's value at one point; a `UserError` where it has none anywhere, as for `1/0`."""
    variables = {f"x{i + 1}": x[i] for i in range(x.shape[0])}
    try:
        return jnp.asarray(formula(JAX, eps=eps, **constants, **variables), dtype=x.dtype)
    except FormulaError as error:
        raise UserError(f"{error}.") from None
