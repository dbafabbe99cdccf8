"""One finite element solution for `small_eps.py`, and how far it is from the reference: a line of JSON.

Where it is the reference itself that is its own error, estimated from a mesh twice as wide.

python scripts/benchmark/small_eps_fem.py ELEMENT CELLS OVERRIDE ...
"""

import json
import sys

import hpms
from hpms.experiment import fine_problem
from hpms.fem.field import side_by_side
from hpms.fem.fine.baseline import element_rule
from hpms.fem.fine.solve import solve_fine
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.validation import relative_errors
from hpms.study.fine import find_reference

_POINTS = 200_000


def main() -> None:
    element, cells, *chosen = sys.argv[1:]
    config = hpms.configure(*chosen)
    config.runtime.setup("auto")
    problem = fine_problem(config)
    reference = find_reference(config, problem)
    exact = reference.lifted[: problem.lifts]
    space = LagrangeSpace(config.problem.dim, int(cells), int(element[1]))
    found = solve_fine(space, problem.coefficient_at(), problem.source_at(), lifts=problem.lifts)
    points, weights = element_rule(space, _POINTS)
    l2, h1 = relative_errors(*side_by_side(found.lifted, points), *side_by_side(exact, points), weights)
    if reference.method == element and round(1 / reference.h) == int(cells):  # the reference itself
        l2, h1 = reference.own_error_l2, reference.own_error_h1
    seconds = found.assemble_seconds + found.solve_seconds
    rung = {"cells": int(cells), "unknowns": found.unknowns, "l2": l2, "h1": h1, "seconds": seconds, "end": ""}
    print(json.dumps(rung))


if __name__ == "__main__":
    main()
