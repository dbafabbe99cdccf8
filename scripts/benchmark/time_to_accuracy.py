"""Errors against seconds for every optimizer and network on osc1d and osc2d, and the fine FEM beside them.

    pip install matplotlib
    python scripts/benchmark/time_to_accuracy.py [--problems osc1d osc2d] [--networks mlp ...] [--optimizers adam ...]
        [--seeds 0 1 2] [--seconds osc1d=60 osc2d=180] [--set KEY=VALUE ...] [--output DIR]

Each run is one `hpms train` with `training.wall_limit`, one after the other, in OUTPUT/PROBLEM/NETWORK/OPTIMIZER/seed=N
and what it printed in seed=N.log. `RULES` are its overrides: all minimise the same loss, the residual of a network that
vanishes at the boundary, and differ in optimizer, precision and points. Runs that have ended are left alone and
interrupted ones continue for the rest of their seconds (also when `--seconds` is more than it was), so that the same
command goes on where it was stopped. `--set` changes all runs, for a quick try or another device.

At last it writes OUTPUT/time_to_accuracy.md, .png and .pdf of all runs there; `--seeds` without numbers, only that. The
figure shows the best optimizer of each family: first order, quasi-Newton, least squares.
Seconds are those of training after compilation, logging included. Errors are relative, of u and of its gradient ("H¹"),
at logged iterations; the best so far is the smallest, which only one who knows u can tell. The P1 solutions beside them
are timed in this process when all runs are done.
"""

import argparse
import importlib.util
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from fem_ladder import ladder
from time_to_accuracy_report import FAMILIES, NETWORKS, OPTIMIZERS, Case, cases, curve, ending, plot, report

from hpms.cli.main import typed
from hpms.results.run import FILE, StoredRun

SECONDS = {"osc1d": 60.0, "osc2d": 180.0}
FIRST_ORDER, QUASI_NEWTON, LEAST_SQUARES = map(" ".join, FAMILIES.values())
RULES = [  # problems, networks, optimizers, and the overrides of them all, a later value behind an earlier one
    ("*", "mlp ms_pinn", "*", "+experiment={problem} network={network} boundary=hard coupling=none balancing=none"),
    ("*", "two_scale", "*", "+experiment={problem}_fast"),
    ("*", "*", "*", "optimizer={optimizer} training.iterations=10000000"),
    ("*", "mlp ms_pinn", FIRST_ORDER, "training.log_every=25"),
    ("*", "two_scale", FIRST_ORDER, "runtime.precision=float32 runtime.block=null training.log_every=100"),
    ("*", "*", QUASI_NEWTON, "runtime.precision=float64 runtime.block=null collocation=uniform training.log_every=10"),
    ("*", "*", LEAST_SQUARES, "runtime.precision=float64 runtime.block=500 collocation=resampled training.log_every=1"),
    ("*", "mlp ms_pinn", LEAST_SQUARES, "collocation.interior_points=1000"),
    ("osc1d", "*", "adam_then_lbfgs", "optimizer.switch=1000"),
    ("osc2d", "mlp ms_pinn", "adam_then_lbfgs", "optimizer.switch=150"),
    ("osc2d", "two_scale", "adam_then_lbfgs", "optimizer.switch=1000"),
]
_PLACES = ("training.wall_limit=", "output=", "run_dir=")


def overrides(case: Case) -> list[str]:
    found = [
        text
        for *patterns, text in RULES
        if all(pattern == "*" or name in pattern.split() for pattern, name in zip(patterns, case, strict=True))
    ]
    return " ".join(found).format(**case._asdict()).split()


