"""Subdomains (network=fbpinn) beside the other networks, with and without the paper's coupling, for equal seconds.

    python scripts/couplings/subdomains.py [--problems osc1d osc2d] [--couplings none ball] [--seconds 60 90]
        [--seeds 3] [--output DIR]

Each case is one `hpms train ensemble=SEEDS` by Adam with the overrides of `compare.py`, ended by `training.wall_limit`
instead of a number of iterations; the seconds are those of all seeds together, without compilation.
Cases whose runs had nine tenths of them are left alone, others go on. It prints a table of all cases in OUTPUT: the
error is that of the logged iteration of smallest residual loss within the seconds, the median of the seeds, with the
least and the largest.
"""

import argparse
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
from compare import overrides
from compare_report import COUPLINGS, PROBLEMS, Case

from hpms.results.formats import markdown
from hpms.results.run import FILE, StoredRun

NETWORKS = ("mlp", "ms_pinn", "two_scale", "fbpinn")
SUBDOMAINS = {"osc1d": "network.subdomains=[32] network.width=12", "osc2d": "network.subdomains=[5] network.width=16"}
WITHOUT_END = "training.iterations=1000000 training.log_every=50 training.bound_points=0"


def words(case: Case, seconds: float, seeds: int) -> list[str]:
    own = f"network=fbpinn {SUBDOMAINS[case.problem]}".split() if case.network == "fbpinn" else []
    return [*overrides(case), *own, *WITHOUT_END.split(), f"training.wall_limit={seconds:g}", f"ensemble={seeds}"]


def train(case: Case, seconds: float, seeds: int, output: Path) -> None:
    runs = found(case, output)
    if len(runs) == seeds and all(run.rows and run.rows[-1]["elapsed_seconds"] >= 0.9 * seconds for run in runs):
        return
    folder = case.folder(output)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hpms", "train", *words(case, seconds, seeds), f"output={folder}"]
    with (folder / "log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)


def found(case: Case, output: Path) -> list[StoredRun]:
    return [StoredRun(path.parent) for path in sorted(case.folder(output).glob(f"train/*/*/seed=*/{FILE}"))]


def row(case: Case, seconds: float, output: Path) -> list[str]:
    runs = [[row for row in run.rows if row["elapsed_seconds"] <= 1.1 * seconds] for run in found(case, output)]
    if not runs or not all(runs):
        return [PROBLEMS[case.problem], case.network, COUPLINGS[case.coupling][0], *["missing"] * 5]
    best = [min(rows, key=lambda row: row["residual"]) for rows in runs]
    errors = [row["relative_l2"] for row in best]
    last = [rows[-1] for rows in runs]
    return [
        PROBLEMS[case.problem],
        case.network,
        COUPLINGS[case.coupling][0],
        f"{np.median(errors):.1e}",
        f"{min(errors):.1e} to {max(errors):.1e}",
        f"{np.median([row['residual'] for row in best]):.1e}",
        f"{np.median([row['iteration'] for row in last]):.0f}",
        f"{np.median([row['elapsed_seconds'] for row in last]):.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=list(SUBDOMAINS), default=list(SUBDOMAINS))
    parser.add_argument("--couplings", nargs="+", choices=list(COUPLINGS), default=["none", "ball"])
    parser.add_argument("--seconds", nargs="+", type=float, default=[60.0, 90.0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("outputs/subdomains"))
    options = parser.parse_args()
    seconds = dict(zip(SUBDOMAINS, options.seconds, strict=True))
    cases = [Case(p, n, "adam", c) for p, n, c in itertools.product(options.problems, NETWORKS, options.couplings)]
    for i, case in enumerate(cases):
        print(f"{i + 1}/{len(cases)} {' '.join(case)}", file=sys.stderr, flush=True)
        train(case, seconds[case.problem], options.seeds, options.output)
    header = ["problem", "network", "coupling", "relative L²", "all seeds", "J_res", "iterations", "seconds"]
    print(markdown(header, [row(case, seconds[case.problem], options.output) for case in cases]))


if __name__ == "__main__":
    main()
