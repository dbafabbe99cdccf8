"""`hpms plot coefficient`: the medium of a configuration and the points that are to see it, before any training."""

from pathlib import Path

import jax
import numpy as np

from hpms.cli.invocation import Invocation
from hpms.commands.result import Result
from hpms.config.config import Config
from hpms.experiment import fine_problem
from hpms.figures.medium import plot_medium
from hpms.figures.medium_view import MediumView
from hpms.figures.style import epsilon, require_matplotlib
from hpms.initial import draw_points
from hpms.problem.lifted import LiftedProblem
from hpms.results.table import table
from hpms.study.medium import Feature, Spread, feature, spread


def run(invocation: Invocation, config: Config, experiment: str) -> Result:
    """Draws and describes the medium of a configuration."""
    require_matplotlib()
    config.runtime.setup(invocation.compilation_cache)
    problem = fine_problem(config)
    points = np.asarray(draw_points(config, problem, jax.random.split(jax.random.key(config.seed))[1])[0])
    cell, found = feature(problem), spread(problem)
    near = points[cell.holds(points)]
    view = MediumView(
        heading=f"coefficient={config.names['coefficient']}, {epsilon(config.problem.eps)}, "
        f"contrast {found.contrast:.3g}",
        coefficient=problem.coefficient_at(),
        sides=np.array(problem.domain.sides),
        low=cell.low,
        high=cell.low + cell.sides,
        is_period=problem.coefficient.periods is not None,
        points=near,
        least=found.least,
        most=found.most,
    )
    folder = Path(invocation.output, "plot", "coefficient", config.identity("problem", "coefficient"))
    paths = sorted(plot_medium(view, folder))
    places = "\n".join(map(str, paths))
    return Result(0, f"{_report(problem, found, cell, len(points), len(near))}\n{places}", tuple(paths))


def _report(problem: LiftedProblem, found: Spread, cell: Feature, points: int, near: int) -> str:
    is_tensor, periods = found.arithmetic.ndim == 2, problem.coefficient.periods
    features = problem.domain.volume / cell.volume
    of = "eigenvalue" if is_tensor else "K"
    rows = [
        [f"least {of}", f"{found.least:.6g}"],
        [f"largest {of}", f"{found.most:.6g}"],
        ["contrast", f"{found.contrast:.4g}"],
        ["arithmetic mean of K", _mean(found.arithmetic)],
        ["harmonic mean of K", _mean(found.harmonic)],
        *([f"share of Ω where K = {k:.6g}", f"{share:.4f}"] for k, share in found.materials),
    ]
    if found.above is not None:
        rows.append([f"share of Ω where K > √(least · largest) = {found.middle:.4g}", f"{found.above:.4f}"])
    rows += [
        ["ε", f"{problem.domain.eps:.6g}"],
        ["periods", ", ".join(f"{p:.6g}" for p in periods) if periods else "none given: a feature is as large as ε"],
        ["features in Ω", f"{features:.6g}"],
        ["collocation points", f"{points}"],
        ["  per feature, on average", f"{points / features:.4g}"],
        ["  in the feature that is drawn", f"{near}"],
    ]
    return table(["medium", ""], rows)


def _mean(mean: np.ndarray) -> str:
    """Five digits; 0 for what the mean of an entry leaves of it by rounding."""
    rows = np.where(np.abs(mean) < 1e-5 * np.abs(mean).max(), 0.0, mean)
    if not rows.ndim:
        return f"{rows:.5g}"
    return "[" + "; ".join(", ".join(f"{entry:.5g}" for entry in row) for row in rows) + "]"
