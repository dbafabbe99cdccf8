"""What a coupling offers: arrays for the jitted side, a coarse problem on the host."""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.fem.p1 import P1Space
from hpms.jet import Jet
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import Sites, visit_blocks

COLUMNS = 512  # parameters whose means are taken at a time


@dataclass(frozen=True)
class CouplingContext:
    """What a coupling is built for: how κ comes from the network, the coarse space, the fine-scale problem, its
    collocation points (M, d), the points per block, and the network's precision.
    """

    upscaling: AbstractUpscaling
    space: P1Space
    problem: LiftedProblem
    points: np.ndarray
    block: int
    dtype: np.dtype


class CoarseView(eqx.Module):
    """What the jitted side sees of the coarse problem, constant between coarse updates.

    `target` (N, l) is what the means of v_i, i = 1..l, are compared with, computed for the parameters `kappa` (p,),
    which belong to the means `moments` (s,) of the upscaling; it changes with κ by `sensitivity` (N, l, p).
    `contraction` (p,) holds Σ_i p_i^T A_k w_i for the unweighted coupling term and the means of the last update, and
    `matrix` what the coupling makes of κ for itself, such as the harmonic extension of boundary data. `active` is 0
    while there is no coarse state yet; `strength` is the schedule's factor of the weight.
    """

    target: Float[Array, "n l"]
    sensitivity: Float[Array, "n l p"]
    contraction: Float[Array, " p"]
    kappa: Float[Array, " p"]
    moments: Float[Array, " s"]
    active: Float[Array, ""]
    strength: Float[Array, ""]
    matrix: Float[Array, "..."] | None = None

    def followed(self, kappa: Float[Array, " p"]) -> Float[Array, "n l"]:
        """The target for other parameters, to first order."""
        return self.target + self.sensitivity @ (kappa - self.kappa)


class AbstractCoupling(eqx.Module):
    """The coupling term R_δ = ‖r‖², r in R^`count`, as a function of means of v_i, i = 1..l, for the jitted side.

    The means are linear in the `density` at `nodes`, of v or its derivatives with `data` there (in blocks), and, if
    `at_points`, in v at the collocation points; of a `group` of nodes behind each other the mean counts alone. With
    `keeps_adjoint` p stays that of the last coarse update, else it follows the means.
    """

    nodes: eqx.AbstractVar[Sites]
    data: eqx.AbstractVar[Any]
    group: eqx.AbstractVar[int]
    at_points: eqx.AbstractVar[bool]
    keeps_adjoint: eqx.AbstractVar[bool]

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """The number of entries of r."""

    @property
    def is_linear(self) -> bool:
        """Whether r is linear in the means and κ, both together."""
        return True

    @property
    def kept(self) -> int:
        """At how many points the gradients of the densities are there together."""
        return self.nodes.count

    @property
    def blocks(self) -> tuple[Float[Array, "n block d"], Any]:
        """What a scan over the nodes runs through."""
        return self.nodes.points, self.data

    def density(self, jet: Jet, there: Any) -> Float[Array, " b l *f"]:
        """What is averaged, at B nodes: v_i."""
        return jet.value

    @abc.abstractmethod
    def means(self, values: Float[Array, "m l"] | None, node_values: Float[Array, " f l *k"]) -> Float[Array, "n l"]:
        """The means from the values of v at the collocation points, None unless `at_points`, and the densities."""

    @abc.abstractmethod
    def spread(self, means: Float[Array, "n l"]) -> tuple[Float[Array, "m l"] | None, Float[Array, " f l *k"]]:
        """The transpose of `means`."""

    def jacobian(
        self, gradients: Callable[[Any], Float[Array, " g l *k p"]], inside: Float[Array, "m l p"] | None
    ) -> Float[Array, "n l p"]:
        """The derivatives of the means in θ, from those of v at the collocation points, `inside`, and those of the
        mean densities of the groups in a block of nodes.
        """
        found = visit_blocks(gradients, self.blocks)
        nodes = self.nodes.flat(found)
        parts = tuple(None if array is None else jnp.moveaxis(array, -1, 0) for array in (inside, nodes))
        return jnp.moveaxis(jax.lax.map(lambda part: self.means(*part), parts, batch_size=COLUMNS), 0, -1)

    @abc.abstractmethod
    def residual(self, means: Float[Array, "n l"], kappa: Float[Array, " p"], view: CoarseView) -> Float[Array, " r"]:
        """The residual vector r whose squared norm is the (unweighted) term, with y to first order in κ."""

    def adjoint(self, means: Float[Array, "n l"], view: CoarseView) -> Float[Array, " p"]:
        """The derivative of R_δ through κ alone: Σ_i p_i^T A_k w_i of the adjoint part (4.28), per κ_k.

        With p for these means it is ∂_yR_δ·∂y/∂κ_k, by the sensitivities of y; else it is what the last update had.
        """
        if self.keeps_adjoint:
            return view.contraction
        return jax.grad(lambda kappa: jnp.sum(self.residual(means, kappa, view) ** 2))(view.kappa)


@runtime_checkable
class Upscaled(Protocol):
    """What the host's part is told of the network."""

    @property
    def kappa(self) -> Float[Array, " p"]: ...

    @property
    def moments(self) -> Float[Array, " s"]: ...

    @property
    def means(self) -> Float[Array, "n l"] | None: ...


@dataclass(frozen=True)
class CoarseRecord:
    """The coarse side between updates: arrays over all N coarse nodes, and what the lazy rule needs.

    `target` to `strength` as in `CoarseView`; `kappa` is that of the last recomputation, and `stale` says that the
    next one must not be left out; `updates` and `rejections` count.
    """

    y: np.ndarray
    p: np.ndarray
    target: np.ndarray
    sensitivity: np.ndarray
    contraction: np.ndarray
    kappa: np.ndarray
    moments: np.ndarray
    stale: bool
    active: bool | Bool[np.ndarray, ""]
    strength: float
    updates: int
    rejections: int


class AbstractCoarseSolver(abc.ABC):
    """The host's part of a coupling: κ and the means come in, a new record goes out.

    `nodes` (N, d) are where the means and the coarse state live, in so many `columns`.
    """

    interval: int
    nodes: np.ndarray
    columns: int

    @abc.abstractmethod
    def initial(self) -> CoarseRecord:
        """The record before the first update: no coarse state, coupling off."""

    @abc.abstractmethod
    def scheduled(self, record: CoarseRecord, relative_residual: float) -> CoarseRecord:
        """The record as the schedule has it at the present J_res/J_res(v = 0); itself where nothing changes."""

    @abc.abstractmethod
    def is_due(self, record: CoarseRecord, kappa: np.ndarray) -> bool:
        """Whether κ moved enough since the last recomputation, and the coupling is not switched off."""

    @abc.abstractmethod
    def update(self, record: CoarseRecord, found: Upscaled) -> CoarseRecord:
        """Recomputes state and adjoint; with an inadmissible κ the last state stays and p = 0."""

    @abc.abstractmethod
    def view(self, record: CoarseRecord) -> CoarseView:
        """The record as the jitted side sees it."""
