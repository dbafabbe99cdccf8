"""One answer of `small_eps.py` that is no network, and its relative energy error: a line of JSON.

    python scripts/benchmark/small_eps_solve.py YARDSTICK p1|p2 CELLS OVERRIDE ...
    python scripts/benchmark/small_eps_solve.py YARDSTICK corrector - OVERRIDE ...
    python scripts/benchmark/small_eps_solve.py YARDSTICK mhm PYTHON:PROBLEM:ACCURACY OVERRIDE ...

The peer is `PYTHON small_eps_mhm.py REQUEST.npz ANSWER.npz`. REQUEST has `problem`, `eps`, `dim`, the `points` (M, d)
where u is wanted, the `accuracy` by which the peer chooses its settings, and the number of `lifts`, 1; ANSWER has the
`gradient` (M, d) or (M, 1, d) of u = w - x₁, which vanishes on ∂Ω, `seconds`, `unknowns` and `settings`.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from small_eps_errors import Yardstick, energy_error, places

import hpms
from hpms.experiment import fine_problem
from hpms.fem.fine.corrector import expansion
from hpms.fem.fine.solve import solve_fine
from hpms.fem.lagrange import LagrangeSpace
from hpms.problem.lifted import LiftedProblem

_PEER = Path(__file__).with_name("small_eps_mhm.py")


@dataclass(frozen=True)
class Answer:
    """∇u at `places`, the seconds that it took, how many unknowns there are, and a `note` of what it is."""

    gradient: Float[np.ndarray, "m d"]
    seconds: float
    unknowns: int
    note: str


def elements(problem: LiftedProblem, degree: int, cells: int) -> Answer:
    """P1 or P2 elements."""
    space = LagrangeSpace(problem.domain.dim, cells, degree)
    found = solve_fine(space, problem.coefficient_at(), problem.source_at(), lifts=1)
    gradient = found.lifted[0].evaluate(places(problem.domain.dim))[1]
    return Answer(gradient, found.assemble_seconds + found.solve_seconds, found.unknowns, f"h = 1/{cells}")


def homogenised(problem: LiftedProblem) -> Answer:
    """Homogenisation with its corrector."""
    periods = problem.coefficient.periods
    if periods is None:
        sys.exit("the medium is not periodic")
    coefficient, source = problem.coefficient_at(), problem.source_at()
    began = time.perf_counter()
    found = expansion(coefficient, source, periods)
    seconds = time.perf_counter() - began
    gradient = found.evaluate(places(problem.domain.dim), 1)[1][:, 0]
    unknowns = found.cell.correctors[0].space.size + found.mean.space.size
    return Answer(gradient, seconds, unknowns, "with corrector")


def peer(problem: LiftedProblem, python: str, name: str, accuracy: str) -> Answer:
    """The multiscale hybrid-mixed method, in an environment of its own."""
    dim, eps, points = problem.domain.dim, problem.domain.eps, places(problem.domain.dim)
    wanted = {"problem": name, "eps": eps, "dim": dim, "accuracy": float(accuracy), "lifts": 1}
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request.npz", Path(folder) / "answer.npz"
        np.savez(request, points=points, **wanted)
        done = subprocess.run([python, str(_PEER), str(request), str(answer)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        with np.load(answer) as found:
            gradient, seconds = found["gradient"].reshape(points.shape), float(found["seconds"])
            return Answer(gradient, seconds, int(found["unknowns"]), str(found["settings"]))


def main() -> None:
    yardstick, method, how, *chosen = sys.argv[1:]
    config = hpms.configure(*chosen)
    config.runtime.setup("auto")
    problem, exact = fine_problem(config), Yardstick.load(Path(yardstick))
    match method:
        case "corrector":
            found = homogenised(problem)
        case "mhm":
            found = peer(problem, *how.rsplit(":", 2))
        case _:
            found = elements(problem, int(method[1]), int(how))
    error = energy_error(problem.coefficient_at(), found.gradient, exact.gradient)
    rung = {"note": found.note, "unknowns": found.unknowns, "seconds": found.seconds, "error": error}
    print(json.dumps(rung | {"known": exact.known, "off": exact.off}))


if __name__ == "__main__":
    main()
