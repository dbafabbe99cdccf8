"""Several runs that differ in the seed alone, trained by one compiled program."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.coupling.base import AbstractCouplingState
from hpms.runtime import device
from hpms.training.objective import Objective
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.session import Session, Trainer
from hpms.training.state import ChunkReport, TrainState, run_chunk


class Ensemble:
    """N runs whose points, parameters, weights and coarse states lie behind each other along a first axis.

    On a GPU a step of all is one batched step (`vmap`); on a CPU, whose caches hold one network's activations and
    whose batched products are slow, the chunk runs one member after the other (`lax.map`). Either way one program is
    compiled, and the members visit the host together.
    """

    def __init__(self, trainers: Sequence[Trainer]):
        first, objectives = trainers[0], aligned([trainer.objective for trainer in trainers])
        self.trainers = [
            replace(trainer, objective=objective, optimizer=first.optimizer, validation=first.validation)
            for trainer, objective in zip(trainers, objectives, strict=True)
        ]
        self._objectives = _stack(objectives)
        self._batched = device().platform != "cpu"

    def advance(self, sessions: Sequence[Session], counts: Sequence[int]) -> list[ChunkReport]:
        """At most `counts[i]` iterations of member i."""
        states = _stack([session.state for session in sessions])
        coupling_states = _stack([session.coupling_state for session in sessions])
        optimizer, taus, tolerance = self.trainers[0].optimizer, sessions[0].taus, sessions[0].tolerance
        states, reports = _run_members(
            self._objectives, optimizer, taus, tolerance, states, coupling_states, jnp.array(counts), self._batched
        )
        for i, session in enumerate(sessions):
            session.state = _member(states, i)
        return [_member(reports, i) for i in range(len(sessions))]


@eqx.filter_jit
def _run_members(
    objectives: Objective,
    optimizer: AbstractOptimizer,
    taus: Float[Array, " k"],
    tolerance: Float[Array, ""],
    states: TrainState,
    coupling_states: AbstractCouplingState | None,
    counts: Int[Array, " n"],
    batched: bool,
) -> tuple[TrainState, ChunkReport]:
    arrays, static = eqx.partition((objectives, states, coupling_states, counts), eqx.is_array)

    def member(arrays: Any) -> Any:
        objective, state, coupling_state, count = eqx.combine(arrays, static)
        return run_chunk(objective, optimizer, taus, tolerance, state, coupling_state, count)

    return jax.vmap(member)(arrays) if batched else jax.lax.map(member, arrays)


def aligned(objectives: Sequence[Objective]) -> list[Objective]:
    """The objectives with one structure and one set of shapes, so that what is compiled for one serves all.

    Sparse rows (`Gather`) are padded with zeros to the longest.
    """
    parts = [eqx.partition(objective, eqx.is_array) for objective in objectives]
    structure, static = jax.tree.structure(parts[0][0]), parts[0][1]
    leaves = [jax.tree.leaves(arrays) for arrays, _ in parts]
    shapes = [tuple(map(max, *(leaf.shape for leaf in same))) for same in zip(*leaves, strict=True)]
    return [eqx.combine(jax.tree.unflatten(structure, list(map(_padded, member, shapes))), static) for member in leaves]


def _padded(array: Array, shape: tuple[int, ...]) -> Array:
    if array.shape == shape:
        return array
    return jnp.pad(array, [(0, wanted - size) for size, wanted in zip(array.shape, shape, strict=True)])


def _stack(trees: Sequence[Any]) -> Any:
    arrays = [eqx.filter(tree, eqx.is_array) for tree in trees]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays)
    return eqx.combine(stacked, eqx.filter(trees[0], eqx.is_array, inverse=True))


def _member(tree: Any, index: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)
