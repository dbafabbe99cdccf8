"""Balls that do not overlap, at random places."""

import math

import numpy as np
from jaxtyping import Float

_TRIES = 1_000  # places drawn at a time; where none of them has room, none is left


def ball_volume(dim: int, radius: float) -> float:
    """The length, area or volume of a ball."""
    return math.pi ** (dim / 2) / math.gamma(dim / 2 + 1) * radius**dim


def packing(
    sides: tuple[float, ...], count: int, radius: float, gap: float, seed: int
) -> Float[np.ndarray, "n d"] | None:
    """`count` centres of balls within Π(0, s_a), `gap` or more apart, by random sequential addition.

    None where one finds no room. It jams at a share of some 0.75 of an interval, 0.55 of a square and 0.38 of a cube.
    """
    room = np.asarray(sides) - 2 * radius
    if (room < 0).any():
        return None
    generator, found = np.random.default_rng(seed), np.empty((0, len(sides)))
    while len(found) < count:
        tried = radius + room * generator.random((_TRIES, len(sides)))
        begun = len(found)
        for centre in tried:
            if len(found) < count and (((found - centre) ** 2).sum(axis=1) >= (2 * radius + gap) ** 2).all():
                found = np.vstack([found, centre])
        if len(found) == begun:
            return None
    return found
