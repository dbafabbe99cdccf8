"""What a coupling offers: arrays for the jitted side, a coarse problem on the host."""

import abc
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float

from hpms.problem.sites import Sites


class AbstractCouplingState(eqx.Module):
    """What the jitted side sees of the coarse problem; `strength` is the schedule's factor of the weight."""

    strength: eqx.AbstractVar[Float[Array, ""]]


class CouplingState(AbstractCouplingState):
    """What the jitted side sees of the coarse problem, constant between coarse updates.

    `target` (N,) is what the means are compared with; `contraction` (d, d) holds p^T A^{ab} y for the unweighted
    coupling term; `active` is 0 while there is no coarse state yet. The target was computed for the mean flux
    `mean_flux` and changes with it by `sensitivity` (N,). `strength` is the schedule's factor of the weight.
    """

    target: Float[Array, " n"]
    contraction: Float[Array, "d d"]
    active: Float[Array, ""]
    sensitivity: Float[Array, " n"]
    mean_flux: Float[Array, ""]
    strength: Float[Array, ""]


class AbstractCoupling(eqx.Module):
    """The coupling term R_δ = ‖r‖², r in R^`count`, as a function of means of v, for the jitted side.

    The means are taken of v at `nodes` and, if `at_points`, at the collocation points.
    """

    nodes: eqx.AbstractVar[Sites]
    at_points: eqx.AbstractVar[bool]

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """The number of entries of r."""

    @abc.abstractmethod
    def means(self, values: Float[Array, " m"] | None, node_values: Float[Array, " f"]) -> Float[Array, " n"]:
        """The means of v from its values at the collocation points, None unless `at_points`, and at `nodes`."""

    @abc.abstractmethod
    def spread(self, means: Float[Array, " n"]) -> tuple[Float[Array, " m"] | None, Float[Array, " f"]]:
        """The transpose of `means`."""

    @abc.abstractmethod
    def residual(self, means: Float[Array, " n"], state: AbstractCouplingState) -> Float[Array, " r"]:
        """The residual vector r whose squared norm is the (unweighted) term."""

    @abc.abstractmethod
    def linearised(
        self, means: Float[Array, " n"], mean_flux: Float[Array, ""], state: AbstractCouplingState
    ) -> Float[Array, " r"]:
        """`residual` with y to first order in the mean flux, so that its derivative in θ is that of r."""

    @abc.abstractmethod
    def adjoint(self, means: Float[Array, " n"], state: AbstractCouplingState) -> Float[Array, ""]:
        """The derivative of R_δ through K̃ alone, per unit of the mean flux: the adjoint part, Eq. (4.28)."""


@dataclass(frozen=True)
class CoarseRecord:
    """The coarse side between updates: arrays over all N coarse nodes, and what the lazy rule needs.

    `upscaled` is K̃ at the last recomputation (NaN forces the next one), `sensitivity` the target's derivative in the
    mean flux, `strength` the schedule's factor; `updates` and `rejections` count.
    """

    y: np.ndarray
    p: np.ndarray
    target: np.ndarray
    contraction: np.ndarray
    upscaled: np.ndarray
    active: bool | Bool[np.ndarray, ""]
    sensitivity: np.ndarray
    strength: float
    updates: int
    rejections: int

    @property
    def stage(self) -> int:
        """Which of several couplings is at work."""
        return 0


class AbstractCoarseSide(abc.ABC):
    """The host's part of a coupling: K̃ and the means come in, a new record goes out.

    `nodes` (N, d) are where the means and the coarse state live. A record is a dataclass of arrays, numbers and such
    dataclasses, with `y`, `p`, `strength`, `stage`, `updates` and `rejections`; beyond them it is the side's own.
    """

    interval: int
    nodes: np.ndarray

    @abc.abstractmethod
    def initial(self) -> Any:
        """The record before the first update: no coarse state, coupling off."""

    def stages(self) -> list[Any]:
        """Initial records of all that the coupling can be, one behind the other in time."""
        return [self.initial()]

    @abc.abstractmethod
    def scheduled(self, record: Any, iteration: int, relative_residual: float) -> Any:
        """The record as the schedule has it at an iteration with J_res/J_res(v = 0); itself where nothing changes."""

    @abc.abstractmethod
    def is_due(self, record: Any, upscaled: np.ndarray) -> bool:
        """Whether K̃ moved enough since the last recomputation, and the coupling is not switched off."""

    @abc.abstractmethod
    def update(self, record: Any, upscaled: np.ndarray, means: np.ndarray) -> Any:
        """Recomputes state and adjoint; with an inadmissible K̃ the last state stays and p = 0."""

    @abc.abstractmethod
    def state(self, record: Any) -> AbstractCouplingState:
        """The record as the jitted side sees it."""
