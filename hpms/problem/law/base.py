"""What every law offers."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.conditions import AbstractConditions, AbstractFluxData
from hpms.problem.digest import Sampled
from hpms.problem.lift import AbstractLift, LinearLift
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

    def about(self, lift: Float[Array, "m l"]) -> "AbstractMedium":
        """With A(ℓ + v) - Aℓ in place of A v, by the values of ℓ: itself where A is linear."""
        return self

    @property
    def components(self) -> int:
        """Those of w."""
        return 1

    def fluxes(self, strains: tuple[Float[Array, "m l"], ...]) -> Float[Array, "m k f"]:
        """`stress` in one array, with those of all components of a vector beside each other."""
        found = jnp.stack(self.stress(strains), axis=-1)
        return found.reshape(len(found), -1, self.components * len(strains))

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
    def components(self) -> int:
        """Those of w."""
        return 1

    @property
    @abc.abstractmethod
    def forms(self) -> Forms | None:
        """The second derivatives that A needs, None for the Laplacian alone."""

    @property
    @abc.abstractmethod
    def spectrum(self) -> AbstractCoefficient:
        """A number or a symmetric tensor with the eigenvalues of the coefficient."""

    @abc.abstractmethod
    def at(self, points: Float[Array, "m d"]) -> AbstractMedium:
        """The medium at M points, without a forcing."""

    def coercivity(self, x: Float[Array, " d"]) -> Float[Array, "*t"]:
        """k, a number or a tensor, with ∫ ∇φ·k∇φ <= |||φ|||²; for vectors with the least k in Ω alone, and for φ that
        vanish on ∂Ω.
        """
        return self.coefficient.value(x)

    @property
    def terms(self) -> tuple[Sampled, ...]:
        """What A has beside the coefficient, to be told apart by its values."""
        return () if self.reaction is None else (self.reaction,)

    @property
    def reacts(self) -> bool:
        """Whether a term without derivatives of w is in A."""
        return self.reaction is not None

    def reacted(self, points: Float[Array, "m d"], w: Float[Array, "m l"]) -> Float[Array, "m l"]:
        """That term at M points, c w_i, from the values of w_i."""
        return w * (0.0 if self.reaction is None else jax.vmap(self.reaction.value)(points)[:, None])

    def lift(self, columns: int) -> AbstractLift:
        """ℓ of the lifted problems on the unit cube, w_i = x_i on ∂Ω, i = 1..`columns`."""
        return LinearLift(columns)

    @abc.abstractmethod
    def flux_data(
        self, points: Float[Array, "b d"], conditions: AbstractConditions, lift: AbstractLift
    ) -> AbstractFluxData:
        """What the conditions for the flux ask of v = w - ℓ at points of ∂Ω."""

    @abc.abstractmethod
    def stress(
        self, values: Float[np.ndarray, " m *t"], slopes: Float[np.ndarray, "m l d"]
    ) -> Float[np.ndarray, "m l d"]:
        """K∇w_i from the values of the coefficient and ∇w_i."""

    @abc.abstractmethod
    def fields(self, values: Float[np.ndarray, " m *t"], slopes: Float[np.ndarray, "m l d"]) -> dict[str, np.ndarray]:
        """What a run keeps of w beside it, by name."""
