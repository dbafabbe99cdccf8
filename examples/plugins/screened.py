"""A law: A w = -∇·(K∇w) + K w/ℓ², screened diffusion of the length ℓ, for a K that is a number."""

from dataclasses import dataclass

import equinox as eqx

from hpms.config.registry import register
from hpms.config.schema import Positive
from hpms.errors import ConfigError
from hpms.options.law import LawOptions
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.source.base import AbstractSource


class Screening(AbstractSource):
    coefficient: AbstractCoefficient
    length: float = eqx.field(static=True)

    def value(self, x):
        return self.coefficient.value(x) / self.length**2


@register("law", "screened")
@dataclass(frozen=True)
class ScreenedOptions(LawOptions):
    length: Positive

    @property
    def is_the_papers(self):
        return False

    def check(self, config):
        if config.problem.is_the_papers:
            raise ConfigError("law", "screened", "there is nothing to upscale with a reaction: take problem=box")

    def build(self, coefficient, sides, eps):
        if coefficient.forms is not None:
            raise ConfigError("law", "screened", "its coefficient is a number, no tensor")
        return Diffusion(coefficient, Screening(coefficient, self.length))
