"""What every domain offers."""

import abc
import math

from jaxtyping import Array, Float, PRNGKeyArray


class AbstractDomain(abc.ABC):
    """A box Π(0, s_a) with the `sides` s in d = `dim` dimensions, and the fine length scale ε = `eps` on it."""

    dim: int
    eps: float

    @property
    @abc.abstractmethod
    def sides(self) -> tuple[float, ...]:
        """s."""

    @property
    def volume(self) -> float:
        """|Ω|."""
        return math.prod(self.sides)

    @property
    def surface(self) -> float:
        """|∂Ω|: the number of end points in 1-D, the perimeter in 2-D, the area in 3-D."""
        return 2 * sum(self.volume / side for side in self.sides)

    @abc.abstractmethod
    def sample_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        """Uniform random points in Ω."""

    @abc.abstractmethod
    def lattice_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        """A Kronecker lattice in Ω with a random shift: x_k = s frac(r + k α), α_i = g^-i, where g^(d+1) = g + 1.

        Sums over it integrate smooth functions with an error of about 1/count, where random points have count^-1/2.
        """

    @abc.abstractmethod
    def lattice_layers(
        self, key: PRNGKeyArray, layer: int, core: int, width: float
    ) -> Float[Array, "{layer}+{core} d"]:
        """`layer` points of a lattice where dist(x, ∂Ω) < δ = `width`, then `core` points in the rest of Ω."""

    @abc.abstractmethod
    def sample_boundary(self, key: PRNGKeyArray, count: int) -> Float[Array, "m d"]:
        """Uniform random points on ∂Ω; in 1-D its two points, whatever `count` is."""
