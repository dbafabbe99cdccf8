"""`hpms train`: Algorithm 3.1, one run or an ensemble of seeds."""

import logging
from functools import partial
from pathlib import Path

import jax
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from hpms.cli.invocation import TrainInvocation
from hpms.commands.result import Result, together
from hpms.config.config import Config
from hpms.errors import ConfigError, UserError
from hpms.figures.run import FIGURE, plot_run
from hpms.figures.style import require_matplotlib
from hpms.machine import processes
from hpms.results.place import begun_directories, run_directory
from hpms.results.report import report
from hpms.results.run import FILE, StoredRun
from hpms.runs import Ended, train_runs
from hpms.start import started
from hpms.training.session import DIVERGED, FINISHED, INTERRUPTED, NAN

log = logging.getLogger(__name__)
_OTHERWISE = "the same values would end there again, so change the rate of learning, the precision or the seed"
_REGARDLESS = f"{_OTHERWISE}, or give training.divergence=null for a new run that goes on regardless"


def run(invocation: TrainInvocation, config: Config, experiment: str) -> Result:
    """Trains, continues or finds finished the run of this configuration, or those of an ensemble."""
    plot = invocation.plot and _can_plot()
    config, start = started(config, begun_directories(config, invocation, experiment))
    config.runtime.setup(invocation.compilation_cache, together=True)
    _hush()
    anew = "give a new run_dir to start anew" if invocation.run_dir else "add force=true to start anew in a new place"
    place = partial(run_directory, invocation=invocation, experiment=experiment)
    ended = train_runs(config, invocation.ensemble, place, experiment, anew, start)
    if not processes.is_first():
        return Result(max(map(_code, ended)), "", ())
    return together([_finish(each, plot) if each.outcome else _already(each, plot, anew) for each in ended])


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


def _plot(directory: Path) -> None:
    """A figure beside the run; a finished run stays finished where it fails."""
    try:
        for path in plot_run(StoredRun(directory), directory):
            log.info("%s", path)
    except Exception as error:
        log.warning("the figure of %s failed: %s: %s", directory, type(error).__name__, error)


def _already(ended: Ended, plot: bool, anew: str) -> Result:
    member = ended.member
    assert member.stored is not None
    if plot and not (member.directory / FIGURE).exists():
        _plot(member.directory)
    summary, status, path = member.stored.summary, member.stored.status, member.directory / FILE
    advice = {FINISHED: anew, DIVERGED: _REGARDLESS}.get(status, _OTHERWISE)
    text = [
        report(summary, member.stored.config()),
        f"This run is {status} already ({summary['reason']}): {advice}.",
        str(path),
    ]
    message = f"{status} already: {summary['reason']}"
    return Result(_code(ended), "\n".join(text), (path,), message, news=False)


def _finish(ended: Ended, plot: bool) -> Result:
    outcome, directory = ended.outcome, ended.member.directory
    assert outcome is not None
    if plot:
        _plot(directory)
    path, message = directory / FILE, f"{outcome.status}: {outcome.reason}"
    if outcome.status == INTERRUPTED:
        log.info("The same command continues this run.")
    text = [report(StoredRun(directory).summary, ended.member.config), message, str(path)]
    return Result(_code(ended), "\n".join(text), (path,), message)


def _code(ended: Ended) -> int:
    if ended.outcome is None:
        assert ended.member.stored is not None
        return int(ended.member.stored.status != FINISHED)
    stopped = ended.interrupt.signal if ended.outcome.status == INTERRUPTED else None
    return 128 + stopped if stopped else int(ended.outcome.status in (NAN, DIVERGED))


def _hush() -> None:
    """Of several processes the first alone logs what is no warning. Raises `UserError` for a sweep of several."""
    if jax.process_count() == 1:
        return
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        raise ConfigError("runtime.distributed", "true", "a sweep's jobs have one process each: leave out -m")
    if not processes.is_first():
        logging.disable(logging.INFO)