def train(case: Case, seed: int, seconds: float, output: Path, more: list[str]) -> str:
    """Trains, continues or skips a run, and says how it ended. Ctrl-C ends the run with a checkpoint, then this."""
    folder = case.folder(output)
    directory, refusal = folder / f"seed={seed}", folder / "refused.txt"
    chosen, spent = [*overrides(case), *more, f"seed={seed}"], 0.0
    if (directory / FILE).exists():
        stored = StoredRun(directory)
        known = shlex.split(str(stored.sessions[-1]["command"]))[1:]
        if [argument for argument in known if not argument.startswith(_PLACES)] != [typed(c) for c in chosen]:
            sys.exit(f"{directory} was trained with other overrides: give another --output, or delete it.")
        spent = float(stored.summary["elapsed_seconds"])
        if stored.status not in ("running", "interrupted") or spent > seconds - 0.01:
            return f"there already, {ending(stored)}"
    folder.mkdir(parents=True, exist_ok=True)
    refusal.unlink(missing_ok=True)
    chosen += [f"training.wall_limit={seconds - spent:.3f}", f"output={output}", f"run_dir={directory}"]
    log = folder / f"seed={seed}.log"
    with log.open("a") as file:
        process = subprocess.Popen([sys.executable, "-m", "hpms", "train", *chosen], stdout=file, stderr=file)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            sys.exit(process.wait())
    if code in (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM):
        sys.exit(f"stopped by a signal (exit code {code}); the same command goes on.")
    if (directory / FILE).exists():
        return ending(StoredRun(directory))
    *_, reason = ["it says nothing", *log.read_text().split("\n")[:-1]]
    refusal.write_text(f"{reason.removeprefix('hpms train: ')}\n")
    return f"cannot run: {refusal.read_text().strip()}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=SECONDS, default=list(SECONDS))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", nargs="+", metavar="PROBLEM=SECONDS", default=[])
    parser.add_argument("--set", nargs="+", metavar="KEY=VALUE", default=[], help="more overrides, for all runs")
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/time_to_accuracy"))
    found = parser.parse_args()
    try:
        given = {problem: float(value) for problem, value in (text.split("=") for text in found.seconds)}
    except ValueError:
        given = {"": 0.0}
    if not all(problem in SECONDS and value > 0 for problem, value in given.items()):
        parser.error(f"--seconds takes such as {' '.join(f'{k}={v:g}' for k, v in SECONDS.items())}")
    found.seconds = SECONDS | given
    return found


def main() -> None:
    options = arguments()
    if importlib.util.find_spec("matplotlib") is None:
        sys.exit("matplotlib, which draws the figure, is not installed: pip install matplotlib")
    output: Path = options.output
    chosen = cases(options.problems, options.networks, options.optimizers)
    wanted = [(case, seed) for case in chosen for seed in options.seeds]
    hours = sum(options.seconds[case.problem] for case, _ in wanted) / 3600
    print(f"{len(wanted)} runs of at most {hours:.1f} hours, and their compilation")
    for i, (case, seed) in enumerate(wanted):
        if seed != options.seeds[0] and (case.folder(output) / "refused.txt").exists():
            continue
        print(f"{i + 1}/{len(wanted)} {' '.join(case)} seed={seed}: ", end="", flush=True)
        print(train(case, seed, options.seconds[case.problem], output, options.set), flush=True)

    curves, refused = {}, {}
    for case in cases(list(SECONDS), list(NETWORKS), list(OPTIMIZERS)):
        folder = case.folder(output)
        if found := [curve(path.parent) for path in sorted(folder.glob(f"seed=*/{FILE}"))]:
            curves[case] = found
        elif (folder / "refused.txt").exists():
            refused[case] = (folder / "refused.txt").read_text().strip()
    if not curves:
        sys.exit(f"there is no run in {output}.")
    problems = [problem for problem in SECONDS if any(case.problem == problem for case in curves)]
    ladders = {problem: ladder(problem, output, options.set) for problem in problems}
    path = output / "time_to_accuracy.md"
    path.write_text(text := report(curves, refused, ladders))
    plot(curves, ladders, path)
    print(f"\n{text}\n{path}")


if __name__ == "__main__":
    main()
