"""A function of one point that Python gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.named import recall

_HOW = "it takes one point x of shape ({dim},) and computes with jax.numpy; jnp.where stands for an if"


@dataclass(frozen=True, eq=False)
class PointFunction:
    """x (d,) ↦ a number, or, where `tensor`, a matrix (d, d), of whatever type, as in NumPy.

    What holds it is compiled once for the same function with the same `text`, which has a digest of its values: these
    may change with what the function refers to.

    **Arguments:** `key` names it in what is said of it. Raises `UserError` where JAX cannot trace it, or its value has
    another shape.
    """

    text: str
    key: str
    call: Callable[[Any], Any] = field(repr=False)
    tensor: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PointFunction) and self.call is other.call and self._named == other._named

    def __hash__(self) -> int:
        return hash(self._named)

    @property
    def _named(self) -> tuple[str, str, bool]:
        return self.text, self.key, self.tensor

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, "*s"]:
        try:
            with jax.numpy_dtype_promotion("standard"):
                value = jnp.asarray(self.call(x)).astype(x.dtype)
        except UserError:
            raise
        except Exception as error:
            how, said = _HOW.format(dim=len(x)), " ".join(str(error).split())[:120]
            raise UserError(
                f"{self.key}, the function {self.text.partition('#')[0]}, cannot be computed by JAX: {how} "
                f"({type(error).__name__}: {said})."
            ) from error
        shapes = [(), (len(x), len(x))] if self.tensor else [()]
        if value.shape not in shapes:
            allowed = " or ".join("a number" if not shape else f"a matrix {shape}" for shape in shapes)
            raise UserError(
                f"{self.key}, the function {self.text.partition('#')[0]}, has the value of shape {value.shape} at a "
                f"point of shape {x.shape}: give {allowed}; the coordinates are x[0] to x[{len(x) - 1}]."
            )
        return value


def recalled(text: str, key: str, tensor: bool = False) -> PointFunction:
    """The function that a text names; raises `UserError` where this process does not have it."""
    return PointFunction(text, key, recall(text, key), tensor)
