"""`training=...`: how long a run goes on and how often it is logged and saved."""

from dataclasses import dataclass
from typing import Annotated

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, NonNegative, Positive
from hpms.options.base import AbstractOptions


@register("training", "default")
@dataclass(frozen=True)
class TrainingOptions(AbstractOptions):
    """`training`: stops at `iterations`, when J_res + τ₁ J_bnd < `tolerance`, or after `wall_limit` seconds.

    Where each iteration has points of its own the tolerance is for the fixed ones of the log, at a logged iteration.
    A line is logged every `log_every` iterations; a checkpoint is written at least every `checkpoint_seconds` seconds.
    A run that met its wall limit is resumed by the same command. It has diverged, and ends, where at a logged iteration
    J_res is more than `divergence` times the least so far and more than that of v = 0; null: never.
    """

    iterations: Count
    tolerance: NonNegative
    divergence: Annotated[float, Bound(above=1.0)] | None
    wall_limit: Positive | None
    log_every: Count
    checkpoint_seconds: NonNegative
