"""Seconds and unknowns to a given accuracy as ε → 0: finite elements, homogenisation, and networks with and without
the coupling, on osc2d and on layered media in 2-D and 3-D.

    pip install matplotlib
    python scripts/benchmark/small_eps.py [--problems osc2d layered2d layered3d] [--eps 0.1 ...] [--seeds 0]
        [--methods p1 p2 consistent none] [--output DIR]

Each network is one `hpms train`, in OUTPUT/PROBLEM/eps=E/COUPLING/seed=N, and each finite element solution a process of
its own. What is there already is left alone and interrupted runs continue, so that the same command goes on where it
was stopped; without methods (`--methods` alone) only the table and the figure are made, of all that is there. A mesh is
refined by about √2 until both errors are reached, or up to the finest of at most `_MOST` unknowns.

An accuracy is reached by a network at the first logged iteration where both errors are small enough, its seconds are
those of training after compilation; which iteration that is only one who knows u can tell, the table has the errors of
the iteration that the residual chose beside it.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from small_eps_report import H1, L2, METHODS, PROBLEMS, write

from hpms.results.run import FILE, StoredRun

EPS = {
    "osc2d": [0.1, 0.05, 0.02, 0.01, 0.005],
    "layered2d": [0.1, 0.03, 0.01, 0.003, 0.001],
    "layered3d": [0.2, 0.1, 0.05],
}
_MOST = {2: 4_000_000, 3: 1_000_000}
_REFERENCE_CELLS = {0.05: 500, 0.02: 800, 0.01: 1000, 0.005: 1000}  # P2 cells of osc2d: 4e6 unknowns in the end
_FIRST_CELLS_PER_EPS, _REFINE = {"p1": 40, "p2": 4}, 2**0.5  # somewhat too few for `H1`
_SOLVE = Path(__file__).with_name("small_eps_fem.py")


def overrides(problem: str, eps: float) -> list[str]:
    """The problem and its reference."""
    found = [*PROBLEMS[problem].split(), f"problem.eps={eps:g}"]
    if problem == "osc2d" and eps in _REFERENCE_CELLS:
        found.append(f"reference.h=1/{_REFERENCE_CELLS[eps]}")
    return found


def train(problem: str, eps: float, coupling: str, seed: int, output: Path) -> str:
    """Trains, continues or skips a run, and says how it ended."""
    directory = output / problem / f"eps={eps:g}" / coupling / f"seed={seed}"
    if (directory / FILE).exists() and StoredRun(directory).status == "finished":
        return "there already"
    said = directory.with_suffix(".txt")
    said.parent.mkdir(parents=True, exist_ok=True)
    chosen = [*overrides(problem, eps), f"seed={seed}", "training.log_every=2", "plot=false"]
    chosen += ["coupling=none", "training.iterations=240"] if coupling == "none" else ["coupling=consistent_small"]
    chosen += [f"run_dir={directory}", f"output={output}"]
    with said.open("a") as file:
        code = subprocess.call([sys.executable, "-m", "hpms", "train", *chosen], stdout=file, stderr=file)
    return "finished" if code == 0 else f"exit code {code}, see {said}"


def refine(problem: str, eps: float, element: str, output: Path) -> str:
    """Solutions on finer and finer meshes, in OUTPUT/PROBLEM/eps=E/ELEMENT.json."""
    path = output / problem / f"eps={eps:g}" / f"{element}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rungs = json.loads(path.read_text()) if path.exists() else []
    dim, degree = 3 if problem == "layered3d" else 2, int(element[1])
    finest = int(_MOST[dim] ** (1 / dim) / degree)
    while not (rungs and (rungs[-1]["end"] or (rungs[-1]["l2"] <= L2 and rungs[-1]["h1"] <= H1))):
        cells = min(finest, round(_FIRST_CELLS_PER_EPS[element] / eps * _REFINE ** len(rungs)))
        command = [sys.executable, str(_SOLVE), element, str(cells), f"output={output}", *overrides(problem, eps)]
        done = subprocess.run(command, capture_output=True, text=True)
        said = (done.stdout.splitlines() or [""])[-1]
        rung = json.loads(said) if done.returncode == 0 else {"end": f"failed: {done.stderr[-300:]}"}
        if cells == finest:
            rung["end"] = rung["end"] or f"a finer mesh has more than {_MOST[dim]:.0e} unknowns"
        rungs.append(rung)
        path.write_text(json.dumps(rungs, indent=1))
    last = rungs[-1]
    return "reached" if last.get("l2", 1) <= L2 and last.get("h1", 1) <= H1 else last["end"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=EPS, default=list(EPS))
    parser.add_argument("--eps", nargs="+", type=float)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/small_eps"))
    options = parser.parse_args()
    for problem in options.problems:
        for eps in [e for e in EPS[problem] if options.eps is None or e in options.eps]:
            for method in options.methods:
                for seed in [None] if method in ("p1", "p2") else options.seeds:
                    name = f"{problem} eps={eps:g} {method}" + ("" if seed is None else f" seed={seed}")
                    print(f"{name}: ", end="", flush=True)
                    if seed is None:
                        print(refine(problem, eps, method, options.output), flush=True)
                    else:
                        print(train(problem, eps, method, seed, options.output), flush=True)
    print(write(options.output, EPS))


if __name__ == "__main__":
    main()
