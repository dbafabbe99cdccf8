"""What errors of `small_eps.py` are measured by, to FILE: a series, a mesh of P2 elements, or a network with a bound.

    python scripts/benchmark/small_eps_yardstick.py FILE series|CELLS|RUN OVERRIDE ...

A mesh estimates its own error from one twice as wide, ‖u_h - u_2h‖/√15; a network's is at most its bound. The last line
is that number.
"""

import sys
from pathlib import Path

import numpy as np
from small_eps_errors import Yardstick, energy_error, places

import hpms
from hpms.experiment import fine_problem
from hpms.fem.fine.solve import solve_fine
from hpms.fem.lagrange import LagrangeSpace
from hpms.results.run import StoredRun
from hpms.study.fine import find_reference

_GAIN = 15**0.5


def main() -> None:
    file, how, *chosen = sys.argv[1:]
    config = hpms.configure(*chosen)
    config.runtime.setup("auto")
    problem, points = fine_problem(config), places(config.problem.dim)
    coefficient, source = problem.coefficient_at(), problem.source_at()

    def mesh(cells: int) -> np.ndarray:
        space = LagrangeSpace(config.problem.dim, cells, 2)
        return solve_fine(space, coefficient, source, lifts=1).lifted[0].evaluate(points)[1]

    if how == "series":
        reference = find_reference(config, problem)
        found = Yardstick(reference.evaluate(points)[1], "series", reference.own_error_h1)
    elif how.isdigit():
        gradient = mesh(int(how))
        found = Yardstick(gradient, "finer mesh", energy_error(coefficient, mesh(int(how) // 2), gradient) / _GAIN)
    else:
        bound = StoredRun.at(how).summary["relative_error_bound"]
        found = Yardstick(hpms.load(how).gradient(points), "network", float(bound))
    found.save(Path(file))
    print(found.off)


if __name__ == "__main__":
    main()
