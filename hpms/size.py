"""Whether an experiment fits into memory, estimated before any of it is built."""

import math
from dataclasses import asdict
from typing import Any

import equinox as eqx
import jax

from hpms.config.config import Config
from hpms.errors import ConfigError
from hpms.fem.elements import elements
from hpms.initial import UNTRACEABLE, network
from hpms.machine.memory import GIGA, available
from hpms.network.fbpinn import Level
from hpms.problem.lifted import LiftedProblem

_COPIES = 12  # θ, its gradient and moments, the best and the latest, on the device and in the run file
_PER_COARSE_UNKNOWN = {1: 500, 2: 3000, 3: 20_000}  # bytes: mesh, matrix and factors
_PER_SENSITIVITY = 24  # bytes for each ∂y_i/∂κ_k at a node, in both precisions and the run file
_PER_PAIR = 16  # bytes for a point and the ball that it lies in


def check_size(config: Config, problem: LiftedProblem, members: int = 1) -> None:
    """Raises `ConfigError` where parameters, points, activations of one block, members or the coarse mesh are larger
    than what there is; the estimate is a lower bound.
    """
    room, needs = available(), _needs(config, problem)
    total = sum(bytes_ if key == "coarse.h" else members * bytes_ for key, bytes_ in needs.items())
    if total <= room:
        return
    key = max(needs, key=lambda name: needs[name])
    group, _, name = key.partition(".")
    value: object = config.names[group] if name == "name" else getattr(getattr(config, group), name)
    value = list(value) if isinstance(value, tuple) else value
    if members > 1 and sum(needs.values()) <= room:
        key, value = "ensemble", members
    raise ConfigError(
        key, value, f"it needs some {total / GIGA:,.3g} GB of memory, and {room / GIGA:.3g} GB are available"
    )


def _needs(config: Config, problem: LiftedProblem) -> dict[str, float]:
    """Bytes by the key that they hang on most."""
    dim, size, points = config.problem.dim, config.runtime.dtype.itemsize, float(config.collocation.interior_points)
    try:
        shapes = eqx.filter_eval_shape(lambda: network(config, problem, jax.random.key(0)))
    except UNTRACEABLE:  # a network that can only be built for real
        shapes = network(config, problem, jax.random.key(0))
    parameters = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes) if hasattr(leaf, "shape"))
    neurons = sum(map(_neurons, jax.tree.leaves(shapes, is_leaf=lambda node: isinstance(node, Level))))
    keys = {name: value for name, value in asdict(config.network).items() if type(value) is int}  # type: ignore[call-overload]
    widest, copies = max(keys, key=keys.__getitem__, default="name"), config.network.copies(dim)
    largest = max(of_all := keys | copies, key=of_all.__getitem__, default="name")
    nodes = elements(1.0, config.coarse.h, config.upscaling.multiple(dim)) ** dim
    block = min(points, config.runtime.block_size())
    lifts, cells = config.upscaling.lifts(dim), math.prod(config.upscaling.cells_along(dim))
    vectors = config.law.components(dim)
    coarse = nodes * vectors * (_PER_COARSE_UNKNOWN[dim] + _PER_SENSITIVITY * cells * lifts**3)
    coarse += _PER_PAIR * config.coupling.pairs(nodes, points, dim)
    of_network = {f"network.{widest}": 4.0 * (dim + 1) * block * neurons * size}
    of_network[f"network.{largest}"] = of_network.get(f"network.{largest}", 0.0) + _COPIES * parameters * size
    return of_network | {
        "collocation.interior_points": (2 * dim + 2 + config.outputs) * points * (8 + 2 * size),
        "collocation.boundary_points": dim * float(config.collocation.boundary_points) * (8 + 2 * size),
        "coarse.h": coarse,
    }


def _neurons(node: Any) -> int:
    """How many of a part of a network are evaluated at a point: of subdomains those that meet there."""
    if isinstance(node, Level):
        return node.neurons
    shape = getattr(node, "shape", ())  # a bias has one axis
    return shape[0] if len(shape) == 1 else 0
