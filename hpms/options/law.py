"""`law=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions
from hpms.options.field import build_field, check_field

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.options.problem import ProblemOptions
    from hpms.problem.coefficient.base import AbstractCoefficient
    from hpms.problem.law.base import AbstractLaw

_KEY = "law.reaction"


class LawOptions(AbstractOptions, abc.ABC):
    """The operator A of A w = q; whether it is linear, and its coefficient a pair of elastic moduli; and what
    `upscaling=auto` stands for where there is something to upscale, and the `symbol` of what is upscaled.
    """

    @property
    @abc.abstractmethod
    def is_the_papers(self) -> bool:
        """Whether it is -∇·(K∇w), without more."""

    takes_moduli: ClassVar[bool] = False
    is_linear: ClassVar[bool] = True
    upscaling: ClassVar[str] = "isotropic"
    symbol: ClassVar[str] = "K̃"

    def components(self, dim: int) -> int:
        """Those of w."""
        return 1

    def lacks_bound(self, problem: ProblemOptions) -> str:
        """Why no bound of the error is known with the conditions of a problem, or nothing."""
        return ""

    @abc.abstractmethod
    def build(self, coefficient: AbstractCoefficient, sides: tuple[float, ...], eps: float) -> AbstractLaw:
        """A on the box with these sides."""


@register("law", "diffusion")
@dataclass(frozen=True)
class DiffusionOptions(LawOptions):
    """`law=diffusion`: A w = -∇·(K∇w) + c w. K is the `coefficient`, a number or a tensor (`coefficient=tensor`);
    `reaction` is c >= 0, a number or a formula in x1, x2, x3 and eps, or null for 0.
    """

    reaction: str | None

    @property
    def is_the_papers(self) -> bool:
        return self.reaction is None

    def check(self, config: Config) -> None:
        if self.reaction is None:
            return
        check_field(self.reaction, config.problem.dim, _KEY)
        if config.problem.is_the_papers:
            reason = (
                "there is no coefficient to upscale with a reaction: take problem=box and conditions of your own, such "
                "as {all:{dirichlet:0}}"
            )
            raise ConfigError(_KEY, self.reaction, reason)
        if getattr(config.reference, "method", None) == "exact":
            raise ConfigError("reference.method", "exact", "it is for law.reaction=null; choose auto, p2 or p1")

    def build(self, coefficient: AbstractCoefficient, sides: tuple[float, ...], eps: float) -> AbstractLaw:
        from hpms.problem.law.diffusion import Diffusion

        if self.reaction is None:
            return Diffusion(coefficient)
        return Diffusion(coefficient, build_field(self.reaction, sides, eps, _KEY))
