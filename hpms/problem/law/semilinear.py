"""Diffusion with a reaction that is not linear."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.jet import Forms, Jet
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.conditions import AbstractConditions, FluxData
from hpms.problem.digest import Sampled
from hpms.problem.law.base import AbstractLaw, AbstractMedium
from hpms.problem.law.diffusion import Diffusion, Medium
from hpms.problem.law.reaction import AtValue, Linearised, Reaction
from hpms.problem.lift import AbstractLift
from hpms.problem.source.base import AbstractSource

_VALUES = (-1.0, 0.0, 1.0)  # of w, that tell formulas apart
_SAMPLES = (-10.0, -3.0, -1.0, -0.3, -0.1, 0.0, 0.1, 0.3, 1.0, 3.0, 10.0)  # of w, and of w - ℓ


class SemilinearMedium(AbstractMedium):
    """The `linear` medium, the reaction s and the points (M, d), and where it is one about ℓ the values of that."""

    linear: Medium
    reaction: Reaction
    points: Float[Array, "*m d"]
    lift: Float[Array, "*m 1"] | None = None
    forcing: Float[Array, "*m 1"] | None = None

    def about(self, lift: Float[Array, "m 1"]) -> "SemilinearMedium":
        return replace(self, lift=lift)

    def operator(self, jet: Jet) -> Float[Array, "m 1"]:
        """-∇·(K∇v) + s(x, v), and about ℓ -∇·(K∇v) + s(x, ℓ + v) - s(x, ℓ)."""
        found = self.linear.operator(jet)
        if self.lift is None:
            return found + self.reaction.at(self.points, jet.value)
        beside = self.reaction.at(self.points, self.lift + jet.value) - self.reaction.at(self.points, self.lift)
        return found + beside

    def stress(self, strains: tuple[Float[Array, "m 1"], ...]) -> tuple[Float[Array, "m 1"], ...]:
        return self.linear.stress(strains)

    def check(self, points: Float[np.ndarray, "m d"]) -> None:
        around = jnp.zeros(len(points)) if self.lift is None else self.lift[:, 0]
        for w in (jnp.zeros(len(points)), around):
            self._refuse(points, w, np.isfinite, "finite, with its derivative in w,")
        for offset in _SAMPLES:
            for w in (offset + jnp.zeros(len(points)), offset + around):
                self._refuse(points, w, lambda found: found[:, 1] >= 0, "defined for all w and not fall in w,")
        replace(self.linear, forcing=self.forcing).check(points)

    def _refuse(self, points: Any, w: Array, is_sound: Callable[[np.ndarray], np.ndarray], what: str) -> None:
        found = np.asarray(jax.vmap(Linearised(self.reaction).value)(jnp.column_stack([self.points, w])))
        if not (sound := is_sound(found).reshape(len(points), -1).all(axis=1)).all():
            bad = int(np.argmin(sound))
            where = ", ".join(f"{x:.4g}" for x in points[bad])
            raise UserError(
                f"law.formula must be {what} but at ({where}) with w = {w[bad]:.4g} it is {found[bad, 0]:.4g}, with "
                f"the derivative {found[bad, 1]:.4g}."
            )


class Semilinear(AbstractLaw):
    """A w = -∇·(K∇w) + s(x, w), with K > 0 a number or a symmetric tensor, and a `term` s that does not fall in w."""

    coefficient: AbstractCoefficient
    term: Reaction
    reaction: AbstractSource | None = None

    @property
    def diffusion(self) -> Diffusion:
        """-∇·(K∇w)."""
        return Diffusion(self.coefficient)

    @property
    def forms(self) -> Forms | None:
        return self.diffusion.forms

    @property
    def spectrum(self) -> AbstractCoefficient:
        return self.diffusion.spectrum

    def at(self, points: Float[Array, "m d"]) -> SemilinearMedium:
        return SemilinearMedium(linear=self.diffusion.at(points), reaction=self.term, points=points)

    @property
    def terms(self) -> tuple[Sampled, ...]:
        return tuple(AtValue(self.term, value) for value in _VALUES)

    @property
    def reacts(self) -> bool:
        return True

    def reacted(self, points: Float[Array, "m d"], w: Float[Array, "m 1"]) -> Float[Array, "m 1"]:
        """s(x, w)."""
        return self.term.at(points, w)

    def flux_data(self, points: Float[Array, "b d"], conditions: AbstractConditions, lift: AbstractLift) -> FluxData:
        return self.diffusion.flux_data(points, conditions, lift)

    def stress(
        self, values: Float[np.ndarray, " m *t"], slopes: Float[np.ndarray, "m l d"]
    ) -> Float[np.ndarray, "m l d"]:
        return self.diffusion.stress(values, slopes)

    def fields(self, values: Float[np.ndarray, " m *t"], slopes: Float[np.ndarray, "m l d"]) -> dict[str, np.ndarray]:
        return self.diffusion.fields(values, slopes)
