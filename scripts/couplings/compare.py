"""The couplings compared: each with every network and optimizer, on four problems, over several seeds.

    pip install matplotlib
    python scripts/couplings/compare.py [--problems osc1d ...] [--networks mlp ...] [--optimizers adam ...]
        [--couplings none ...] [--seeds 5] [--set KEY=VALUE ...] [--output DIR]

Each case is one `hpms train ensemble=SEEDS`, in OUTPUT/PROBLEM/NETWORK/OPTIMIZER/COUPLING; `RULES` are its overrides.
Cases whose runs have all ended are left alone and interrupted ones continue: the same command goes on where it was
stopped; another one on the same folder is refused. `--set` changes all cases, for a quick try or another scale. At last
it writes OUTPUT/couplings.md and the figures couplings_iterations and couplings_seconds (.png, .pdf) of all cases
there; `--seeds 0` writes only those.
"""

import argparse
import importlib.util
import itertools
import signal
import subprocess
import sys
from pathlib import Path

from compare_report import CHOSEN, COUPLINGS, NETWORKS, OPTIMIZERS, PROBLEMS, Case, load, plot, report

RULES = [  # problems, networks, optimizers, couplings and overrides, a later value behind an earlier one
    ("osc1d", "*", "*", "*", "+experiment=osc1d collocation.interior_points=500 coarse.h=0.02"),
    ("osc1d_001", "*", "*", "*", "+experiment=osc1d problem.eps=0.01 collocation.interior_points=1500 coarse.h=0.01"),
    (
        "osc2d",
        "*",
        "*",
        "*",
        "+experiment=osc2d problem.eps=0.2 boundary=hard collocation.interior_points=1500 coarse.h=0.1",
    ),
    (
        "aperiodic",
        "*",
        "*",
        "*",
        "+experiment=osc1d collocation.interior_points=500 coarse.h=0.02 coefficient=expression",
    ),
    ("aperiodic", "*", "*", "*", "coefficient.formula=2+0.6*sin(2*pi*x1/eps)+0.8*sin(2*pi*(5**0.5-1)/2*x1/eps)"),
    ("*", "mlp", "*", "*", "network=mlp network.depth=4"),
    ("*", "ms_pinn", "*", "*", "network=ms_pinn network.features=32 network.width=64"),
    ("*", "two_scale", "*", "*", "network=two_scale"),
    ("osc1d osc1d_001 aperiodic", "two_scale", "*", "*", "network.slow_width=12 network.width=20 network.rank=4"),
    ("osc1d osc1d_001 aperiodic", "two_scale", "*", "*", "network.boundary_layers=[1]"),
    ("aperiodic", "two_scale", "*", "*", "network.periods=[eps]"),
    ("*", "*", "*", "none", "coupling=none"),
    ("*", "*", "*", "ball", "coupling=ball"),
    ("*", "*", "*", "consistent", "coupling=consistent"),
    ("aperiodic", "*", "*", "ball consistent", "coupling.delta=2*eps"),
    ("*", "*", "adam", "*", "optimizer=adam optimizer.learning_rate=1e-3 training.log_every=250"),
    ("osc1d aperiodic", "*", "adam", "*", "training.iterations=10000"),
    ("osc1d_001", "*", "adam", "*", "training.iterations=6000"),
    ("osc2d", "*", "adam", "*", "training.iterations=3000 optimizer.decay_steps=400"),
    (
        "*",
        "*",
        "gauss_newton",
        "*",
        "optimizer=gauss_newton balancing=none collocation=resampled training.iterations=40",
    ),
    ("*", "*", "gauss_newton", "*", "runtime.precision=float64 runtime.block=500 training.log_every=2"),
    ("*", "*", "gauss_newton", "ball consistent", "coupling.update=every_step"),
    ("*", "*", "gauss_newton", "ball consistent", "coupling.tau2=1e4"),
]
STOPPED = (-signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM)


def overrides(case: Case) -> list[str]:
    found = [
        text
        for *patterns, text in RULES
        if all(pattern == "*" or name in pattern.split() for pattern, name in zip(patterns, case, strict=True))
    ]
    return " ".join(found).split()


def train(case: Case, seeds: int, output: Path, more: list[str]) -> str:
    """Trains, continues or skips the runs of a case, and says how many have ended."""
    folder = case.folder(output)
    chosen, note = [*overrides(case), *more, f"ensemble={seeds}"], folder / CHOSEN
    if note.exists() and note.read_text().split() != chosen:
        sys.exit(f"{folder} was trained with other overrides: give another --output, or delete it.")
    if sum(run.ended for run in load(folder)) >= seeds:
        return "there already"
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(" ".join(chosen) + "\n")
    with (folder / "log").open("a") as log:
        command = [sys.executable, "-m", "hpms", "train", *chosen, f"output={folder}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            code = process.wait()
        except KeyboardInterrupt:
            sys.exit(process.wait())
    if code in STOPPED:
        sys.exit(f"stopped by a signal (exit code {code}); the same command goes on.")
    runs = load(folder)
    last = (folder / "log").read_text().strip().splitlines()[-1:]
    return f"{sum(run.ended for run in runs)} of {seeds} runs ended" + (f", exit code {code}: {last}" if code else "")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, known in (("problems", PROBLEMS), ("networks", NETWORKS), ("optimizers", OPTIMIZERS)):
        parser.add_argument(f"--{name}", nargs="+", choices=known, default=list(known))
    parser.add_argument("--couplings", nargs="+", choices=COUPLINGS, default=list(COUPLINGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", nargs="+", metavar="KEY=VALUE", default=[], help="more overrides, for all cases")
    parser.add_argument("--output", type=Path, default=Path("outputs/couplings"))
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if importlib.util.find_spec("matplotlib") is None:
        sys.exit("matplotlib, which draws the figures, is not installed: pip install matplotlib")
    chosen = itertools.product(options.problems, options.networks, options.optimizers, options.couplings)
    cases = list(itertools.starmap(Case, chosen)) if options.seeds else []
    for i, case in enumerate(cases):
        print(f"{i + 1}/{len(cases)} {' '.join(case)}: ", end="", flush=True)
        print(train(case, options.seeds, options.output, options.set), flush=True)
    every = itertools.starmap(Case, itertools.product(PROBLEMS, NETWORKS, OPTIMIZERS, COUPLINGS))
    runs = {case: found for case in every if (found := [r for r in load(case.folder(options.output)) if r.ended])}
    if not runs:
        sys.exit("there is nothing to show.")
    table = options.output / "couplings.md"
    table.write_text(text := report(runs))
    for against in ("iterations", "seconds"):
        plot(runs, against, options.output / f"couplings_{against}")
    print(f"\n{text}\n{table}")


if __name__ == "__main__":
    main()
