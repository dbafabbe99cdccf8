"""`hpms check`: are the derivatives of this configuration right?"""

import logging
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Float

from hpms.cli.invocation import Invocation
from hpms.commands.result import Result
from hpms.config.config import Config
from hpms.config.stated import stated
from hpms.coupling.coarse import coarse_space
from hpms.errors import UserError
from hpms.experiment import Experiment, build, fine_problem
from hpms.initial import network
from hpms.machine.runtime import provenance
from hpms.network.base import parametrise
from hpms.problem.lifted import LiftedProblem
from hpms.results.hdf5 import atomic_h5, write_attributes
from hpms.results.table import table
from hpms.size import check_size
from hpms.training.loss import COUPLING
from hpms.verification.adjoint import check_adjoint
from hpms.verification.check import Check
from hpms.verification.derivatives import check_jet, check_manufactured
from hpms.verification.gradient import Reduced, check_gradient
from hpms.verification.rows import check_rows, check_system

log = logging.getLogger(__name__)
_POINTS, _DRAWS, _NOISE = 200, 100, 0.02


def run(invocation: Invocation, config: Config, experiment: str) -> Result:
    """A table of checks; exit code 1 if one fails."""
    config = replace(config, runtime=replace(config.runtime, precision="float64"))
    config.runtime.setup(invocation.compilation_cache)
    problem = fine_problem(config)
    check_size(config, problem)
    built = build(config, problem)
    log.info("%s", stated(config))
    checks = verify(config, built)
    path = Path(invocation.output, "check", experiment, config.identity(), f"seed={config.seed}", "check.h5")
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        results = file.create_group("checks")
        for check in checks:
            write_attributes(results.create_group(check.name), {"measured": check.measured, "passed": check.passed})
    rows = [[c.name, f"{c.measured:.3g}", c.allowed, "ok" if c.passed else "FAILED"] for c in checks]
    failed = sum(not check.passed for check in checks)
    verdict = f"{failed} of {len(checks)} checks failed." if failed else f"All {len(checks)} checks passed."
    text = [table(["check (float64)", "measured", "allowed", ""], rows), verdict, str(path)]
    return Result(int(failed > 0), "\n".join(text), (path,), verdict)


def verify(config: Config, built: Experiment) -> list[Check]:
    """All checks of an experiment, at random parameters for which κ admits a coarse state."""
    loss, solver = built.loss, built.solver
    points = built.problem.domain.sample_interior(jax.random.key(config.seed), _POINTS)
    full = Reduced(loss, solver, built.taus)
    theta = _admissible_parameters(config, built.problem, full)
    checks = [
        *check_jet(loss.model(theta), points, built.problem.law.forms),
        *check_manufactured(built.problem, points),
    ]
    checks += check_adjoint(coarse_space(built.problem, built.space), loss.upscaling.cells, config.seed)
    checks += check_gradient("objective", full, theta, config.seed)
    checks += check_rows(full, theta, config.seed)
    if config.optimizer.least_squares:
        checks += check_system(full, theta, config.seed)
    if COUPLING in loss.names:
        alone = Reduced(loss, solver, np.array([float(name == COUPLING) for name in loss.names]))
        checks += check_gradient("coupling term alone", alone, theta, config.seed)
    return checks


def _admissible_parameters(config: Config, problem: LiftedProblem, reduced: Reduced) -> Float[Array, " p"]:
    """Initial parameters of the network with biases moved from zero; drawn again while κ is not admissible."""
    for draw in range(_DRAWS):
        key = jax.random.fold_in(jax.random.key(config.seed), draw)
        theta, _ = parametrise(network(config, problem, key))
        theta += _NOISE * jax.random.normal(key, theta.shape, theta.dtype)
        if reduced.is_admissible(theta):
            return theta
    raise UserError(
        f"in {_DRAWS} draws no initial network has a positive upscaled coefficient: nothing can be checked."
    )
