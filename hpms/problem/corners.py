"""Functions that solutions have at corners: r^α sin(αθ) and its like, cut off away from the corner.

Where the interior angle is ω, a solution of -∇·(K∇w) = q with w = 0 on both edges behaves like r^α sin(αθ), α = π/ω,
with no flux through both like r^α cos(αθ), and with one of each like the one or the other with α = π/2ω (Grisvard,
Elliptic Problems in Nonsmooth Domains, 1985). Where α < 1 its second derivatives are not in L²(Ω): no smooth network
has it, and least squares of the strong residual end at another function.
"""

from dataclasses import dataclass
from math import atan2, cos, pi, sin

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet, multiply, wanted

_LEAST = 1e-12  # of the radius, at which r is cut off


@dataclass(frozen=True)
class Corner:
    """χ(r/R) r^α sin(αθ), or the cosine for `is_even`, with χ(t) = (1 - t²)³ up to the `radius` R; θ runs from 0 on the
    edge with the direction `start` through the interior angle `angle`.
    """

    point: tuple[float, float]
    start: float
    angle: float
    radius: float
    exponent: float
    is_even: bool

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """(M, 1)."""
        return multiply(self._cut_off(x, forms), self._singular(x, forms))

    def _away(self, x: Float[Array, "m d"]) -> tuple[Float[Array, "m 1"], Float[Array, "m 1"]]:
        return x[:, :1] - self.point[0], x[:, 1:] - self.point[1]

    def _singular(self, x: Float[Array, "m d"], forms: Forms | None) -> Jet:
        """Re(c z^α) of the complex z = e^{-iφ}(x - x₀), φ the direction into the middle of the angle: harmonic."""
        a, b = self._away(x)
        middle = self.start + self.angle / 2
        across, along = a * cos(middle) + b * sin(middle), b * cos(middle) - a * sin(middle)
        r = jnp.maximum(jnp.sqrt(a**2 + b**2), _LEAST * self.radius)
        turn = jnp.arctan2(along, across)
        phase = self.exponent * self.angle / 2 - (0.0 if self.is_even else pi / 2)

        def part(order: int) -> tuple[Array, Array]:
            """Real and imaginary part of the derivative of that order, back in x."""
            power = self.exponent - order
            angle = power * turn + phase - order * middle
            size = r**power
            for k in range(order):
                size = size * (self.exponent - k)
            return size * jnp.cos(angle), size * jnp.sin(angle)

        (value, _), (first, other), (second, mixed) = part(0), part(1), part(2)
        entries = {(0, 0): second, (0, 1): -mixed, (1, 1): -second}
        bends = tuple(sum(c * entries[i, j] for i, j, c in form) for form in wanted(forms, 2))
        return Jet(value, (first, -other), bends, forms)  # type: ignore[arg-type]

    def _cut_off(self, x: Float[Array, "m d"], forms: Forms | None) -> Jet:
        a, b = self._away(x)
        rest = jnp.maximum(1 - (a**2 + b**2) / self.radius**2, 0)
        slope, bend = -6 * rest**2 / self.radius**2, 24 * rest / self.radius**4
        entries = {(0, 0): bend * a * a + slope, (0, 1): bend * a * b, (1, 1): bend * b * b + slope}
        bends = tuple(sum(c * entries[i, j] for i, j, c in form) for form in wanted(forms, 2))
        return Jet(rest**3, (slope * a, slope * b), bends, forms)  # type: ignore[arg-type]


def corner(
    point: tuple[float, float],
    ahead: tuple[float, float],
    behind: tuple[float, float],
    radius: float,
    held: tuple[bool, bool],
) -> Corner:
    """At a vertex whose edges have the directions `ahead` and `behind`, the domain lying to the left of the first;
    `held` says whether w is given on each.
    """
    start = atan2(ahead[1], ahead[0])
    angle = (atan2(behind[1], behind[0]) - start) % (2 * pi)
    exponent = pi / angle if held[0] == held[1] else pi / (2 * angle)
    return Corner(point, start, angle, radius, exponent, not held[0])
