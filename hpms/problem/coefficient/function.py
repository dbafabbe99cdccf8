"""A coefficient given by a function of Python."""

import equinox as eqx
import jax
from jaxtyping import Array, Float

from hpms.jet import Forms, entry
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.point_function import PointFunction


class FunctionCoefficient(AbstractCoefficient):
    """K^ε(x) by a function of one point; its gradient by automatic differentiation."""

    function: PointFunction = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)
    entries: Forms | None = eqx.field(static=True)

    @property
    def forms(self) -> Forms | None:
        return self.entries

    def value(self, x: Float[Array, " d"]) -> Float[Array, "*s"]:
        return self.function(x)

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " *s d"]:
        return autodiff_gradient(self, x)


def function_coefficient(function: PointFunction, dim: int, periods: tuple[float, ...] | None) -> FunctionCoefficient:
    """The coefficient of a function whose value is a number or a matrix (d, d)."""
    shape = jax.eval_shape(function, jax.ShapeDtypeStruct((dim,), "float32")).shape
    every = tuple(entry(i, j) for j in range(dim) for i in range(j + 1))
    return FunctionCoefficient(function=function, periods=periods, entries=every if shape else None)
