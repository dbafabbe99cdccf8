"""What a seed draws: the network at random parameters, and the collocation points."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.config.config import Config
from hpms.network.base import AbstractNetwork, Parametrised, Scales, parametrise
from hpms.network.corners import with_corners
from hpms.problem.lifted import LiftedProblem


def network(config: Config, problem: LiftedProblem, key: PRNGKeyArray) -> AbstractNetwork:
    """The configured network with its boundary values, at random parameters."""
    return _network(key, *_parts(config, problem))


def draw_parameters(
    config: Config, problem: LiftedProblem, key: PRNGKeyArray
) -> tuple[Float[Array, " p"], Parametrised]:
    """θ and the map that makes the configured network of it."""
    return _compiled(_parameters, key, *_parts(config, problem))


def draw_points(
    config: Config, problem: LiftedProblem, key: PRNGKeyArray
) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
    """x^r and x^b."""
    return _compiled(_points, key, config.collocation, problem.domain)


def _scales(config: Config, problem: LiftedProblem) -> Scales:
    dim = config.problem.dim
    problem_options = config.problem
    return Scales(
        dim,
        problem_options.eps,
        problem.coefficient.periods,
        config.outputs,
        problem_options.lengths,
        problem_options.wrapped,
        None if problem_options.edges is None else problem_options.low,
        problem_options.edges,
    )


def _parts(config: Config, problem: LiftedProblem) -> tuple[Any, ...]:
    options, scales = config.problem, _scales(config, problem)
    return config.network, config.boundary, options.walls, options.corners, scales, config.runtime.dtype


def _network(
    key: PRNGKeyArray, options: Any, boundary: Any, walls: Any, corners: Any, scales: Scales, dtype: Any
) -> AbstractNetwork:
    found = boundary.wrap(options.build(key, scales, dtype), walls)
    return with_corners(jax.random.fold_in(key, 1), found, corners, scales, dtype) if corners else found


def _parameters(key: PRNGKeyArray, *parts: Any) -> Any:
    return parametrise(_network(key, *parts))


def _points(key: PRNGKeyArray, options: Any, domain: Any) -> Any:
    return options.sample(key, domain)


UNTRACEABLE = (jax.errors.JAXTypeError, jax.errors.JAXIndexError, TypeError)


def _compiled(function: Callable[..., Any], *arguments: Any) -> Any:
    """In one program, where all of it can be traced; that is quicker than one for each operation."""
    try:
        return eqx.filter_jit(function)(*arguments)
    except UNTRACEABLE:
        return function(*arguments)
