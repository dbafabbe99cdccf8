"""The learning rate of Section 4.4."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ExponentialDecay:
    """`start` · `factor`^(iteration/`steps`)."""

    start: float
    factor: float
    steps: int

    def __call__(self, iteration: Any) -> Any:
        return self.start * self.factor ** (iteration / self.steps)
