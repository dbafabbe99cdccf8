"""What every network offers, and its parameters as one vector θ."""

import abc
from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet
from hpms.problem.walls import AbstractEdges, AbstractWalls


@dataclass(frozen=True)
class Scales:
    """What a network may know of its problem: d, ε, the periods of K^ε per axis (lengths), where it has them, the
    number l of lifted problems, for each of which it has an output, the sides of the box, 1 where they are None, the
    axes along which it is to be periodic, and, where the domain is no box, the lowest corner of the box around it and
    the `edges` of it that have layers.
    """

    dim: int
    eps: float
    periods: tuple[float, ...] | None
    outputs: int = 1
    sides: tuple[float, ...] | None = None
    wrapped: tuple[int, ...] = ()
    low: tuple[float, ...] | None = None
    edges: AbstractEdges | None = None


class AbstractNetwork(eqx.Module):
    """v_θ: R^d -> R^l. Its parameters are its arrays, but for those wrapped in `Fixed`."""

    @abc.abstractmethod
    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """Value, gradient and the second derivatives of the `forms`, by default the Laplacian, at M points; under
        `jit`, what is not used is not computed.
        """

    def vanishing(self, walls: AbstractWalls | None = None) -> "AbstractNetwork | None":
        """This network made to vanish on `walls`, None for all of ∂Ω of the unit cube, in a way of its own, or None:
        then it is multiplied by l(x).
        """
        return None


def jet_of(network: AbstractNetwork, x: Float[Array, "m d"], forms: Forms | None) -> Jet:
    """The network's jet; one that knows the Laplacian alone need not take `forms`."""
    return network.jet(x) if forms is None else network.jet(x, forms)


class Fixed(eqx.Module):
    """An array that is not trained, such as the frequencies of Fourier features."""

    array: Array


class Parametrised(eqx.Module):
    """The map θ -> network, for θ in R^P; its own arrays are the fixed ones."""

    frame: AbstractNetwork
    unravel: Callable[[Array], AbstractNetwork] = eqx.field(static=True)

    def __call__(self, theta: Float[Array, " p"]) -> AbstractNetwork:
        return eqx.combine(self.unravel(theta), self.frame)


def parametrise(network: AbstractNetwork) -> tuple[Float[Array, " p"], Parametrised]:
    """Splits a network into its parameter vector θ and the map that rebuilds it."""
    trained, frame = eqx.partition(
        network, lambda leaf: eqx.is_inexact_array(leaf), is_leaf=lambda leaf: isinstance(leaf, Fixed)
    )
    theta, unravel = ravel_pytree(trained)
    return theta, Parametrised(frame, unravel)


def glorot(key: PRNGKeyArray, shape: tuple[int, int], dtype: jnp.dtype) -> Float[Array, "n k"]:
    """A weight matrix of normal entries, cut off at two deviations, of variance 2/(n + k): Glorot and Bengio (2010)."""
    return jax.nn.initializers.glorot_normal()(key, shape, dtype)
