"""`hpms train`: Algorithm 3.1, one run or an ensemble of seeds."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from hydra.core.hydra_config import HydraConfig

from hpms.commands.result import Result, together
from hpms.config import Config
from hpms.deadline import deadline
from hpms.errors import UserError
from hpms.experiment import Experiment, build, fine_problem, fingerprint
from hpms.figures.run import FIGURE, plot_run
from hpms.figures.style import require_matplotlib
from hpms.invocation import TrainInvocation
from hpms.measure import Measure, measure
from hpms.problem.lifted import LiftedProblem
from hpms.problem.smoothness import warn_of_roughness
from hpms.results.lock import locked
from hpms.results.place import run_directory
from hpms.results.progress import TrainingProgress
from hpms.results.recorder import RunRecorder
from hpms.results.report import report
from hpms.results.run import FILE, Fixture, StoredRun
from hpms.runtime import provenance
from hpms.size import check_size
from hpms.training.interrupt import Interrupt, interruptible
from hpms.training.loop import train
from hpms.training.session import FINISHED, INTERRUPTED, NAN, Outcome
from hpms.training.snapshot import Snapshot

log = logging.getLogger(__name__)
_ENDED = (FINISHED, NAN)
_OTHERWISE = "the same values would end there again, so change the rate of learning, the precision or the seed"
_PATIENCE = 5.0  # seconds that the reference always has, whatever the wall limit
_SLOW_REFERENCE = (
    "training.wall_limit={} seconds were over before the reference and the fine FEM were there: raise it, or enlarge "
    "reference.h and reference.fem_h."
)


@dataclass(frozen=True)
class Member:
    """One run: its configuration, its directory, and what is stored there."""

    config: Config
    directory: Path
    stored: StoredRun | None

    @property
    def has_ended(self) -> bool:
        return self.stored is not None and self.stored.status in _ENDED

    def reread(self) -> "Member":
        return replace(self, stored=_stored(self.directory))


def run(invocation: TrainInvocation, config: Config, experiment: str) -> Result:
    """Trains, continues or finds finished the run of this configuration, or those of an ensemble."""
    plot = invocation.plot and _can_plot()
    config.runtime.setup(invocation.compilation_cache)
    problem = fine_problem(config)
    check_size(config, problem, invocation.ensemble)
    configs = [replace(config, seed=config.seed + i) for i in range(invocation.ensemble)]
    directories = [run_directory(member, invocation, experiment) for member in configs]
    members = [Member(*parts, _stored(parts[1])) for parts in zip(configs, directories, strict=True)]
    medium, anew, limit = fingerprint(problem), _anew(invocation), config.training.wall_limit
    results = []
    with ExitStack() as stack:
        for member in members:
            if not member.has_ended:
                stack.enter_context(locked(member.directory, f", or {anew}"))
        members = [member if member.has_ended else member.reread() for member in members]
        for member in members:
            if member.stored:
                member.stored.check_medium(medium, anew)
        ended = [member for member in members if member.has_ended]
        pending = [(member, _build(member, problem)) for member in members if not member.has_ended]
        if pending:
            warn_of_roughness(problem.coefficient, config.problem.dim, config.runtime.precision == "float32")
            with deadline(limit and max(limit, _PATIENCE), _SLOW_REFERENCE.format(limit)):
                measured = measure(config, problem)
            with interruptible() as interrupt:
                outcomes = _train(pending, measured, experiment, medium, interrupt)
            results = [_finish(m, o, interrupt, plot) for (m, _), o in zip(pending, outcomes, strict=True)]
    return together([*(_already(member, plot, anew) for member in ended), *results])


def _anew(invocation: TrainInvocation) -> str:
    """How a run is started anew where its directory is taken."""
    return "give a new run_dir to start anew" if invocation.run_dir else "add force=true to start anew in a new place"


def _build(member: Member, problem: LiftedProblem) -> Experiment:
    stored = member.stored
    return build(member.config, problem, stored and stored.points, stored and stored.fixed)


def _can_plot() -> bool:
    """What the command line asks for has to be possible; what an experiment asks for is left out with a warning."""
    try:
        require_matplotlib()
    except UserError as error:
        asked = HydraConfig.get().overrides.task if HydraConfig.initialized() else ()
        if any(override.lstrip("+").startswith("plot=") for override in asked):
            raise
        log.warning("plot=true is left out: %s", error)
        return False
    return True


def _plot(member: Member) -> None:
    """A figure beside the run; a finished run stays finished where it fails."""
    try:
        for path in plot_run(StoredRun(member.directory), member.directory):
            log.info("%s", path)
    except Exception as error:
        log.warning("the figure of %s failed: %s: %s", member.directory, type(error).__name__, error)


def _stored(directory: Path) -> StoredRun | None:
    return StoredRun(directory) if (directory / FILE).exists() else None


def _already(member: Member, plot: bool, anew: str) -> Result:
    assert member.stored is not None
    if plot and not (member.directory / FIGURE).exists():
        _plot(member)
    summary, status, path = member.stored.summary, member.stored.status, member.directory / FILE
    text = [
        report(summary, member.stored.config()),
        f"This run is {status} already ({summary['reason']}): {anew if status == FINISHED else _OTHERWISE}.",
        str(path),
    ]
    message = f"{status} already: {summary['reason']}"
    return Result(0 if status == FINISHED else 1, "\n".join(text), (path,), message, news=False)


def _finish(member: Member, outcome: Outcome, interrupt: Interrupt, plot: bool) -> Result:
    if plot:
        _plot(member)
    path, message = member.directory / FILE, f"{outcome.status}: {outcome.reason}"
    if outcome.status == INTERRUPTED:
        log.info("The same command continues this run.")
    stopped = interrupt.signal if outcome.status == INTERRUPTED else None
    code = 128 + stopped if stopped else int(outcome.status == NAN)
    text = [report(StoredRun(member.directory).summary, member.config), message, str(path)]
    return Result(code, "\n".join(text), (path,), message)


def _train(
    members: Sequence[tuple[Member, Experiment]],
    measured: Measure,
    experiment: str,
    medium: str,
    interrupt: Interrupt,
) -> list[Outcome]:
    if not members:
        return []
    validation = measured.validation(members[0][0].config.runtime.block_size())
    trainers = [built.trainer(validation) for _, built in members]
    starts = [
        _start(member, trainer.start(built.theta)) for (member, built), trainer in zip(members, trainers, strict=True)
    ]
    with TrainingProgress(members[0][0].config.training.iterations, starts[0].iteration) as progress:
        recorders = [
            _recorder(member, built, measured, experiment, medium, len(members), progress if i == 0 else None)
            for i, (member, built) in enumerate(members)
        ]
        try:
            outcomes = train(trainers, starts, recorders, lambda: _reason(interrupt))
            for (_, built), recorder, outcome in zip(members, recorders, outcomes, strict=True):
                recorder.end(outcome, _fields(built, measured, outcome.snapshot))
        except Exception as error:
            for recorder in recorders:
                recorder.fail(f"{type(error).__name__}: {error}")
            raise
    return outcomes


def _start(member: Member, fresh: Snapshot) -> Snapshot:
    if member.stored is None:
        return fresh
    snapshot = member.stored.snapshot(fresh)
    log.info("%s: continues at iteration %d", member.directory, snapshot.iteration)
    return snapshot


def _recorder(
    member: Member,
    built: Experiment,
    measured: Measure,
    experiment: str,
    medium: str,
    members: int,
    progress: TrainingProgress | None,
) -> RunRecorder:
    stored = member.stored
    nodes = built.space.nodes if built.solver is None else built.solver.nodes
    beside = measured.summary() | {"ensemble_members": members}
    fixture = Fixture(member.config, experiment, built.points, built.fixed, nodes, beside, medium)
    sessions = [*(stored.sessions if stored else []), provenance()]
    return RunRecorder(member.directory, fixture, sessions, stored.rows if stored else [], progress)


def _fields(built: Experiment, measured: Measure, snapshot: Snapshot) -> dict[str, np.ndarray]:
    """The network of the best iteration at the validation points, beside the reference."""
    if snapshot.best is None:
        return {}
    return measured.fields(built, jnp.asarray(snapshot.best.theta), built.config.runtime.block_size())


def _reason(interrupt: Interrupt) -> str | None:
    return f"stopped by {interrupt.signal.name}" if interrupt.signal else None
