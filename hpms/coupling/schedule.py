"""How the weight of a coupling changes during training."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """A factor of τ₂, 1 or 0, set anew at each coarse update.

    `constant` is 1; `until` is 1 until J_res < `level` · J_res(v = 0), and 0 from there on. (Balancing multiplies τ₂
    too: that is `balancing`, not this.)
    """

    kind: Literal["constant", "until"]
    level: float

    def strength(self, last: float, relative_residual: float) -> float:
        """The factor from the `last` one and J_res/J_res(v = 0)."""
        if self.kind == "constant":
            return 1.0
        return 0.0 if last == 0 or relative_residual < self.level else 1.0
