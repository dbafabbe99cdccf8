"""Several runs that differ in the seed alone, trained by one compiled program."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.coupling.base import CoarseView
from hpms.coupling.gather import Gather
from hpms.errors import UserError
from hpms.machine.devices import apart, compiled, gathered, on_all, own, shares
from hpms.machine.runtime import device
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.session import Session
from hpms.training.state import ChunkReport, TrainState, run_chunk
from hpms.training.trainer import Trainer


class Ensemble:
    """N runs whose points, parameters, weights and coarse states lie behind each other along a first axis.

    On a GPU a step of all is one batched step (`vmap`); on a CPU, whose caches hold one network's activations and
    whose batched products are slow, the chunk runs one member after the other (`lax.map`). Either way one program is
    compiled, and the members visit the host together. Several devices have equally many members each
    where these can be divided so, and share the points of each member else.
    """

    def __init__(self, trainers: Sequence[Trainer]):
        first, losses = trainers[0], aligned([trainer.loss for trainer in trainers])
        self.trainers = [
            replace(trainer, loss=loss, optimizer=first.optimizer, validation=first.validation)
            for trainer, loss in zip(trainers, losses, strict=True)
        ]
        self._losses = on_all(_stack(losses))
        self._batched = device().platform != "cpu"

    def advance(self, sessions: Sequence[Session], counts: Sequence[int]) -> list[ChunkReport]:
        """At most `counts[i]` iterations of member i."""
        states = _stack([session.state for session in sessions])
        views = _stack([session.view for session in sessions])
        taus = jnp.stack([session.taus for session in sessions])
        optimizer, tolerance = self.trainers[0].optimizer, sessions[0].tolerance
        states, reports = _run_members(
            self._losses, optimizer, taus, tolerance, states, views, jnp.array(counts), self._batched
        )
        for i, session in enumerate(sessions):
            session.state = _member(states, i)
        return [_member(reports, i) for i in range(len(sessions))]


@compiled
def _run_members(
    losses: Loss,
    optimizer: AbstractOptimizer,
    taus: Float[Array, "n k"],
    tolerance: Float[Array, ""],
    states: TrainState,
    views: CoarseView | None,
    counts: Int[Array, " n"],
    batched: bool,
) -> tuple[TrainState, ChunkReport]:
    arrays, static = eqx.partition((losses, taus, states, views, counts), eqx.is_array)

    def member(arrays: Any) -> Any:
        loss, taus, state, view, count = eqx.combine(arrays, static)
        return run_chunk(loss, optimizer, taus, tolerance, state, view, count)

    def every(arrays: Any) -> Any:
        return jax.vmap(member)(arrays) if batched else jax.lax.map(member, arrays)

    if not shares(len(counts)):
        return every(arrays)
    with apart():
        return gathered(every(own(arrays)))


def aligned(losses: Sequence[Loss]) -> list[Loss]:
    """The losses with one structure and one set of shapes, so that what is compiled for one serves all.

    The rows of a `Gather` are padded with zeros to the longest. Raises `UserError` where anything else differs.
    """
    flat = [jax.tree.flatten(eqx.filter(loss, eqx.is_array), is_leaf=_is_gather) for loss in losses]
    rest = eqx.filter(losses[0], eqx.is_array, inverse=True)
    padded = zip(*(_padded(same) for same in zip(*(leaves for leaves, _ in flat), strict=True)), strict=True)
    return [eqx.combine(jax.tree.unflatten(flat[0][1], leaves), rest) for leaves in padded]


def _is_gather(leaf: Any) -> bool:
    return isinstance(leaf, Gather)


def _padded(leaves: Sequence[Any]) -> list[Any]:
    if _is_gather(leaves[0]):
        width = max(gather.columns.shape[1] for gather in leaves)
        leaves = [gather.widened(width) for gather in leaves]
    if len({tuple(array.shape for array in jax.tree.leaves(leaf)) for leaf in leaves}) > 1:
        raise UserError(
            "the members of this ensemble differ in more than their numbers, as where averaging balls are empty for "
            "some seeds alone: train them one by one, with -m seed=0,1,... ."
        )
    return list(leaves)


def _stack(trees: Sequence[Any]) -> Any:
    arrays = [eqx.filter(tree, eqx.is_array) for tree in trees]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays)
    return eqx.combine(stacked, eqx.filter(trees[0], eqx.is_array, inverse=True))


def _member(tree: Any, index: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)
