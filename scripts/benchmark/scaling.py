"""Memory and time of a training step as points, width and the number of seeds of an ensemble grow, on osc2d.

    pip install matplotlib
    python scripts/benchmark/scaling.py [--methods mlp ms_pinn two_scale] [--points 2500 ... 100000] [--fixed 10000]
        [--widths-mlp 32 ...] [--widths-ms_pinn 64 ...] [--widths-two_scale 16 ...] [--ensembles 1 2 4 8] [--steps 5]
        [--set KEY=VALUE ...] [--output DIR]

Adam trains the MLP and the Ms-PINN in float32, Gauss-Newton the two-scale network in float64, all without coupling. The
widths are at `--fixed` points and the ensembles at the fewest of `--points`; a list without numbers leaves them out.
Each number is of a process of its own (`scaling_point.py`), the median of some steps after compilation, and the peak of
its resident memory, which begins with Python, JAX and the compiler. An ensemble is a whole `hpms train ensemble=N`, and
its step one of all seeds, with the log of every 20th.

It writes OUTPUT/scaling.md, .png and .pdf, and OUTPUT/scaling.json after each point: the same command goes on where it
was stopped.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hpms.figures.style import BLUE, GREEN, ORANGE, WIDTH, drawing, new_figure, plain, save

_PLAIN = "boundary=hard coupling=none balancing=none"
METHODS = {  # by network: what it is called, its overrides, its widths, colour and marker
    "mlp": ("Adam, mlp", f"+experiment=osc2d network=mlp {_PLAIN}", [32, 64, 128, 256], BLUE, "o"),
    "ms_pinn": ("Adam, ms_pinn", f"+experiment=osc2d network=ms_pinn {_PLAIN}", [64, 128, 256, 512], ORANGE, "s"),
    "two_scale": ("Gauss-Newton, two_scale", "+experiment=osc2d_fast", [16, 32, 48, 64], GREEN, "D"),
}
POINTS = [2500, 5000, 10000, 25000, 50000, 100000]
SWEEPS = {"points": "points", "width": "width", "ensemble": "seeds"}
_LOG = 20
_SMALL = "problem.eps=1/2 reference.baseline_h=1/50"  # errors at few points, a small reference: steps are what costs


class Point(NamedTuple):
    """One configuration: the `value` of what its sweep changes."""

    sweep: str
    network: str
    value: int


Result = Mapping[str, Any]


def points(options: argparse.Namespace) -> list[tuple[Point, list[str]]]:
    """All points, with their overrides."""
    found = []
    for network in options.methods:
        widths, base = getattr(options, f"widths_{network}"), [*METHODS[network][1].split(), *options.set]
        for count in options.points:
            found.append((Point("points", network, count), [*base, f"collocation.interior_points={count}"]))
        for width in widths:
            sizes = [f"collocation.interior_points={options.fixed}", f"network.width={width}"]
            found.append((Point("width", network, width), [*base, *sizes]))
        for seeds in options.ensembles:
            sizes = [
                f"collocation.interior_points={min(options.points or POINTS)}",
                *_SMALL.split(),
                f"ensemble={seeds}",
            ]
            length = [f"training.iterations={_LOG * options.steps}", f"training.log_every={_LOG}"]
            found.append((Point("ensemble", network, seeds), [*base, *sizes, *length]))
    return found


def measure(overrides: list[str], steps: int) -> Result:
    """Seconds of steps, peak memory and more of one configuration; `failed` where it did not work."""
    command = [sys.executable, str(Path(__file__).with_name("scaling_point.py")), str(steps), *overrides]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": _last(done.stderr, done.returncode)}
    return json.loads(done.stdout.splitlines()[-1])


def measure_ensemble(overrides: list[str]) -> Result:
    """The same of a whole `hpms train`, by its metrics."""
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+") as log:
        command = [sys.executable, "-m", "hpms", "train", *overrides, f"output={folder}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        runs = sorted(Path(folder).glob("train/*/*/seed=*/metrics.jsonl"))
        if process.returncode or not runs:
            return {"failed": _last(log.read(), process.returncode).removeprefix("hpms train: ")}
        rows = [json.loads(line) for line in runs[0].read_text().splitlines()]
    seconds = np.diff([row["elapsed_seconds"] for row in rows]) / np.diff([row["iteration"] for row in rows])
    return {"seconds": seconds.tolist(), "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)}


def _last(text: str, code: int) -> str:
    return (text.strip().splitlines() or [f"it ended with exit code {code}"])[-1]


def milliseconds(result: Result) -> float:
    return 1e3 * float(np.median(result["seconds"]))


def megabytes(result: Result, key: str = "peak") -> float:
    return result[key] / 1e6


def report(results: Mapping[Point, Result], fixed: int, fewest: int) -> str:
    """Markdown."""
    about = next((result["about"] for result in results.values() if "about" in result), None)
    text = ["# Memory and time of a training step"]
    if about:
        commit = about["commit"][:8] + about["commit"][40:] or "unknown"
        text += [
            f"{about['device']}, {about['cpus']} cores; hpms {about['hpms']} at commit {commit}, jax {about['jax']}, "
            f"Python {about['python']}; {about['started'][:10]}, written {date.today()}. osc2d, medians; memory is the "
            "peak resident set of the process."
        ]
    extra = {"points": "", "width": f" at {fixed} points", "ensemble": f" at {fewest} points, `hpms train ensemble=N`"}
    for sweep, name in SWEEPS.items():
        chosen = {point: result for point, result in results.items() if point.sweep == sweep}
        if not chosen:
            continue
        lines = [f"| method | {name} | P | ms a step | peak MB | MB at the start |", "|---|--:|--:|--:|--:|--:|"]
        for point, result in chosen.items():
            line = f"| {METHODS[point.network][0]} | {point.value} |"
            if "failed" in result:
                lines.append(f"{line} | | | left out: {result['failed']} |")
                continue
            start = f"{megabytes(result, 'start'):.0f}" if "start" in result else ""
            numbers = f"{milliseconds(result):.1f} | {megabytes(result):.0f} | {start}"
            lines.append(f"{line} {result.get('parameters', '')} | {numbers} |")
        text += [f"## {name}{extra[sweep]}", "\n".join(lines)]
    return "\n\n".join(text) + "\n"


def plot(results: Mapping[Point, Result], path: Path) -> None:
    """A column per sweep, time above memory; writes .png and .pdf."""
    from matplotlib.ticker import LogLocator  # pyright: ignore[reportMissingImports]

    good = {point: result for point, result in sorted(results.items()) if "failed" not in result}
    sweeps = [sweep for sweep in SWEEPS if any(point.sweep == sweep for point in good)]
    with drawing():
        figure = new_figure(4.4, min(WIDTH, 2.2 * len(sweeps) + 1.2))
        panels = figure.subplots(2, len(sweeps), squeeze=False, sharex="col", sharey="row")
        lines = {}
        for column, sweep in zip(panels.T, sweeps, strict=True):
            chosen = {point: result for point, result in good.items() if point.sweep == sweep}
            for network, (name, _, _, colour, marker) in METHODS.items():
                found = {point.value: result for point, result in chosen.items() if point.network == network}
                for axes, number in zip(column, (milliseconds, megabytes), strict=True):
                    style: dict[str, Any] = {"marker": marker, "color": colour, "markersize": 4.5}
                    (line,) = axes.plot(list(found), list(map(number, found.values())), **style)
                    lines |= {name: line} if found else {}
            column[0].set(xscale="log", yscale="log")
            column[1].set_xlabel(SWEEPS[sweep])
            ticks = _ticks([point.value for point in chosen])
            column[1].set_xticks(ticks, [f"{tick // 1000}k" if tick % 1000 == 0 else f"{tick:,}" for tick in ticks])
            for axes in column:
                axes.minorticks_off()
                axes.yaxis.set_major_formatter("{x:,g}")
                plain(axes)
            column[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panels[1][0].set_ylim(0, 1.04 * panels[1][0].get_ylim()[1])
        panels[0][0].set_ylabel("ms a step")
        panels[1][0].set_ylabel("peak memory, MB")
        figure.legend(lines.values(), lines.keys(), loc="outside upper center", ncols=3, frameon=False)
        save(figure, path.parent, path.stem, ("png", "pdf"))


def _ticks(values: Sequence[int]) -> list[int]:
    """The largest, and of the others what leaves room for a label."""
    apart, found = (max(values) / min(values)) ** (1 / 3), [max(values)]
    for value in sorted(set(values), reverse=True):
        if value * apart <= found[-1] * 1.001 and value < found[-1]:
            found.append(value)
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--points", nargs="*", type=int, default=POINTS)
    parser.add_argument("--fixed", type=int, default=10000)
    for network, method in METHODS.items():
        parser.add_argument(f"--widths-{network}", dest=f"widths_{network}", nargs="*", type=int, default=method[2])
    parser.add_argument("--ensembles", nargs="*", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--set", nargs="+", metavar="KEY=VALUE", default=[], help="more overrides, for all points")
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/scaling"))
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if importlib.util.find_spec("matplotlib") is None:
        sys.exit("matplotlib, which draws the figure, is not installed: pip install matplotlib")
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "scaling.json"
    known: dict[str, Result] = json.loads(path.read_text()) if path.exists() else {}
    results: dict[Point, Result] = {}
    refused: set[str] = set()
    for point, overrides in points(options):
        key = " ".join([*overrides, f"steps={options.steps}"])
        if key not in known:
            if point.sweep == "ensemble" and point.network in refused:
                continue
            print(f"{METHODS[point.network][0]}, {point.value} {SWEEPS[point.sweep]}: ", end="", flush=True)
            found = measure_ensemble(overrides) if point.sweep == "ensemble" else measure(overrides, options.steps)
            if "failed" in found:
                print(f"left out: {found['failed']}", flush=True)
                refused |= {point.network} if point.sweep == "ensemble" else set()
                results[point] = found
                continue
            print(f"{milliseconds(found):.1f} ms a step, {megabytes(found):.0f} MB", flush=True)
            known[key] = found
            path.write_text(json.dumps(known, indent=1))
        results[point] = known[key]
    if not any("failed" not in result for result in results.values()):
        sys.exit("there is nothing to show.")
    table = options.output / "scaling.md"
    table.write_text(text := report(results, options.fixed, min(options.points or POINTS)))
    plot(results, table)
    print(f"\n{text}\n{table}")
    missing = {p.sweep for p in results} - {p.sweep for p, result in results.items() if "failed" not in result}
    if missing:
        sys.exit(f"nothing could be measured of {' and '.join(sorted(missing))}.")


if __name__ == "__main__":
    main()
