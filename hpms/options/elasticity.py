"""`law=elasticity`: Hooke's law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.errors import ConfigError
from hpms.options.conditions import DIRICHLET, KEY
from hpms.options.law import LawOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.options.problem import ProblemOptions
    from hpms.problem.coefficient.base import AbstractCoefficient
    from hpms.problem.law.elasticity import Elasticity

_CONDITIONS = "left:{dirichlet:[0,0]}, right:{neumann:[1,0]}, bottom:{dirichlet:[null,0],neumann:[0,null]}"


@register("law", "elasticity")
@dataclass(frozen=True)
class ElasticityOptions(LawOptions):
    """`law=elasticity`: A w = -div σ(w), σ = λ tr(e) I + 2μ e, e = (∇w + ∇wᵀ)/2, small strains of an isotropic body, in
    2-D plane strain. λ and μ are those of `coefficient=lame`, q is that of `source=force`, and conditions have a number
    or formula for each component: dirichlet: [g1, g2] of w and neumann: [t1, t2] of σn, or both, each with null where
    the other one has the component. On `problem=unit_cube` w_l = E_l x on ∂Ω for all unit strains E_l, which give the
    upscaled stiffness (`upscaling=stiffness`).
    """

    takes_moduli: ClassVar[bool] = True
    upscaling: ClassVar[str] = "stiffness"
    symbol: ClassVar[str] = "C̃"

    @property
    def is_the_papers(self) -> bool:
        return False

    def components(self, dim: int) -> int:
        return dim

    def lacks_bound(self, problem: ProblemOptions) -> str:
        every = problem.conditions_by_part().values()
        is_clamped = all(each.kind == DIRICHLET for part in every for each in part)
        return "" if is_clamped else "Korn's constant is known where w is given on all of the boundary alone"

    def check(self, config: Config) -> None:
        names, problem = config.names, config.problem
        if problem.dim == 1:
            raise ConfigError("problem.dim", 1, "law=elasticity is for 2 (plane strain) and 3")
        if names["problem"] not in ("unit_cube", "box"):
            reason = (
                "law=elasticity is for unit_cube (w = E x on its boundary) and box, with conditions of your own, such "
                f"as {{{_CONDITIONS}}}"
            )
            raise ConfigError("problem", names["problem"], reason)
        if not config.coefficient.are_moduli:
            reason = "law=elasticity needs two moduli: take coefficient=lame coefficient.lam=1 coefficient.mu=1"
            raise ConfigError("coefficient", names["coefficient"], reason)
        if not config.source.is_force:
            reason = "law=elasticity needs a force with a component for each axis: take source=force"
            raise ConfigError("source", names["source"], reason)
        if problem.components == 1 and not problem.is_the_papers:
            reason = f"law=elasticity needs a number or formula for each component, such as {{{_CONDITIONS}}}"
            raise ConfigError(KEY, getattr(problem, "conditions", "linear"), reason)
        if names["coupling"] not in ("none", "ball", "galerkin"):
            reason = "it is not for law=elasticity: take ball, galerkin or none"
            raise ConfigError("coupling", names["coupling"], reason)
        if problem.is_the_papers and names["upscaling"] not in ("stiffness", "none"):
            raise ConfigError("upscaling", names["upscaling"], "with law=elasticity take stiffness, or none")
        if not config.boundary.hard:
            raise ConfigError("boundary", names["boundary"], "with law=elasticity it is hard")
        for key in ("accuracy", "bound_every"):
            if (value := getattr(config.training, key)) is not None and (why := self.lacks_bound(problem)):
                reason = f"there is no bound of the error with these conditions, as {why}: null"
                raise ConfigError(f"training.{key}", value, reason)

    def build(self, coefficient: AbstractCoefficient, sides: tuple[float, ...], eps: float) -> Elasticity:
        from hpms.problem.law.elasticity import Elasticity

        return Elasticity(coefficient=coefficient, dim=len(sides))
