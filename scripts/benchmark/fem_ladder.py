"""P1 solutions on finer and finer meshes, with errors and seconds, for `time_to_accuracy.py`."""

import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

import hpms
from hpms.experiment import fine_problem
from hpms.options.reference import needed
from hpms.study.fine import find_baseline, find_reference

CELLS = {"osc1d": [60 * 4**k for k in range(7)], "osc2d": [20 * 2**k for k in range(6)]}  # 1/h
_ROUNDS = 3


@dataclass(frozen=True)
class Rung:
    """A P1 solution with `cells` cells per axis: its relative errors, and the seconds of assembly and solution."""

    cells: int
    unknowns: int
    l2: float
    h1: float
    seconds: float


def ladder(problem: str, output: Path, more: Sequence[str]) -> list[Rung]:
    """The solutions of an experiment, with `more` overrides; from OUTPUT/fem_PROBLEM.json where they are there.

    Seconds are the median of three, after one that is not counted.
    """
    path = output / f"fem_{problem}.json"
    if path.exists():
        found = [Rung(**values) for values in json.loads(path.read_text())]
        if [rung.cells for rung in found] == CELLS[problem]:
            return found
    config = hpms.configure(f"+experiment={problem}", f"output={output}", *more)
    config.runtime.setup()
    lifted = fine_problem(config)
    exact = find_reference(config, lifted)
    rungs = []
    for cells in CELLS[problem]:
        solutions = []
        for _ in range(1 + _ROUNDS):
            with tempfile.TemporaryDirectory() as scratch:  # an empty cache: the seconds are to be measured
                chosen = replace(needed(config.reference), baseline_h=1 / cells, cache=scratch)
                solutions.append(find_baseline(replace(config, reference=chosen), lifted, exact))
        seconds = statistics.median(s.assemble_seconds + s.solve_seconds for s in solutions[1:])
        first = solutions[0]
        rungs.append(Rung(cells, first.unknowns, first.relative_l2, first.relative_h1, seconds))
    path.write_text(json.dumps([asdict(rung) for rung in rungs], indent=1))
    return rungs


def seconds_for(l2: float, rungs: Sequence[Rung]) -> str:
    """How long P1 takes for an L² error, on the log-log polygon through the solutions."""
    errors, seconds = np.array([[rung.l2, rung.seconds] for rung in sorted(rungs, key=lambda r: -r.l2)]).T
    seconds = np.maximum.accumulate(seconds)
    if not np.isfinite(l2):
        return "-"
    if l2 > errors[0]:
        return f"< {seconds[0]:.2g}"
    if l2 < errors[-1]:
        return f"> {seconds[-1]:.2g}"
    return f"{np.exp(np.interp(-np.log(l2), -np.log(errors), np.log(seconds))):.2g}"
