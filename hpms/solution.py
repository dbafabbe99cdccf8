"""A trained network with all that it came from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.bound.found import ErrorBound
from hpms.config.config import Config
from hpms.experiment import Experiment
from hpms.machine.runtime import flags
from hpms.problem.lifted import alone
from hpms.problem.sites import sites
from hpms.study.balance import Balance, balance
from hpms.study.measure import Measure
from hpms.training.loss import Evaluation
from hpms.training.state import evaluate
from hpms.training.validation import fields


@dataclass(frozen=True, repr=False)
class Solution:
    """The network v_i ≈ u_i = w_i - ℓ_i, i = 1..l, with the parameters θ of an `iteration`, and what it is measured by.
    ℓ_i = x_i on the unit cube of the paper, and has the given values with conditions of one's own. In elasticity i runs
    through the components of w, and where there are unit strains through those of all w_l behind each other.

    Points outside Ω are refused, and one point (d,) has one value. `history` has one array per logged metric, its first
    axis running through the logged iterations; `status` is that of the run (finished, interrupted, nan, ...).
    """

    built: Experiment
    theta: Array
    iteration: int
    measured: Measure
    history: dict[str, np.ndarray]
    status: str

    @property
    def config(self) -> Config:
        return self.built.config

    def __repr__(self) -> str:
        network = f"network={self.config.names['network']} with P = {self.theta.size:,} parameters"
        return f"Solution: {network} at iteration {self.iteration}, {self.status}"

    def value(self, points: Any) -> Float[np.ndarray, "..."]:
        """v at points of Ω (M, d): (M,), or (M, l) where l > 1."""
        return self._at(points)[0]

    def gradient(self, points: Any) -> Float[np.ndarray, "... d"]:
        """∇v at points of Ω (M, d): (M, d), or (M, l, d) where l > 1."""
        return self._at(points)[1]

    def w(self, points: Any) -> Float[np.ndarray, "..."]:
        """w_i = v_i + ℓ_i, which solves the equation, at points of Ω (M, d): (M,), or (M, l) where l > 1."""
        return self._unlifted(points)[0]

    def flux(self, points: Any) -> Float[np.ndarray, "... d"]:
        """-K∇w_i, in elasticity the rows of -σ, at points of Ω (M, d): (M, d), or (M, l, d) where l > 1."""
        return self._unlifted(points)[1]

    @property
    def errors(self) -> dict[str, float | list[float]]:
        """`relative_l2` = ‖v - u‖/‖u‖ and `relative_h1` = ‖∇v - ∇u‖/‖∇u‖ of all v_i together, and where l > 1 the lists
        `lifted_l2` and `lifted_h1` of each; empty with `reference=none`.
        """
        with flags(self.config):
            return self.measured.errors(self.built.loss.model, self.theta, self._block)

    @cached_property
    def error_bound(self) -> ErrorBound:
        """A bound of the energy error |||v - u||| that needs no reference."""
        with flags(self.config):
            return self.built.bound(self.theta)

    @cached_property
    def balance(self) -> Balance | None:
        """What flows out of the cells of a coarse grid and is not from a source, of a box; None on other domains."""
        with flags(self.config):
            return balance(self.built.problem, self._total)

    @property
    def upscaled(self) -> Float[np.ndarray, "*n d d"]:
        """K̃[v], or K̃^j (N, d, d) of cells; of unit strains C̃ (d(d+1)/2, d(d+1)/2), in Mandel's scaling."""
        return self.built.loss.upscaling.tensors(np.asarray(self._evaluation.kappa, np.float64))

    @property
    def residual_loss(self) -> float:
        """J_res at the collocation points."""
        return float(self._evaluation.terms[0])

    def fields(self) -> dict[str, np.ndarray]:
        """What a run file has in `fields`: the network, its averages and the reference at points and coarse nodes."""
        with flags(self.config):
            return self.measured.fields(self.built, self.theta, self._block)

    def summary(self) -> dict[str, Any]:
        """The numbers of the reference and the fine FEM that stand beside the network's."""
        return self.measured.summary()

    @cached_property
    def _evaluation(self) -> Evaluation:
        loss, solver = self.built.loss, self.built.solver
        with flags(self.config):
            return evaluate(loss, self.theta, solver and solver.view(solver.initial()))

    @cached_property
    def _offset(self) -> np.ndarray:
        """What makes ∫ w = 0 where w floats."""
        if not self.built.problem.floats:
            return np.zeros(1)
        return self.measured.mean(self._network(self.measured.points)[0])

    @property
    def _block(self) -> int:
        return self.config.runtime.block_size()

    def _at(self, points: Any) -> tuple[np.ndarray, np.ndarray]:
        places = self._checked(points)
        with flags(self.config):
            value, gradient = self._lifted(places)
            return _of(points, value), _of(points, gradient)

    def _unlifted(self, points: Any) -> tuple[np.ndarray, np.ndarray]:
        places = self._checked(points)
        with flags(self.config):
            w, flux = self._total(places)
            return _of(points, w), _of(points, flux)

    def _total(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.built.problem.unlifted(points, *self._lifted(points))

    def _lifted(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, gradient = self._network(points)
        return value - self._offset, gradient

    def _network(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = sites(jnp.asarray(points), self._block, jnp.dtype("float64"))
        value, gradient = fields(self.built.loss.model, self.theta, places)
        return np.asarray(value), np.asarray(gradient)

    def _checked(self, points: Any) -> np.ndarray:
        """(M, d), one point as (1, d)."""
        found, sides, domain = (
            np.asarray(points, np.float64),
            np.array(self.config.problem.lengths),
            self.built.problem.domain,
        )
        if found.ndim not in (1, 2) or found.shape[-1] != len(sides):
            example = ", ".join(f"{side / 2:g}" for side in sides)
            raise ValueError(
                f"points of shape {found.shape} are not (M, {len(sides)}): give one row for each point, such as "
                f"[[{example}]], or one point."
            )
        found = np.atleast_2d(found)
        if not (inside := domain.has(found)).all():
            place, where = ", ".join(f"{x:g}" for x in found[~inside][0]), self.config.problem.described()
            raise ValueError(f"({place}) is not in {where}: the network knows nothing of what is outside.")
        return found


def _of(points: Any, found: np.ndarray) -> np.ndarray:
    """What was found at points, of one point without the first axis."""
    return alone(found) if np.ndim(points) == 2 else np.asarray(alone(found)[0])
