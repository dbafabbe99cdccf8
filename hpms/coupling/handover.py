"""One coupling first, another later."""

from dataclasses import dataclass, replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.base import (
    AbstractCoarseSide,
    AbstractCoupling,
    AbstractCouplingState,
    CoarseRecord,
    CouplingState,
)
from hpms.coupling.lazy import LazyCoarseSide
from hpms.problem.sites import Sites, sites


class HandOverState(AbstractCouplingState):
    """Both states, of which at most one is active, and the factor of the weight, 1."""

    first: CouplingState
    second: CouplingState
    strength: Float[Array, ""]


class HandOverCoupling(AbstractCoupling):
    """The residual vectors of both couplings behind each other; that of the inactive one is zero."""

    first: AbstractCoupling
    second: AbstractCoupling
    nodes: Sites
    split: int = eqx.field(static=True)
    at_points: bool = eqx.field(static=True, default=True)

    @property
    def count(self) -> int:
        return self.first.count + self.second.count

    def means(self, values: Float[Array, " m"] | None, node_values: Float[Array, " f"]) -> Float[Array, " n"]:
        front, back = self._halves(node_values, self.first.nodes.count)
        return jnp.concatenate([self.first.means(values, front), self.second.means(values, back)])

    def spread(self, means: Float[Array, " n"]) -> tuple[Float[Array, " m"] | None, Float[Array, " f"]]:
        front, back = self._halves(means, self.split)
        (values, nodes), (others, more) = self.first.spread(front), self.second.spread(back)
        if values is not None and others is not None:
            values = values + others
        return others if values is None else values, jnp.concatenate([nodes, more])

    def residual(self, means: Float[Array, " n"], state: HandOverState) -> Float[Array, " r"]:
        front, back = self._halves(means, self.split)
        return jnp.concatenate([self.first.residual(front, state.first), self.second.residual(back, state.second)])

    def linearised(
        self, means: Float[Array, " n"], mean_flux: Float[Array, ""], state: HandOverState
    ) -> Float[Array, " r"]:
        front, back = self._halves(means, self.split)
        first = self.first.linearised(front, mean_flux, state.first)
        return jnp.concatenate([first, self.second.linearised(back, mean_flux, state.second)])

    def adjoint(self, means: Float[Array, " n"], state: HandOverState) -> Float[Array, ""]:
        front, back = self._halves(means, self.split)
        return self.first.adjoint(front, state.first) + self.second.adjoint(back, state.second)

    def _halves(self, both: Float[Array, " n"], count: int) -> tuple[Float[Array, " a"], Float[Array, " b"]]:
        return both[:count], both[count:]


@dataclass(frozen=True)
class HandOverRecord:
    """The records of both couplings, and whether it is the second's turn."""

    first: CoarseRecord
    second: CoarseRecord
    over: bool
    strength: float = 1.0

    @property
    def y(self) -> Float[np.ndarray, " n"]:
        return np.concatenate([self.first.y, self.second.y])

    @property
    def p(self) -> Float[np.ndarray, " n"]:
        return np.concatenate([self.first.p, self.second.p])

    @property
    def stage(self) -> int:
        return int(self.over)

    @property
    def updates(self) -> int:
        return self.first.updates + self.second.updates

    @property
    def rejections(self) -> int:
        return self.first.rejections + self.second.rejections


class HandOverSide(AbstractCoarseSide):
    """The first coupling until iteration `switch`, or, if that is None, until J_res < `level` · J_res(v = 0).

    The second takes over at the first coarse update from there on whose K̃ admits a state, for good.
    """

    def __init__(self, first: LazyCoarseSide, second: LazyCoarseSide, switch: int | None, level: float):
        self.first, self.second, self.switch, self.level = first, second, switch, level
        self.interval, self.nodes = first.interval, np.concatenate([first.nodes, second.nodes])

    def initial(self) -> HandOverRecord:
        return HandOverRecord(self.first.initial(), self.second.initial(), over=False)

    def stages(self) -> list[HandOverRecord]:
        return [self.initial(), replace(self.initial(), over=True)]

    def scheduled(self, record: HandOverRecord, iteration: int, relative_residual: float) -> HandOverRecord:
        due = relative_residual < self.level if self.switch is None else iteration >= self.switch
        if record.over or not due:
            return record
        return replace(record, over=True)

    def is_due(self, record: HandOverRecord, upscaled: np.ndarray) -> bool:
        return self.second.is_due(record.second, upscaled) if record.over else self.first.is_due(record.first, upscaled)

    def update(self, record: HandOverRecord, upscaled: np.ndarray, means: np.ndarray) -> HandOverRecord:
        count = len(self.first.nodes)
        if record.over:
            second = self.second.update(record.second, upscaled, means[count:])
            first = replace(self.first.initial(), updates=record.first.updates, rejections=record.first.rejections)
            return replace(record, first=first if second.active else record.first, second=second)
        return replace(record, first=self.first.update(record.first, upscaled, means[:count]))

    def state(self, record: HandOverRecord) -> HandOverState:
        first, second = self.first.state(record.first), self.second.state(record.second)
        return HandOverState(first=first, second=second, strength=jnp.ones_like(first.strength))


def hand_over(
    first: tuple[AbstractCoupling, LazyCoarseSide],
    second: tuple[AbstractCoupling, LazyCoarseSide],
    switch: int | None,
    level: float,
    block: int,
) -> tuple[HandOverCoupling, HandOverSide]:
    """From the first coupling to the second."""
    before, after = first[0], second[0]
    places = jnp.concatenate([before.nodes.every, after.nodes.every])
    coupling = HandOverCoupling(
        first=before,
        second=after,
        nodes=sites(places, block, places.dtype),
        split=len(first[1].nodes),
        at_points=before.at_points or after.at_points,
    )
    return coupling, HandOverSide(first[1], second[1], switch, level)
