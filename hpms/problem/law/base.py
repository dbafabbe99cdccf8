"""What every law offers."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.source.base import AbstractSource


class AbstractMedium(eqx.Module):
    """What a law knows at M points, and A there."""

    forcing: eqx.AbstractVar[Float[Array, "*m l"] | None]

    @abc.abstractmethod
    def operator(self, jet: Jet) -> Float[Array, "m l"]:
        """A v_i, from the jet of v with the law's forms."""

    @abc.abstractmethod
    def stress(self, strains: tuple[Float[Array, "m l"], ...]) -> tuple[Float[Array, "m l"], ...]:
        """K∇w_i, component by component, from the ∂_a w_i."""

    @abc.abstractmethod
    def check(self, points: Float[np.ndarray, "m d"]) -> None:
        """Raises `UserError` that names the first of the M points where the medium or the forcing is not sound."""

    def residual(self, jet: Jet) -> Float[Array, "m l"]:
        """A v_i - f_i, Eq. (3.24)."""
        assert self.forcing is not None
        return self.operator(jet) - self.forcing


class AbstractLaw(eqx.Module):
    """A of the equation A w = q, with a coefficient K, and a reaction c, None for 0."""

    coefficient: eqx.AbstractVar[AbstractCoefficient]
    reaction: eqx.AbstractVar[AbstractSource | None]

    @property
    @abc.abstractmethod
    def forms(self) -> Forms | None:
        """The second derivatives that A needs, None for the Laplacian alone."""

    @abc.abstractmethod
    def at(self, points: Float[Array, "m d"]) -> AbstractMedium:
        """The medium at M points, without a forcing."""
