"""A partition of unity over a box, by windows of overlapping subdomains."""

from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import prod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.jet import Forms, Jet, concatenate, multiply, one, separable


class Piece(eqx.Module):
    """At M points: the number of a subdomain, its window there (M, 1), and the coordinates (M, d) that are -1 and 1 at
    its faces.
    """

    number: Int[Array, " m"]
    window: Jet
    local: Jet


@dataclass(frozen=True)
class Windows:
    """The box with the corner `low` and the `sides` s is cut into n_a = `counts` equal cells of the width h = s_a/n_a
    along each axis. A cell's subdomain has the same middle and the width (1 + δ)h with the `overlap` 0 < δ <= 1, or is
    the whole axis where n_a = 1: along an axis no point lies in more than two.

    Windows are products over the axes. Across a face x_f between two cells that of the left one is 1 - S(t) and that of
    the right one S(t), t = (x - x_f)/δh + 1/2, with the polynomial S of degree 7 that goes from 0 to 1 in [0, 1] with
    three vanishing derivatives at both ends. They add up to 1 and have continuous third derivatives. Along axes that
    are `wrapped` the first cell lies behind the last one.
    """

    low: tuple[float, ...]
    sides: tuple[float, ...]
    counts: tuple[int, ...]
    overlap: float
    wrapped: tuple[int, ...] = ()

    @property
    def number(self) -> int:
        """N, of the subdomains."""
        return prod(self.counts)

    @property
    def meeting(self) -> int:
        """How many subdomains meet at a point at most."""
        return prod(1 if self._is_whole(axis) else 2 for axis in range(len(self.counts)))

    def pieces(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Piece:
        """Of each point the subdomains that it may lie in, equally many, at most 2^d; those of all points (c M) behind
        each other, c times.
        """
        every = product(*(self._along(x, axis, forms) for axis in range(x.shape[1])))
        found = [self._joined(halves) for halves in every]
        return jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *found)

    def _is_whole(self, axis: int) -> bool:
        """Whether one subdomain is all of the axis."""
        return self.counts[axis] == 1 and axis not in self.wrapped

    def _joined(self, halves: tuple[Piece, ...]) -> Piece:
        number = halves[0].number
        for count, half in zip(self.counts[1:], halves[1:], strict=True):
            number = count * number + half.number
        window = reduce(multiply, [half.window for half in halves])
        return Piece(number, window, reduce(concatenate, [half.local for half in halves]))

    def _along(self, x: Float[Array, "m d"], axis: int, forms: Forms | None) -> list[Piece]:
        """Left and right of the nearest face between cells, or the only one."""
        count, wraps = self.counts[axis], axis in self.wrapped
        h, unit = self.sides[axis] / count, jnp.eye(x.shape[1], dtype=x.dtype)[:, axis : axis + 1]
        place = (x[:, axis : axis + 1] - self.low[axis]) / h
        zero = jnp.zeros_like(place)
        if self._is_whole(axis):
            local = separable(2 * place - 1, zero + 2 / h, zero, unit, forms)
            return [Piece(jnp.zeros(len(x), int), one(x, forms), local)]
        face = jnp.clip(jnp.round(place), 0, count)
        t = jnp.clip((place - face) / self.overlap + 0.5, 0, 1)
        if not wraps:
            t = jnp.where(face == 0, 1, jnp.where(face == count, 0, t))
        step, slope, bend = _step(t, 1 / (self.overlap * h))
        found = []
        for beside, window in ((-1, (1 - step, -slope, -bend)), (0, (step, slope, bend))):
            number = face[:, 0].astype(int) + beside
            number = number % count if wraps else jnp.clip(number, 0, count - 1)
            local = 2 * (place - face - beside - 0.5) / (1 + self.overlap)
            box = separable(local, zero + 2 / ((1 + self.overlap) * h), zero, unit, forms)
            found.append(Piece(number, separable(*window, unit, forms), box))
        return found


def _step(t: Float[Array, "m 1"], rate: float) -> tuple[Float[Array, "m 1"], Float[Array, "m 1"], Float[Array, "m 1"]]:
    """S(t) and its first two derivatives in x, where dt/dx is the `rate`."""
    value, both = t**4 * (35 + t * (-84 + t * (70 - 20 * t))), t * (1 - t)
    return value, 140 * rate * both**3, 420 * rate**2 * both**2 * (1 - 2 * t)
