"""What a coupling offers: arrays for the jitted side, a coarse problem on the host."""

import abc
from dataclasses import dataclass

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float


class CouplingState(eqx.Module):
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
    """The coupling term R_δ = ‖r‖² as a function of means of v, for the jitted side."""

    nodes: eqx.AbstractVar[Float[Array, "f d"]]

    @abc.abstractmethod
    def means(self, values: Float[Array, " m"], node_values: Float[Array, " f"]) -> Float[Array, " n"]:
        """The means of v from its values at the collocation points and at `nodes`."""

    @abc.abstractmethod
    def spread(self, means: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, " f"]]:
        """The transpose of `means`."""

    @abc.abstractmethod
    def residual(self, means: Float[Array, " n"], state: CouplingState) -> Float[Array, " n"]:
        """The residual vector r whose squared norm is the (unweighted) term."""

    @abc.abstractmethod
    def linearised(
        self, means: Float[Array, " n"], mean_flux: Float[Array, ""], state: CouplingState
    ) -> Float[Array, " n"]:
        """`residual` with the target to first order in the mean flux, so that its derivative in θ is that of r."""

    @abc.abstractmethod
    def adjoint(self, state: CouplingState) -> Float[Array, ""]:
        """d(p^T B_h y)/d(mean flux): the adjoint part of the gradient, Eq. (4.28), per unit of ∂(mean flux)/∂θ."""


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


class AbstractCoarseSide(abc.ABC):
    """The host's part of a coupling: K̃ and the means come in, a new record goes out."""

    interval: int

    @abc.abstractmethod
    def initial(self) -> CoarseRecord:
        """The record before the first update: no coarse state, coupling off."""

    @abc.abstractmethod
    def scheduled(self, record: CoarseRecord, iteration: int, relative_residual: float) -> CoarseRecord:
        """The record with the schedule's factor for an iteration and J_res/J_res(v = 0)."""

    @abc.abstractmethod
    def is_due(self, record: CoarseRecord, upscaled: np.ndarray) -> bool:
        """Whether K̃ moved enough since the last recomputation, and the coupling is not switched off."""

    @abc.abstractmethod
    def update(self, record: CoarseRecord, upscaled: np.ndarray, means: np.ndarray) -> CoarseRecord:
        """Recomputes state and adjoint; with an inadmissible K̃ the last state stays and p = 0."""

    @abc.abstractmethod
    def state(self, record: CoarseRecord) -> CouplingState:
        """The record as the jitted side sees it."""
