"""`optimizer=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, Fraction, Positive
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.network.base import Parametrised
    from hpms.training.optimizer.adam import AdamOptimizer
    from hpms.training.optimizer.base import AbstractOptimizer
    from hpms.training.optimizer.gauss_newton import GaussNewton
    from hpms.training.optimizer.lbfgs import Lbfgs
    from hpms.training.optimizer.sequence import Sequence
    from hpms.training.optimizer.soap import Soap
    from hpms.training.optimizer.spring import Spring
    from hpms.training.optimizer.ssbroyden import Ssbroyden

Momentum = Annotated[float, Bound(least=0.0, most=1.0)]


class OptimizerOptions(AbstractOptions, abc.ABC):
    """An optimizer; `least_squares` says whether it assembles the Jacobian, which `hpms check` then tests too."""

    least_squares: ClassVar[bool] = False

    def check_size(self, parameters: int, rows: int, averaged: int) -> None:
        """Raises `UserError` where P parameters and R rows are too many; the coupling takes v at `averaged` points."""

    @abc.abstractmethod
    def build(self, model: Parametrised) -> AbstractOptimizer:
        """The optimizer of a network."""


class LeastSquaresOptions(OptimizerOptions):
    """An optimizer that assembles the Jacobian."""

    least_squares: ClassVar[bool] = True

    def check_size(self, parameters: int, rows: int, averaged: int) -> None:
        from hpms.training.least_squares import check_memory

        check_memory(parameters, rows, averaged)


class FixedPointsOptions(OptimizerOptions):
    """An optimizer that compares gradients of two iterations."""

    def check(self, config: Config) -> None:
        if config.collocation.fresh:
            name = config.names["optimizer"]
            allowed = (
                f"optimizer={name} compares gradients at two iterations, whose points must be the same: take uniform"
            )
            raise ConfigError("collocation", config.names["collocation"], allowed)


@register("optimizer", "adam")
@dataclass(frozen=True)
class AdamOptions(OptimizerOptions):
    """`optimizer=adam`: rate `learning_rate` · `decay_rate`^(iteration/`decay_steps`).

    `learning_rate=null` takes the paper's value for the network (MLP 1e-3, Ms-PINN 5e-4). The paper's decay is 0.75
    every 1000 iterations.
    """

    learning_rate: Positive | None
    decay_rate: Fraction
    decay_steps: Count

    def build(self, model: Parametrised) -> AdamOptimizer:
        from hpms.training.optimizer.adam import AdamOptimizer
        from hpms.training.optimizer.decay import ExponentialDecay

        assert self.learning_rate is not None
        return AdamOptimizer(ExponentialDecay(self.learning_rate, self.decay_rate, self.decay_steps))


@register("optimizer", "lbfgs")
@dataclass(frozen=True)
class LbfgsOptions(FixedPointsOptions):
    """`optimizer=lbfgs`: `memory` pairs of steps and gradients, at most `trials` evaluations per line search."""

    memory: Count
    trials: Count

    def build(self, model: Parametrised) -> Lbfgs:
        from hpms.training.optimizer.lbfgs import Lbfgs

        return Lbfgs(self.memory, self.trials)

    def check_size(self, parameters: int, rows: int, averaged: int) -> None:
        from hpms.training.optimizer.lbfgs import check_pairs

        check_pairs(self.memory, parameters)


@register("optimizer", "adam_then_lbfgs")
@dataclass(frozen=True)
class AdamThenLbfgsOptions(FixedPointsOptions):
    """`optimizer=adam_then_lbfgs`: `switch` steps of Adam, then L-BFGS, with the keys of both."""

    switch: Count
    learning_rate: Positive | None
    decay_rate: Fraction
    decay_steps: Count
    memory: Count
    trials: Count

    def check_size(self, parameters: int, rows: int, averaged: int) -> None:
        LbfgsOptions(self.memory, self.trials).check_size(parameters, rows, averaged)

    def build(self, model: Parametrised) -> Sequence:
        from hpms.training.optimizer.sequence import Sequence

        adam = AdamOptions(self.learning_rate, self.decay_rate, self.decay_steps)
        return Sequence(adam.build(model), LbfgsOptions(self.memory, self.trials).build(model), self.switch)


@register("optimizer", "ssbroyden")
@dataclass(frozen=True)
class SsbroydenOptions(FixedPointsOptions):
    """`optimizer=ssbroyden`: at most `trials` evaluations per line search; up to 10,000 parameters."""

    trials: Count

    def check_size(self, parameters: int, rows: int, averaged: int) -> None:
        from hpms.training.optimizer.ssbroyden import check_matrix

        check_matrix(parameters)

    def build(self, model: Parametrised) -> Ssbroyden:
        from hpms.training.optimizer.ssbroyden import Ssbroyden

        return Ssbroyden(self.trials)


@register("optimizer", "soap")
@dataclass(frozen=True)
class SoapOptions(OptimizerOptions):
    """`optimizer=soap`: the rate as Adam's, `b1` and `b2` of the moments, the eigenbases every `refresh` steps."""

    learning_rate: Positive
    decay_rate: Fraction
    decay_steps: Count
    b1: Fraction
    b2: Fraction
    refresh: Count

    def build(self, model: Parametrised) -> Soap:
        from hpms.training.optimizer.decay import ExponentialDecay
        from hpms.training.optimizer.soap import Soap

        rate = ExponentialDecay(self.learning_rate, self.decay_rate, self.decay_steps)
        return Soap(model.unravel, rate, self.b1, self.b2, self.refresh)


@register("optimizer", "gauss_newton")
@dataclass(frozen=True)
class GaussNewtonOptions(LeastSquaresOptions):
    """`optimizer=gauss_newton`: `damping` μ at the start, and `min_damping`, relative to the diagonal of J^T J.

    After `trials` factorisations without an acceptable step the run ends.
    """

    damping: Positive
    min_damping: Positive
    trials: Count

    def build(self, model: Parametrised) -> GaussNewton:
        from hpms.training.optimizer.gauss_newton import GaussNewton

        return GaussNewton(self.damping, self.min_damping, self.trials)


@register("optimizer", "spring")
@dataclass(frozen=True)
class SpringOptions(LeastSquaresOptions):
    """`optimizer=spring`: `damping` μ relative to the diagonal of J^T J; `momentum` m, 0 for plain natural gradient."""

    damping: Positive
    momentum: Momentum

    def build(self, model: Parametrised) -> Spring:
        from hpms.training.optimizer.spring import Spring

        return Spring(self.damping, self.momentum)
