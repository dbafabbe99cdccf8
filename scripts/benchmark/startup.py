"""Seconds from the typed command to the first step of osc2d_fast, cold and warm.

    python scripts/benchmark/startup.py [--rounds 3] [--checkouts . OLDER ...] [--output DIR]

Cold: nothing is compiled yet. Warm: the compiled programs of the run before are on disk. The reference is there in both
cases. Several checkouts are timed in turn. The parts are those until the program says that it compiles (imports,
configuration, points, network), and from there to the end of the first step.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

_COMMAND = [sys.executable, "-m", "hpms", "train", "+experiment=osc2d_fast", "training.iterations=20", "plot=false"]


def timed(checkout: Path, programs: Path, scratch: Path) -> tuple[float, float]:
    """Seconds to "compiling", and to the first step."""
    run = scratch / "run"
    shutil.rmtree(run, ignore_errors=True)
    command = [*_COMMAND, f"run_dir={run}", f"compilation_cache={programs}", f"output={scratch}"]
    environment = os.environ | {"PYTHONPATH": str(checkout.resolve())}
    start, compiling = time.perf_counter(), float("nan")
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=checkout, env=environment
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("compiling"):
                compiling = time.perf_counter() - start
            if line.startswith("iteration "):
                first = time.perf_counter() - start
                process.kill()
                return compiling, first
    raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkouts", nargs="+", type=Path, default=[Path()])
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/startup"))
    options = parser.parse_args()
    scratch = options.output.resolve()
    programs = scratch / "programs"
    found: dict[tuple[Path, str], list[tuple[float, float]]] = {}
    for checkout in options.checkouts:
        timed(checkout, programs, scratch)
    for _ in range(options.rounds):
        for checkout in options.checkouts:
            shutil.rmtree(programs, ignore_errors=True)
            for kind in ("cold", "warm"):
                found.setdefault((checkout, kind), []).append(timed(checkout, programs, scratch))
    print("checkout, programs: s to compiling, s to the first step (median)")
    for (checkout, kind), seconds in found.items():
        compiling, first = (statistics.median(each) for each in zip(*seconds, strict=True))
        print(f"{checkout}, {kind}: {compiling:.1f}, {first:.1f}")


if __name__ == "__main__":
    main()
