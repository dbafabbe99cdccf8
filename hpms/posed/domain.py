"""Domains, as a Python program gives them."""

import abc
from typing import Any, ClassVar


class AbstractDomain(abc.ABC):
    """Ω, and the `option` of `problem` that has it."""

    option: ClassVar[str]

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """d."""

    @property
    @abc.abstractmethod
    def values(self) -> dict[str, Any]:
        """The keys of `problem` that describe Ω."""

    @property
    @abc.abstractmethod
    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The sides of the least box with Ω in it, and its lowest corner."""

    @property
    @abc.abstractmethod
    def described(self) -> str:
        """For a reader."""

    @abc.abstractmethod
    def check(self, eps: float, conditions: Any) -> None:
        """Raises `UserError` unless these are `problem.eps` and `problem.conditions` on Ω."""
