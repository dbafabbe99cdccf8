"""`source=force`: a force per volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.errors import ConfigError
from hpms.formula import Formula, field_formula
from hpms.options.source import SourceOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.source.force import ForceSource

_KEY = "source.formulas"


@register("source", "force")
@dataclass(frozen=True)
class ForceOptions(SourceOptions):
    """`source=force source.formulas=[0,-1]`: q of -div σ(w) = q (`law=elasticity`), a number or formula for each axis,
    or null for no force; `constants` maps names to numbers.
    """

    formulas: tuple[str, ...] | None
    constants: dict[str, float]
    is_force: ClassVar[bool] = True

    def check(self, config: Config) -> None:
        dim = config.problem.dim
        if self.formulas is not None and len(self.formulas) != dim:
            raise ConfigError(_KEY, list(self.formulas), f"give one number or formula per axis, problem.dim={dim}")
        self._formulas(dim)
        if not config.law.takes_moduli:
            reason = f"law={config.names['law']} has a source that is a number: take constant or expression"
            raise ConfigError("source", "force", reason)

    def build(self, dim: int, eps: float) -> ForceSource:
        from hpms.problem.source.force import ForceSource

        return ForceSource(self._formulas(dim), eps, tuple(self.constants.items()))

    def _formulas(self, dim: int) -> tuple[Formula, ...]:
        return tuple(field_formula(each, dim, self.constants, _KEY) for each in self.formulas or ("0",) * dim)
