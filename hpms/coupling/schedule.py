"""How the weight of a coupling changes during training."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """A factor of τ₂, between 1 and 0, set anew at each coarse update.

    `constant` is 1; `decaying` is 2^(-iteration/`half_life`); `until` is 1 until J_res < `level` · J_res(v = 0), and 0
    from there on. (Balancing multiplies τ₂ too: that is `balancing`, not this.)
    """

    kind: Literal["constant", "decaying", "until"]
    half_life: int
    level: float

    def strength(self, last: float, iteration: int, relative_residual: float) -> float:
        """The factor at an iteration, from the `last` one and J_res/J_res(v = 0)."""
        match self.kind:
            case "constant":
                return 1.0
            case "decaying":
                return 2.0 ** (-iteration / self.half_life)
            case "until":
                return 0.0 if last == 0 or relative_residual < self.level else 1.0
