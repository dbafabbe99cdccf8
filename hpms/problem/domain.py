"""What every domain offers."""

import abc
import math

import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from hpms.fem.faces import Face
from hpms.fem.validation import validation_points

_MARGIN = 1e-12  # of a side, by which a point may be outside


class AbstractDomain(abc.ABC):
    """Ω in d = `dim` dimensions, and the fine length scale ε = `eps` on it."""

    dim: int
    eps: float

    @property
    @abc.abstractmethod
    def low(self) -> tuple[float, ...]:
        """The lowest corner of the least box with Ω in it."""

    @property
    @abc.abstractmethod
    def sides(self) -> tuple[float, ...]:
        """s, the sides of that box."""

    @property
    @abc.abstractmethod
    def volume(self) -> float:
        """|Ω|."""

    @property
    @abc.abstractmethod
    def surface(self) -> float:
        """|∂Ω|: the number of end points in 1-D, the perimeter in 2-D, the area in 3-D."""

    @property
    @abc.abstractmethod
    def digest(self) -> str:
        """What tells Ω from others of the same box, nothing where it is that box."""

    @abc.abstractmethod
    def sample_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        """Uniform random points in Ω."""

    @abc.abstractmethod
    def lattice_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        """Points in Ω that are spread more evenly than random ones, with a random shift.

        Sums over them integrate smooth functions with an error of about 1/count, where random points have count^-1/2.
        """

    @abc.abstractmethod
    def lattice_layers(
        self, key: PRNGKeyArray, layer: int, core: int, width: float
    ) -> Float[Array, "{layer}+{core} d"]:
        """`layer` points of a lattice where dist(x, ∂Ω) < δ = `width`, then `core` points in the rest of Ω."""

    @abc.abstractmethod
    def core_share(self, width: float) -> float:
        """The part of Ω that is not nearer than `width` to ∂Ω."""

    @abc.abstractmethod
    def sample_boundary(self, key: PRNGKeyArray, count: int) -> Float[Array, "m d"]:
        """Uniform random points on ∂Ω; in 1-D its two points, whatever `count` is."""

    @abc.abstractmethod
    def has(self, points: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " m"]:
        """Whether points lie in Ω or on ∂Ω, up to rounding."""

    @abc.abstractmethod
    def probes(self, count: int) -> Float[np.ndarray, "{count} d"]:
        """Fixed random points in Ω."""

    @abc.abstractmethod
    def face_points(self, face: Face | str) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Quadrature points (M, d) and weights (M,) on a face of a box, or a named part of ∂Ω."""

    @property
    @abc.abstractmethod
    def measuring_cells(self) -> Float[np.ndarray, "t d1 d"] | None:
        """The corners of simplices in which the `measuring_points` lie, equally many in each, or None."""

    @abc.abstractmethod
    def measuring_points(self) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Quadrature points (M, d) and weights (M,) on Ω, at which errors are taken."""


class AbstractBox(AbstractDomain):
    """Π(0, s_a); its lattice is x_k = s frac(r + k α), α_i = g^-i, where g^(d+1) = g + 1 (Kronecker)."""

    @property
    def low(self) -> tuple[float, ...]:
        return (0.0,) * self.dim

    @property
    def digest(self) -> str:
        return ""

    @property
    def volume(self) -> float:
        return math.prod(self.sides)

    @property
    def surface(self) -> float:
        return 2 * sum(self.volume / side for side in self.sides)

    def core_share(self, width: float) -> float:
        return (1 - 2 * width) ** self.dim

    def has(self, points: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " m"]:
        sides = np.array(self.sides)
        return np.all(np.abs(points - sides / 2) <= (0.5 + _MARGIN) * sides, axis=1)

    def probes(self, count: int) -> Float[np.ndarray, "{count} d"]:
        return np.random.default_rng(0).random((count, self.dim)) * np.array(self.sides)

    @property
    def measuring_cells(self) -> None:
        return None

    def face_points(self, face: Face | str) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        assert not isinstance(face, str)
        (axis, end), sides = face, np.array(self.sides)
        flat, shares = np.zeros((1, 0)), np.ones(1)
        if self.dim > 1:
            flat, shares = validation_points(self.dim - 1, self.eps / sides.max())
        return np.insert(flat, axis, end, axis=1) * sides, shares * self.volume / sides[axis]

    def measuring_points(self) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        sides = np.array(self.sides)
        points, weights = validation_points(self.dim, self.eps / sides.max())
        return points * sides, weights * sides.prod()
