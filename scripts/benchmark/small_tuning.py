"""Steps of `+method=small` to a guaranteed energy error of 2 %, as one of its keys after another is changed.

    python scripts/benchmark/small_tuning.py [--cases osc2d:0.01 locally:0.0125] [--seeds 0 1] [--accuracy 0.02]
        [--every 5] [--keys collocation.interior_points=2000,8000 ...] [--output DIR]

Each is one `hpms train` without a reference that ends by its own bound. What a step costs is `coupling_step.py`'s to
say. Finished runs are skipped: the same command goes on. The table is printed in Markdown.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from small_eps_problems import PROBLEMS

from hpms.results.formats import markdown
from hpms.results.run import FILE, StoredRun

_KEYS = [
    "collocation.interior_points=2000,8000",
    "coupling.spacing=1/8,1/20,1/30",
    "coupling.share=0.1,0.5",
    "collocation.layer_share=0.25,0.75",
]


def settings(keys: Sequence[str]) -> Iterator[str]:
    """The method as it is, and each value of each key."""
    yield ""
    for key, _, values in (each.partition("=") for each in keys):
        yield from (f"{key}={value}" for value in values.split(","))


def train(case: str, setting: str, seed: int, options: argparse.Namespace) -> StoredRun:
    """A finished run."""
    name, eps = case.split(":")
    problem = PROBLEMS[name]
    folder = options.output / case / (setting.replace("/", "over") or "default") / f"seed={seed}"
    if not (folder / FILE).exists() or StoredRun(folder).status != "finished":
        chosen = [*problem.chosen(float(eps)), "reference=none", "plot=false", f"seed={seed}", f"run_dir={folder}"]
        chosen += [f"training.accuracy={options.accuracy}", f"training.bound_every={options.every}"]
        chosen += [f"training.iterations={problem.most}", f"output={options.output}", *filter(None, [setting])]
        subprocess.run([sys.executable, "-m", "hpms", "train", "--quiet", *chosen], check=True, stdout=sys.stderr)
    return StoredRun(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=["osc2d:0.01", "locally:0.0125"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--accuracy", type=float, default=0.02)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--keys", nargs="*", default=_KEYS)
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/small_tuning"))
    options = parser.parse_args()
    rows = {setting: [setting or "as it is"] for setting in settings(options.keys)}
    for case in options.cases:
        for setting in rows:
            runs = [train(case, setting, seed, options).summary for seed in options.seeds]
            steps = "/".join(str(found["iterations_done"]) for found in runs)
            bounds = "/".join(f"{found['relative_error_bound']:.1e}" for found in runs)
            rows[setting] += [steps, bounds]
    header = [name for case in options.cases for name in (f"{case}: steps", "bounds")]
    print(markdown(["changed", *header], list(rows.values())))


if __name__ == "__main__":
    main()
