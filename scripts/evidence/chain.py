"""Steps and seconds to an L² error, of runs that started from a neighbour and of those beside them that did not.

python scripts/evidence/chain.py GOAL PLACE [GOAL PLACE ...]
"""

import sys
from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np

from hpms.results.collection import Run, load_runs, newest
from hpms.results.formats import markdown

_HEADER = ["runs", "ε", "start", "L² to reach", "seeds that did", "steps", "mean", "with all before", "seconds"]
_HEADER += ["L² of the chosen step"]


def rows(goal: float, place: str) -> Iterator[list[str]]:
    """One for each ε and start, from the largest ε on."""
    runs = sorted(newest(load_runs([place])[0])[0], key=lambda run: run.keys["seed"])
    before = 0
    for eps in sorted({float(run.keys["problem.eps"]) for run in runs}, reverse=True):
        here = [run for run in runs if run.keys["problem.eps"] == eps]
        for chained in (False, True):
            chosen = [run for run in here if (run.stored.parent is not None) == chained]
            if chosen:
                yield row(chosen, goal, before if chained else 0)
        before += max(int(run.number("iterations_done")) for run in here)


def row(runs: Sequence[Run], goal: float, before: int) -> list[str]:
    """Of all seeds; `before` are the steps of the runs that led to the start."""
    first, hits = runs[0], [reached(run, goal) for run in runs]
    steps = [hit and int(hit[0]) for hit in hits]
    done = [step for step in steps if step is not None]
    average = mean(done) if len(done) == len(runs) else None
    return [
        f"{first.keys['experiment']}, {first.keys['network']}, {first.keys['optimizer']}",
        f"{first.keys['problem.eps']:g}",
        "neighbour" if first.stored.parent else "cold",
        f"{goal:g}",
        f"{len(done)} of {len(runs)}",
        ", ".join("-" if step is None else str(step) for step in steps),
        "-" if average is None else f"{average:.0f}",
        "-" if average is None else f"{before + average:.0f}",
        ", ".join("-" if hit is None else f"{hit[1]:.1f}" for hit in hits),
        ", ".join(f"{run.number('relative_l2'):.1e}" for run in runs),
    ]


def reached(run: Run, goal: float) -> tuple[float, float] | None:
    """Step and seconds of the first row of the log with at most that error."""
    log = run.stored.history()
    below = np.flatnonzero(log["relative_l2"] <= goal)
    if not below.size:
        return None
    return float(log["iteration"][below[0]]), float(log["elapsed_seconds"][below[0]])


def main() -> None:
    words = sys.argv[1:]
    pairs = zip(map(float, words[::2]), words[1::2], strict=True)
    print(markdown(_HEADER, [each for goal, place in pairs for each in rows(goal, place)]))


if __name__ == "__main__":
    main()
