"""`training=...`: how long a run goes on and how often it is logged and saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, NonNegative, Positive
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from hpms.config.config import Config


@register("training", "default")
@dataclass(frozen=True)
class TrainingOptions(AbstractOptions):
    """`training`: stops at `iterations`, when J_res + τ₁ J_bnd < `tolerance`, or after `wall_limit` seconds.

    Where each iteration has points of its own the tolerance is for the fixed ones of the log, at a logged iteration.
    A line is logged every `log_every` iterations; a checkpoint is written at least every `checkpoint_seconds` seconds.
    A run that met its wall limit is resumed by the same command. It has diverged, and ends, where at a logged iteration
    J_res is more than `divergence` times the least so far and more than that of v = 0; null: never.

    At the end, and every `bound_every` iterations where that is not null, the energy error is bounded without a
    reference, at about `bound_points` points or fewer (null: as many as the medium asks for, 0: not at all). A run ends
    as soon as the bound, relative to the solution, is at most `accuracy`; then `bound_every` null is `log_every`.
    """

    iterations: Count
    tolerance: NonNegative
    divergence: Annotated[float, Bound(above=1.0)] | None
    wall_limit: Positive | None
    log_every: Count
    checkpoint_seconds: NonNegative
    bound_every: Count | None
    bound_points: NonNegative | None
    accuracy: Positive | None

    @property
    def bounds(self) -> int | None:
        """How many iterations lie between two bounds, None for none but at the end."""
        return self.bound_every or (None if self.accuracy is None else self.log_every)

    def check(self, config: Config) -> None:
        for key in ("bound_every", "accuracy"):
            if getattr(self, key) is not None and self.bound_points == 0:
                raise ConfigError(f"training.{key}", getattr(self, key), "training.bound_points=0 allows no bound")
