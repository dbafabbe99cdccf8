"""`law=semilinear`: a reaction that is not linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.errors import ConfigError, UserError, brief
from hpms.formula import Formula, FormulaError
from hpms.options.conditions import KEY, are_fluxes
from hpms.options.law import LawOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.coefficient.base import AbstractCoefficient
    from hpms.problem.law.semilinear import Semilinear

_CONDITIONS = "{all:{dirichlet:0}}"


@register("law", "semilinear")
@dataclass(frozen=True)
class SemilinearOptions(LawOptions):
    """`law=semilinear law.formula='w**3'`: A w = -∇·(K∇w) + s(x, w), with s that does not fall in w. K is the
    `coefficient`, a number or a tensor; `formula` is s, in x1, x2, x3, w and eps, of which ∂s/∂w is taken by automatic
    differentiation. For `problem=box` with conditions of one's own.
    """

    formula: str
    is_linear: ClassVar[bool] = False

    @property
    def is_the_papers(self) -> bool:
        return False

    def check(self, config: Config) -> None:
        names, problem = config.names, config.problem
        self._formula(problem.dim)
        if names["problem"] != "box" or problem.is_the_papers:
            reason = f"law=semilinear is for problem=box with conditions of your own, such as {_CONDITIONS}"
            raise ConfigError("problem", names["problem"], reason)
        if are_fluxes(tuple(each for part in problem.conditions_by_part().values() for each in part)):
            reason = "with law=semilinear some part has a dirichlet or a robin condition"
            raise ConfigError(KEY, brief(getattr(problem, "conditions", "")), reason)
        if names["coupling"] != "none":
            raise ConfigError("coupling", names["coupling"], "it is for a linear law: take coupling=none")
        if getattr(config.reference, "method", None) == "exact":
            raise ConfigError("reference.method", "exact", "it is for law=diffusion; choose auto, p2 or p1")

    def build(self, coefficient: AbstractCoefficient, sides: tuple[float, ...], eps: float) -> Semilinear:
        from hpms.problem.law.reaction import Reaction
        from hpms.problem.law.semilinear import Semilinear

        return Semilinear(coefficient=coefficient, term=Reaction(self._formula(len(sides)), eps))

    def _formula(self, dim: int) -> Formula:
        try:
            return Formula(self.formula, [*(f"x{i + 1}" for i in range(dim)), "w", "eps"])
        except FormulaError as error:
            raise UserError(f"law.formula: {error} (dim={dim}).") from None
