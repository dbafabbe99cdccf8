"""What all workers of `peers.py` share: the problem, and the commands they answer. Needs NumPy and nothing else."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Problem:
    """The points, interior (M, 2) and on the four sides (4, B/4, 2), and the weights (n, k) and biases (k,) to start
    from, all float32.
    """

    eps: float
    learning_rate: float
    interior: np.ndarray
    sides: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def widths(self) -> list[int]:
        """Neurons per layer, input and output included."""
        return [len(self.layers[0][0]), *[len(bias) for _, bias in self.layers]]

    def save(self, path: str) -> None:
        arrays = {f"{kind}{i}": a for i, pair in enumerate(self.layers) for kind, a in zip("wb", pair, strict=True)}
        np.savez(
            path,
            eps=self.eps,
            learning_rate=self.learning_rate,
            interior=self.interior,
            sides=self.sides,
            **arrays,  # type: ignore[arg-type]
        )

    @staticmethod
    def load(path: str) -> "Problem":
        with np.load(path) as found:
            count = sum(name.startswith("w") for name in found)
            layers = tuple((found[f"w{i}"], found[f"b{i}"]) for i in range(count))
            scalars = float(found["eps"]), float(found["learning_rate"])
            return Problem(*scalars, found["interior"], found["sides"], layers)

    @staticmethod
    def random(eps: float, interior: int, boundary: int, widths: Sequence[int]) -> "Problem":
        """Uniform points, as many on each side, and a Glorot-initialised network with small biases."""
        rng = np.random.default_rng(0)
        side, along = np.repeat([[0.0], [1.0]], boundary // 4, axis=1), rng.random((4, boundary // 4))
        sides = [*np.stack([side, along[:2]], axis=2), *np.stack([along[2:], side], axis=2)]
        layers = tuple(
            (rng.normal(0, (2 / (n + k)) ** 0.5, (n, k)).astype("f4"), rng.normal(0, 0.1, k).astype("f4"))
            for n, k in pairwise(widths)
        )
        return Problem(eps, 1e-3, rng.random((interior, 2)).astype("f4"), np.stack(sides).astype("f4"), layers)


def medium(x1: Any, x2: Any, eps: float, library: Any) -> tuple[Any, Any, Any, Any]:
    """K, ∂₁K, ∂₂K and f = q + ∂₁K by the functions of `library` (numpy, jax.numpy, torch)."""
    a, b = np.pi / eps, 2 * np.pi / eps
    coefficient = 3 + library.sin(a * x1) + library.sin(b * x2)
    slopes = a * library.cos(a * x1), b * library.cos(b * x2)
    source = 10 * library.exp(-100 * ((x1 - 0.5) ** 2 + (x2 - 0.5) ** 2))
    return coefficient, *slopes, source + slopes[0]


class Peer(Protocol):
    """A PINN that is trained on mean residual² + mean boundary value² with Adam."""

    def loss(self) -> float:
        """At the present weights."""
        ...

    def run(self, count: int) -> None:
        """`count` steps; returns when they are done."""
        ...


def versions(*packages: str) -> dict[str, str]:
    """The installed version of each package."""
    return {package: version(package) for package in packages}


def serve(build: Callable[[Problem], Peer], about: Callable[[], Mapping[str, Any]]) -> None:
    """Builds the peer for the problem in `sys.argv[1]` and says what it is, then answers each line on standard input,
    "loss" or "step N" (by the seconds that N steps took). All replies are lines of JSON.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the library prints is not a reply

    def reply(value: Any) -> None:
        print(json.dumps(value), file=replies, flush=True)

    peer = build(Problem.load(sys.argv[1]))
    reply(about())
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "loss":
            reply(peer.loss())
        else:
            start = time.perf_counter()
            peer.run(int(arguments[0]))
            reply(time.perf_counter() - start)
