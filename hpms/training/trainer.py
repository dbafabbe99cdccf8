"""What a run trains and with what; nothing of it changes."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.coupling.base import AbstractCoarseSolver
from hpms.options.balancing import BalancingOptions
from hpms.options.training import TrainingOptions
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.snapshot import Snapshot
from hpms.training.state import TrainState
from hpms.training.validation import Validation


@dataclass(frozen=True)
class Trainer:
    """What a run trains and with what; `taus` are the weights τ_k."""

    loss: Loss
    optimizer: AbstractOptimizer
    balancing: BalancingOptions
    solver: AbstractCoarseSolver | None
    validation: Validation | None
    limits: TrainingOptions
    taus: np.ndarray

    @property
    def is_fresh(self) -> bool:
        """Whether each iteration has points of its own: then the tolerance is for the fixed ones of the log."""
        return self.loss.sampler is not None

    def start(self, theta: Array) -> Snapshot:
        """Before the first iteration."""
        weights = jnp.ones(len(self.loss.names), theta.dtype)
        state = TrainState(theta, self.optimizer.init(theta), weights, jnp.zeros((), jnp.int32))
        return Snapshot(state, self.solver.initial() if self.solver else None, None, 0.0, 0.0, fresh=True)
