"""`coefficient=lame`: the moduli of an isotropic elastic body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.config.schema import Positive
from hpms.errors import ConfigError
from hpms.formula import field_formula
from hpms.options.coefficient import CoefficientOptions, check_periods

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.coefficient.lame import LameCoefficient


@register("coefficient", "lame")
@dataclass(frozen=True)
class LameOptions(CoefficientOptions):
    """`coefficient=lame coefficient.lam=1 coefficient.mu='2+sin(2*pi*x1/eps)'`: λ and μ of `law=elasticity`, with μ > 0
    and dλ + 2μ > 0.

    **Arguments:** `lam`, `mu`, numbers or formulas; `constants` and `periods` as above.
    """

    lam: str
    mu: str
    constants: dict[str, float]
    periods: tuple[Positive, ...] | None
    are_moduli: ClassVar[bool] = True

    def check(self, config: Config) -> None:
        check_periods(self.periods, config.problem.dim)
        if not config.law.takes_moduli:
            reason = f"law={config.names['law']} has one coefficient: take law=elasticity, or coefficient=expression"
            raise ConfigError("coefficient", config.names["coefficient"], reason)
        for key, text in (("coefficient.lam", self.lam), ("coefficient.mu", self.mu)):
            field_formula(text, config.problem.dim, self.constants, key)

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return self.periods

    def build(self, dim: int, eps: float) -> LameCoefficient:
        from hpms.problem.coefficient.lame import LameCoefficient

        lam = field_formula(self.lam, dim, self.constants, "coefficient.lam")
        mu = field_formula(self.mu, dim, self.constants, "coefficient.mu")
        constants = tuple(self.constants.items())
        return LameCoefficient(lam=lam, mu=mu, eps=eps, constants=constants, periods=self.periods)
