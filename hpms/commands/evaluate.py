"""`hpms evaluate`: a stored network against its reference, or another one."""

import hashlib
import json
import logging
from pathlib import Path

from hpms.cli.invocation import EvaluateInvocation
from hpms.commands.result import Result
from hpms.config.config import Config
from hpms.config.stated import stated
from hpms.machine.runtime import provenance
from hpms.reload import config_here, reload
from hpms.results.hdf5 import atomic_h5, write_arrays, write_attributes
from hpms.results.report import report
from hpms.results.run import StoredRun

log = logging.getLogger(__name__)


def run(invocation: EvaluateInvocation, config: None, experiment: str) -> Result:
    """Computes the run's errors and writes them."""
    stored = StoredRun.at(invocation.run)
    chosen = config_here(stored, {key: value for key, value in invocation.reference.items() if value is not None})
    chosen.runtime.setup(invocation.compilation_cache)
    loaded = reload(stored, invocation.checkpoint, chosen)
    log.info("%s", stated(chosen))
    summary = {
        **loaded.summary(),
        **loaded.errors,
        **(loaded.balance.summary() if loaded.balance else {}),
        "upscaled_coefficient": loaded.upscaled,
        "residual_loss": loaded.residual_loss,
        "iteration": loaded.iteration,
        "checkpoint": invocation.checkpoint,
    }
    path = _path(stored, loaded.iteration, invocation, chosen)
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        write_attributes(file.create_group("summary"), summary | {"run": str(stored.path)})
        write_arrays(file.create_group("fields"), loaded.fields())
    return Result(0, f"{report(summary, chosen)}\n{path}", (path,))


def _path(stored: StoredRun, iteration: int, invocation: EvaluateInvocation, config: Config) -> Path:
    """One place for each run, checkpoint and reference."""
    what = [
        stored.identity,
        invocation.checkpoint,
        iteration,
        config.identity("reference"),
        str(stored.path.resolve()),
    ]
    digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]
    return Path(invocation.output, "evaluate", stored.experiment, digest, f"seed={config.seed}", "evaluation.h5")
