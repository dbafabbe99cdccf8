"""Small elastic strains of an isotropic body, Hooke's law; in 2-D plane strain."""

from dataclasses import replace
from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.fem.elastic.moduli import check_moduli, stress, von_mises
from hpms.jet import Forms, Jet, entry
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.coefficient.lame import StiffnessEigenvalues
from hpms.problem.components import ComponentConditions
from hpms.problem.conditions import AbstractConditions
from hpms.problem.law.base import AbstractLaw, AbstractMedium
from hpms.problem.law.traction import TractionData, hooke
from hpms.problem.lift import AbstractLift, StrainLift
from hpms.problem.source.base import AbstractSource


class ElasticMedium(AbstractMedium):
    """λ and μ (M, 2), their derivatives (M, 2, d), and the force f (M, l): d columns, the components, of each w."""

    moduli: Float[Array, "*m 2"]
    slopes: Float[Array, "*m 2 d"]
    forcing: Float[Array, "*m l"] | None = None

    @property
    def components(self) -> int:
        return self.slopes.shape[-1]

    def operator(self, jet: Jet) -> Float[Array, "m l"]:
        """-(λ + μ)∇(div v) - μΔv - div v ∇λ - (∇v + ∇vᵀ)∇μ."""
        dim = len(jet.gradient)
        lam, mu = self.moduli[:, :1], self.moduli[:, 1:]
        assert jet.forms is not None
        gradient = [_by_component(g, dim) for g in jet.gradient]
        every = zip(jet.forms, jet.second, strict=True)
        second = {form[0][:2]: _by_component(s, dim) / form[0][2] for form, s in every}

        def bend(i: int, j: int) -> Array:
            return second[min(i, j), max(i, j)]

        divergence = _sum([g[..., a] for a, g in enumerate(gradient)])
        laplacian = _sum([bend(a, a) for a in range(dim)])
        found = []
        for i in range(dim):
            grad_div = _sum([bend(i, j)[..., j] for j in range(dim)])
            sheared = [self.slopes[:, 1, j : j + 1] * (gradient[j][..., i] + gradient[i][..., j]) for j in range(dim)]
            row = (lam + mu) * grad_div + mu * laplacian[..., i] + self.slopes[:, 0, i : i + 1] * divergence
            found.append(-(row + _sum(sheared)))
        return jnp.stack(found, axis=-1).reshape(jet.value.shape)

    def stress(self, strains: tuple[Float[Array, "m l"], ...]) -> tuple[Float[Array, "m l"], ...]:
        """σ_ib in column i of the array b, from the ∂_a w_i in column i of the array a."""
        return hooke(self.moduli, strains)

    def check(self, points: Float[np.ndarray, "m d"]) -> None:
        check_moduli(points, np.asarray(self.moduli, np.float64))
        for what, values in (("coefficient.lam and coefficient.mu must have finite gradients", self.slopes),) + (
            () if self.forcing is None else (("the force must be finite", self.forcing),)
        ):
            if (bad := ~np.isfinite(np.asarray(values)).reshape(len(points), -1).all(axis=1)).any():
                where = ", ".join(f"{x:.4g}" for x in points[int(np.argmax(bad))])
                raise UserError(f"{what}, but at ({where}) it is not so.")


class Elasticity(AbstractLaw):
    """A w = -div σ(w), σ = λ tr(e) I + 2μ e, e = (∇w + ∇wᵀ)/2, in d = `dim` dimensions, λ and μ by the
    `coefficient`.
    """

    coefficient: AbstractCoefficient
    dim: int = eqx.field(static=True)
    reaction: AbstractSource | None = None

    @property
    def components(self) -> int:
        return self.dim

    @property
    def forms(self) -> Forms:
        return tuple(entry(i, j) for i in range(self.dim) for j in range(i, self.dim))

    @property
    def spectrum(self) -> StiffnessEigenvalues:
        return StiffnessEigenvalues(moduli=self.coefficient, periods=self.coefficient.periods)

    def coercivity(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """μ, by Korn's inequality."""
        return self.coefficient.value(x)[1]

    def lift(self, columns: int) -> StrainLift:
        """E_l x, of as many of the unit strains as there are columns for."""
        return StrainLift(columns)

    def at(self, points: Float[Array, "m d"]) -> ElasticMedium:
        moduli, slopes = jax.vmap(self.coefficient.value)(points), jax.vmap(self.coefficient.gradient)(points)
        return ElasticMedium(moduli=moduli, slopes=slopes)

    def flux_data(
        self, points: Float[Array, "b d"], conditions: AbstractConditions, lift: AbstractLift
    ) -> TractionData:
        """σ(v) n = t - σ(ℓ) n, in the components that have a traction."""
        assert isinstance(conditions, ComponentConditions)
        moduli, normal = jax.vmap(self.coefficient.value)(points), conditions.normal(points)
        on = jnp.stack([each.where(points, flux=True) for each in conditions.each], axis=1)
        free = TractionData(moduli, normal, on.astype(points.dtype), conditions.at(points)[1])
        return replace(free, target=jnp.where(on, -free.density(lift.jet(points)), 0))

    def stress(
        self, values: Float[np.ndarray, "m 2"], slopes: Float[np.ndarray, "m l d"]
    ) -> Float[np.ndarray, "m l d"]:
        return stress(values, slopes)

    def fields(self, values: Float[np.ndarray, "m 2"], slopes: Float[np.ndarray, "m l d"]) -> dict[str, np.ndarray]:
        return {"stress": stress(values, slopes), "von_mises": von_mises(values, slopes)}


def _by_component(columns: Float[Array, "m l"], dim: int) -> Float[Array, "m k {dim}"]:
    return columns.reshape(len(columns), -1, dim)


def _sum(parts: list[Array]) -> Array:
    return reduce(jnp.add, parts)
