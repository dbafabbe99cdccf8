"""Runs in their directories: each is found, continued, or begun, and left as a whole file."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from hpms.config.config import Config
from hpms.config.stated import stated
from hpms.experiment import Experiment, build, fine_problem
from hpms.machine import processes
from hpms.machine.deadline import deadline
from hpms.machine.runtime import provenance
from hpms.problem.lifted import LiftedProblem
from hpms.problem.smoothness import warn_of_rough_data, warn_of_roughness
from hpms.results.lock import locked
from hpms.results.progress import TrainingProgress
from hpms.results.recorder import RunRecorder, SilentRecorder
from hpms.results.run import FILE, Fixture, StoredRun
from hpms.size import check_size
from hpms.solution import Solution
from hpms.study.measure import Measure, measure
from hpms.training.interrupt import Interrupt, interruptible
from hpms.training.loop import train
from hpms.training.session import ENDED, INTERRUPTED, NAN, Outcome
from hpms.training.snapshot import Snapshot
from hpms.training.start import Start

log = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds that the reference always has, whatever the wall limit
_SLOW_REFERENCE = (
    "training.wall_limit={} seconds were over before the reference and the fine FEM were there: raise it, or enlarge "
    "reference.h and reference.baseline_h."
)


@dataclass(frozen=True)
class Member:
    """One run: its configuration, its directory, and what is stored there."""

    config: Config
    directory: Path
    stored: StoredRun | None

    @classmethod
    def at(cls, config: Config, directory: Path) -> "Member":
        """The run of that directory as it is now."""
        return cls(config, directory, StoredRun(directory) if (directory / FILE).exists() else None)

    @property
    def has_ended(self) -> bool:
        return self.stored is not None and self.stored.status in ENDED


@dataclass(frozen=True)
class Ended:
    """A run, how its training ended, None if it had ended before, and the signal that asked it to stop, if one did."""

    member: Member
    outcome: Outcome | None
    interrupt: Interrupt


def train_runs(
    config: Config,
    count: int,
    directory: Callable[[Config], Path],
    experiment: str,
    anew: str,
    start: Start | None = None,
) -> list[Ended]:
    """Trains, continues or finds ended the runs of `count` seeds from that of the configuration on.

    `runtime.setup()` has to come first. `directory` says where the run of a seed lies, `anew` how one is started anew
    where that is taken; those that are begun have the parameters of `start`, if there is one. Raises `UserError` for
    what does not fit into memory, for a directory that another process holds, for a run whose medium has changed, and
    where the wall limit is over before there is a reference.
    """
    problem = fine_problem(config)
    check_size(config, problem, count)
    configs = [replace(config, seed=config.seed + i) for i in range(count)]
    places = processes.decided(lambda: [str(directory(each)) for each in configs])
    members = [Member.at(each, Path(place)) for each, place in zip(configs, places, strict=True)]
    with ExitStack() as stack:
        processes.decided(lambda: _hold(stack, [m.directory for m in members if not m.has_ended], anew))
        members = [m if m.has_ended else Member.at(m.config, m.directory) for m in members]
        processes.agree("the run that they find", [m.stored and m.stored.summary for m in members])
        processes.agree("the parameters that they start from", start and start.parent.digest)
        for member in members:
            if member.stored:
                member.stored.check_medium(problem, anew)
        found = [Ended(member, None, Interrupt()) for member in members if member.has_ended]
        pending = [(member, _build(member, problem, start)) for member in members if not member.has_ended]
        if pending:
            measured = measure_in_time(config, problem)
            with interruptible() as interrupt:
                outcomes = _train(pending, measured, experiment, interrupt, anew, start)
            found += [Ended(m, outcome, interrupt) for (m, _), outcome in zip(pending, outcomes, strict=True)]
    return found


def _hold(stack: ExitStack, directories: Sequence[Path], anew: str) -> None:
    for directory in directories:
        stack.enter_context(locked(directory, f", or {anew}"))


def measure_in_time(config: Config, problem: LiftedProblem) -> Measure:
    """What the network is measured by, within the wall limit; warns where the coefficient is not smooth."""
    log.info("%s", stated(config))
    limit = config.training.wall_limit
    of_network = config.network.remarks(problem.coefficient.periods, config.problem.eps)
    for remark in [*config.coefficient.remarks(problem.coefficient), *of_network]:
        log.info(remark)
    warn_of_rough_data(problem)
    is_single, domain = config.runtime.precision == "float32", problem.domain
    warn_of_roughness(problem.law.spectrum, domain.sides, is_single, domain.low)
    with processes.in_turn(), deadline(limit and max(limit, _PATIENCE), _SLOW_REFERENCE.format(limit)):
        return measure(config, problem)


def _build(member: Member, problem: LiftedProblem, start: Start | None) -> Experiment:
    if member.stored is None:
        return build(member.config, problem, start=start)
    return build(member.config, problem, member.stored.points, member.stored.fixed)


def _train(
    members: Sequence[tuple[Member, Experiment]],
    measured: Measure,
    experiment: str,
    interrupt: Interrupt,
    anew: str,
    start: Start | None,
) -> list[Outcome]:
    config, theta = members[0][0].config, members[0][1].theta
    log.info("network=%s has P = %s parameters", config.names["network"], f"{theta.size:,}")
    validation = measured.validation(members[0][0].config.runtime.block_size())
    trainers = [built.trainer(validation) for _, built in members]
    starts = [
        _start(member, trainer.start(built.theta), anew, start)
        for (member, built), trainer in zip(members, trainers, strict=True)
    ]
    with TrainingProgress(config.training.iterations, starts[0].iteration, config.law.symbol) as progress:
        recorders = [
            _recorder(member, built, measured, experiment, len(members), progress if i == 0 else None, start)
            for i, (member, built) in enumerate(members)
        ]
        try:
            outcomes = train(trainers, starts, recorders, lambda: _reason(interrupt))
            for recorder, outcome in zip(recorders, outcomes, strict=True):
                if outcome.status != NAN:
                    recorder.save(outcome.snapshot)
            for (_, built), recorder, outcome in zip(members, recorders, outcomes, strict=True):
                recorder.end(outcome, *_found(built, measured, outcome))
        except Exception as error:
            for recorder in recorders:
                recorder.fail(f"{type(error).__name__}: {error}")
            raise
    return outcomes


def _start(member: Member, fresh: Snapshot, anew: str, start: Start | None) -> Snapshot:
    if member.stored is None:
        if start is not None:
            log.info("starts from iteration %d of %s", start.parent.iteration, start.parent.path)
        return fresh
    snapshot = member.stored.snapshot(fresh, anew)
    log.info("%s: continues at iteration %d", member.directory, snapshot.iteration)
    return snapshot


def _recorder(
    member: Member,
    built: Experiment,
    measured: Measure,
    experiment: str,
    members: int,
    progress: TrainingProgress | None,
    start: Start | None,
) -> RunRecorder | SilentRecorder:
    if not processes.is_first():
        return SilentRecorder()
    stored = member.stored
    nodes = built.space.nodes if built.solver is None else built.solver.nodes
    beside = measured.summary() | {"ensemble_members": members}
    if built.solver is not None:
        beside["tau2"] = float(built.taus[-1])
    options = member.config.problem
    kept = member.config.coefficient.kept(options.dim) | options.kept()
    fixture = Fixture(member.config, experiment, built.points, built.fixed, nodes, beside, built.problem.digest, kept)
    earlier = stored.sessions if stored else []
    parent = start.parent.attributes() if start and not stored else {}
    sessions = [*earlier, provenance() | parent]
    return RunRecorder(member.directory, fixture, sessions, stored.rows if stored else [], progress)


def _found(built: Experiment, measured: Measure, outcome: Outcome) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The network of the best iteration at the validation points, beside the reference; and of an ended run the bound
    of its error and its energy error where there is a reference.
    """
    best, config, block = outcome.snapshot.best, built.config, built.config.runtime.block_size()
    if best is None:
        return {}, {}
    theta = jnp.asarray(best.theta)
    fields = measured.fields(built, theta, block)
    if outcome.status == INTERRUPTED:
        return fields, {}
    found = _balanced(Solution(built, theta, best.iteration, measured, {}, outcome.status))
    if config.training.bound_points != 0 and not config.law.lacks_bound(config.problem):
        try:
            bound = built.bound(theta)
            found |= bound.summary()
            fields |= {"error_bound": bound.density(measured.points)}
        except Exception as error:
            log.warning("no bound of the error: %s: %s; lower training.bound_points", type(error).__name__, error)
    return fields, found | measured.energy_error(built, theta, block)


def _balanced(solution: Solution) -> dict[str, Any]:
    try:
        return {} if solution.balance is None else solution.balance.summary()
    except Exception as error:
        log.warning("no mass balance: %s: %s", type(error).__name__, error)
        return {}


def _reason(interrupt: Interrupt) -> str | None:
    return f"stopped by {interrupt.signal.name}" if interrupt.signal else None
