"""Relative energy errors of all methods of `small_eps.py` but the network, at the same points."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from hpms.fem.sample import Function
from hpms.fem.tensors import applied
from hpms.fem.validation import ratio

_ALONG = {2: 450, 3: 60}


def places(dim: int) -> Float[np.ndarray, "m d"]:
    """A random point in each of 450² squares, or 60³ cubes, of the same size: no period resonates with them."""
    count = _ALONG[dim]
    corners = np.indices((count,) * dim).reshape(dim, -1).T
    return (corners + np.random.default_rng(0).random(corners.shape)) / count


def energy_error(coefficient: Function, gradient: Float[np.ndarray, "m d"], exact: Float[np.ndarray, "m d"]) -> float:
    """‖K^{1/2}(∇v - ∇u)‖/‖K^{1/2}∇u‖ by the mean over `places`."""
    k = coefficient(places(exact.shape[1]))
    squares = [float(np.einsum("ma,ma->", each, applied(k, each))) for each in (gradient - exact, exact)]
    return ratio(squares[0] ** 0.5, squares[1] ** 0.5)


def at_most(rung: Mapping[str, Any]) -> float:
    """The error of an answer, and that of what it is measured by: orthogonal to it on a finer mesh, else added."""
    return math.hypot(rung["error"], rung["off"]) if rung["known"] == "finer mesh" else rung["error"] + rung["off"]


@dataclass(frozen=True)
class Yardstick:
    """∇u at `places`, how it is `known`, and how far it is `off` itself (relative, in energy)."""

    gradient: Float[np.ndarray, "m d"]
    known: str
    off: float

    def save(self, path: Path) -> None:
        partial = path.with_suffix(".part.npz")
        np.savez(partial, gradient=self.gradient, known=self.known, off=self.off)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Yardstick":
        with np.load(path) as file:
            return cls(file["gradient"], str(file["known"]), float(file["off"]))
