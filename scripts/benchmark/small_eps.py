"""Seconds to a certified energy error of 5 % and of 2 % as ε → 0: a network that ends by its own bound, and beside it
finite elements, homogenisation with its corrector, and the multiscale hybrid-mixed method.

    pip install matplotlib
    python scripts/benchmark/small_eps.py [--problems osc2d locally layered2d cubes] [--eps 0.1 ...] [--seeds 0]
        [--methods network p1 p2 corrector mhm] [--mhm PYTHON] [--output DIR]

A network is one `hpms train` without a reference, in OUTPUT/PROBLEM/eps=E/network/seed=N, until its guaranteed bound is
2 %; its seconds are those of training and of bounds, without compilation but that of bounds. The others know nothing of
their errors: these are taken from what is known of u, OUTPUT/PROBLEM/eps=E/yardstick.npz: a series for layers, else P2
elements where these know u to 1 %, else the network of least bound, in 2-D one that is trained for that. An accuracy is
reached where what the yardstick itself may be off leaves no doubt. A mesh is refined by about √2 until 2 % are reached,
or up to the finest; MHM has two settings, found at ε = 0.05. `--mhm` is the interpreter of an environment where
`small_eps_mhm.py` runs.

Each is a process of its own. What is there already is left alone, interrupted runs continue and what failed is tried
again: the same command goes on where it was stopped. Without methods (`--methods` alone) only table and figure are
made, of all that is there.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from small_eps_errors import at_most
from small_eps_problems import ACCURACIES, PROBLEMS
from small_eps_report import METHODS, write

from hpms.results.run import FILE, StoredRun

_OFF, _YARDSTICK_PER_EPS, _LEAST_PER_EPS = 0.01, 20, 8  # of P2 elements that errors are measured by
_HERE = Path(__file__).parent


class Failed(Exception):
    """A process that did not do what it was asked, with what it said."""


def train(name: str, eps: float, directory: Path, output: Path, *more: str) -> None:
    """Trains, continues or skips a run."""
    if (directory / FILE).exists() and StoredRun(directory).status == "finished":
        return
    said, problem = directory.with_suffix(".txt"), PROBLEMS[name]
    said.parent.mkdir(parents=True, exist_ok=True)
    chosen = [*problem.chosen(eps), "coupling=galerkin", "reference=none", "plot=false", *more]
    chosen += [f"training.bound_points={problem.bound_points(eps):.3g}", f"run_dir={directory}", f"output={output}"]
    with said.open("a") as file:
        code = subprocess.call([sys.executable, "-m", "hpms", "train", *chosen], stdout=file, stderr=file)
    if code:
        raise Failed(f"exit code {code}, see {said}")


def network(name: str, eps: float, seed: int, folder: Path, output: Path) -> None:
    """The run of one seed, until its bound is below the last of `ACCURACIES`."""
    more = [f"training.accuracy={ACCURACIES[-1]}", f"training.bound_every={PROBLEMS[name].bound_every(eps)}"]
    more += [f"training.iterations={PROBLEMS[name].most}", f"seed={seed}"]
    train(name, eps, folder / "network" / f"seed={seed}", output, *more)


def called(script: str, *arguments: str) -> str:
    """The last line that a script beside this one prints."""
    done = subprocess.run([sys.executable, str(_HERE / script), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{script}: {done.stderr.strip()[-300:] or f'exit code {done.returncode}'}")
    return done.stdout.splitlines()[-1]


def yardstick(name: str, eps: float, folder: Path, output: Path) -> Path:
    """What the errors there are measured by, made where it is missing."""
    path, candidate, problem = folder / "yardstick.npz", folder / "candidate.npz", PROBLEMS[name]
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    cells, is_known = min(problem.finest("p2"), 2 * round(_YARDSTICK_PER_EPS / eps / 2)), False
    make = partial(called, "small_eps_yardstick.py", str(candidate))
    if problem.series or cells * eps >= _LEAST_PER_EPS:
        way = "series" if problem.series else str(cells)
        is_known = float(make(way, *problem.chosen(eps), f"output={output}")) <= _OFF
    if not is_known:
        make(str(_best_network(name, eps, folder, output)), *problem.chosen(eps))
    candidate.replace(path)
    return path


def _best_network(name: str, eps: float, folder: Path, output: Path) -> Path:
    """The run of least bound there, in 2-D one that goes on for longer."""
    if iterations := PROBLEMS[name].iterations:
        train(name, eps, folder / "yardstick", output, f"training.iterations={iterations}")
    runs = [StoredRun.at(path) for path in (*folder.glob(f"network/*/{FILE}"), *folder.glob(f"yardstick/{FILE}"))]
    bounds = {
        run.path.parent: run.summary["relative_error_bound"]
        for run in runs
        if run.summary.get("error_bound_resolved") == 1
    }
    if not bounds:
        raise Failed("no network with a bound is there to measure errors by: add `network` to the methods")
    return min(bounds, key=lambda directory: bounds[directory])


def climb(name: str, eps: float, method: str, ways: Sequence[str], folder: Path, output: Path) -> None:
    """Answers in one way after another until 2 % are reached, in OUTPUT/PROBLEM/eps=E/METHOD.json."""
    path = folder / f"{method}.json"
    rungs: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    for way in ways[len(rungs) :]:
        if rungs and at_most(rungs[-1]) <= ACCURACIES[-1]:
            break
        measure = yardstick(name, eps, folder, output)
        said = called("small_eps_solve.py", str(measure), method, way, *PROBLEMS[name].chosen(eps))
        rungs.append(json.loads(said))
        path.write_text(json.dumps(rungs, indent=1))


def every(options: argparse.Namespace) -> Iterator[tuple[str, partial[None]]]:
    """All that is to be done, by what it is called."""
    for name in options.problems:
        for eps in [e for e in PROBLEMS[name].every if options.eps is None or e in options.eps]:
            places = {"folder": options.output / name / f"eps={eps:g}", "output": options.output}
            for method in [m for m in METHODS if m in options.methods]:
                title = f"{name} eps={eps:g} {method}"
                if method == "network":
                    for seed in options.seeds:
                        yield f"{title} seed={seed}", partial(network, name, eps, seed, **places)
                elif ways := _ways(name, eps, method, options.mhm):
                    yield title, partial(climb, name, eps, method, ways, **places)


def _ways(name: str, eps: float, method: str, mhm: str | None) -> list[str]:
    """What `small_eps_solve.py` is asked for, one after the other."""
    if method == "corrector":
        return ["-"]
    if method == "mhm":
        return [f"{mhm}:{name}:{accuracy}" for accuracy in ACCURACIES] if mhm else []
    return [str(cells) for cells in PROBLEMS[name].meshes(method, eps)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--eps", nargs="+", type=float)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--mhm", metavar="PYTHON")
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/small_eps"))
    options = parser.parse_args()
    for title, work in every(options):
        print(f"{title}: ", end="", file=sys.stderr, flush=True)
        try:
            work()
            print("there", file=sys.stderr)
        except Failed as failure:
            print(failure, file=sys.stderr)
    print(write(options.output))


if __name__ == "__main__":
    main()
