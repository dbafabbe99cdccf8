"""What a run trains and with what; nothing of it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.bound.found import ErrorBound
from hpms.coupling.base import AbstractCoarseSolver
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.snapshot import Snapshot
from hpms.training.state import TrainState
from hpms.training.validation import Validation


@runtime_checkable
class Balancing(Protocol):
    """A rule for the weights λ."""

    @property
    def interval(self) -> int | None:
        """How many iterations lie between two of its updates; None where there is none."""
        ...

    def update(self, weights: np.ndarray, norms: np.ndarray) -> np.ndarray:
        """λ (k,) from the last one and the norms of the unweighted terms' gradients (k,)."""
        ...


@runtime_checkable
class Limits(Protocol):
    """When a run ends, and how often it is logged and saved: the keys of `training`."""

    @property
    def iterations(self) -> int: ...

    @property
    def tolerance(self) -> float: ...

    @property
    def divergence(self) -> float | None: ...

    @property
    def wall_limit(self) -> float | None: ...

    @property
    def log_every(self) -> int: ...

    @property
    def checkpoint_seconds(self) -> float: ...

    @property
    def bounds(self) -> int | None: ...

    @property
    def accuracy(self) -> float | None: ...


@dataclass(frozen=True)
class Trainer:
    """What a run trains and with what; `taus` are the weights τ_k, `bound` the error's bound at parameters θ, of which
    no more is computed than shows that it is above a goal.
    """

    loss: Loss
    optimizer: AbstractOptimizer
    balancing: Balancing
    solver: AbstractCoarseSolver | None
    validation: Validation | None
    limits: Limits
    taus: np.ndarray
    bound: Callable[[Array, float | None], ErrorBound]

    @property
    def is_fresh(self) -> bool:
        """Whether each iteration has points of its own: then the tolerance is for the fixed ones of the log."""
        return self.loss.sampler is not None

    def start(self, theta: Array) -> Snapshot:
        """Before the first iteration."""
        weights = jnp.ones(len(self.loss.names), theta.dtype)
        state = TrainState(theta, self.optimizer.init(theta), weights, jnp.zeros((), jnp.int32))
        return Snapshot(state, self.solver.initial() if self.solver else None, None, 0.0, 0.0, fresh=True)
