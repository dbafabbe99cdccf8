"""A coefficient given by a function of Python."""

import equinox as eqx
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.point_function import PointFunction


class FunctionCoefficient(AbstractCoefficient):
    """K^ε(x) by a function of one point; its gradient by automatic differentiation."""

    function: PointFunction = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, "*s"]:
        return self.function(x)

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " *s d"]:
        return autodiff_gradient(self, x)
