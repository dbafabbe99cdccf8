"""Table and figure of `small_eps.py`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hpms.results.run import FILE, StoredRun

L2, H1 = 1e-2, 2e-2
PROBLEMS = {
    "osc2d": "+experiment=osc2d_small",
    "layered2d": "+experiment=layered_small",
    "layered3d": "+experiment=layered_small problem.dim=3",
}
TITLES = {"osc2d": "osc2d", "layered2d": "layers in 2-D", "layered3d": "layers in 3-D"}
METHODS = {  # what each is called, its colour and marker
    "p1": ("P1 elements", "0.55", "s"),
    "p2": ("P2 elements", "black", "^"),
    "consistent": ("network, coupled", "#009E73", "o"),
    "none": ("network alone", "#D55E00", "v"),
}
CORRECTOR = ("homogenisation", "#0072B2", "D")


@dataclass(frozen=True)
class Result:
    """What a method took at one ε, its errors there, the `note` of what it is, and whether these are small enough.

    Of a network that is the first logged iteration with both errors small enough, or the one of least L² error.
    """

    l2: float
    h1: float
    seconds: float
    unknowns: int
    note: str

    @property
    def reached(self) -> bool:
        return self.l2 <= L2 and self.h1 <= H1


def elements(path: Path) -> Result | None:
    """The first mesh with both errors small enough, or the finest."""
    rungs = [rung for rung in (json.loads(path.read_text()) if path.exists() else []) if "cells" in rung]
    if not rungs:
        return None
    rung = next((r for r in rungs if r["l2"] <= L2 and r["h1"] <= H1), rungs[-1])
    return Result(rung["l2"], rung["h1"], rung["seconds"], rung["unknowns"], f"h = 1/{rung['cells']}")


def network(stored: StoredRun) -> Result:
    """One run."""
    rows = stored.rows
    small = [row for row in rows if row["relative_l2"] <= L2 and row["relative_h1"] <= H1]
    row = small[0] if small else min(rows, key=lambda r: r["relative_l2"])
    chosen = f"chosen: {stored.summary['relative_l2']:.1e}, {stored.summary['relative_h1']:.1e}"
    count = stored.checkpoint("latest")[0].size
    note = f"{row['iteration']} steps; {chosen} at {stored.summary['iteration']}"
    return Result(row["relative_l2"], row["relative_h1"], row["elapsed_seconds"], count, note)


def corrector(summary: Mapping[str, Any]) -> Result:
    """Homogenisation with its corrector, as it stands beside a run."""
    errors = summary["corrector_relative_l2"], summary["corrector_relative_h1"]
    words = str(summary["corrector_method"]).replace("+", "").replace(",", "").split()
    unknowns = sum(int(word) for word in words if word.isdigit())
    return Result(*errors, summary["corrector_seconds"], unknowns, "with corrector")


def collected(output: Path, problem: str, eps: float) -> dict[str, list[Result]]:
    """All results at one ε, by method; several seeds of a network."""
    folder, found = output / problem / f"eps={eps:g}", {}
    for element in ("p1", "p2"):
        if result := elements(folder / f"{element}.json"):
            found[element] = [result]
    for coupling in ("consistent", "none"):
        places = [path.parent for path in sorted(folder.glob(f"{coupling}/seed=*/{FILE}"))]
        runs = [run for run in map(StoredRun, places) if run.status == "finished"]
        if runs:
            found[coupling] = [network(run) for run in runs]
            found.setdefault("corrector", [corrector(runs[0].summary)])
    return found


def write(output: Path, every: Mapping[str, Sequence[float]]) -> str:
    """Writes OUTPUT/small_eps.md, .png and .pdf, and gives the table."""
    results = {
        problem: {eps: found for eps in sorted(values, reverse=True) if (found := collected(output, problem, eps))}
        for problem, values in every.items()
    }
    results = {problem: found for problem, found in results.items() if found}
    names = {key: name for key, (name, *_) in METHODS.items()} | {"corrector": CORRECTOR[0]}
    lines = [f"To a relative L² error of {L2:g} and an H¹ error of {H1:g}; `-` where that was not reached.", ""]
    lines += [
        "| problem | ε | method | reached | seconds | unknowns | L² | H¹ | |",
        "|---|---|---|---|--:|--:|--:|--:|---|",
    ]
    for problem, at in results.items():
        for eps, found in at.items():
            for key, name in names.items():
                for result in found.get(key, []):
                    row = [TITLES[problem], f"{eps:g}", name, "yes" if result.reached else "-", f"{result.seconds:.3g}"]
                    row += [str(result.unknowns), f"{result.l2:.1e}", f"{result.h1:.1e}", result.note]
                    lines.append("| " + " | ".join(row) + " |")
    text = "\n".join(lines) + "\n"
    (output / "small_eps.md").write_text(text)
    if results:
        plot(results, output / "small_eps")
    return text


def plot(results: Mapping[str, Mapping[float, Mapping[str, list[Result]]]], path: Path) -> None:
    """Seconds (above) and unknowns (below) against ε; hollow where the accuracy was not reached."""
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]
    from matplotlib.lines import Line2D  # pyright: ignore[reportMissingImports]

    styles = {**METHODS, "corrector": CORRECTOR}
    figure = Figure(figsize=(3.1 * max(2, len(results)), 5.4), layout="constrained")
    panels = figure.subplots(2, len(results), squeeze=False, sharex="col", sharey="row")
    for column, (problem, at) in zip(panels.T, results.items(), strict=True):
        for key, (_, colour, marker) in styles.items():
            points = [(eps, result) for eps, found in at.items() for result in found.get(key, [])]
            for axes, name in zip(column, ("seconds", "unknowns"), strict=True):
                middle = [
                    (eps, float(np.median([getattr(r, name) for r in found[key]])))
                    for eps, found in at.items()
                    if key in found and all(r.reached for r in found[key])
                ]
                axes.plot(*zip(*middle, strict=True), color=colour, linewidth=1.3) if middle else None
                for eps, result in points:
                    face = colour if result.reached else "white"
                    axes.plot(eps, getattr(result, name), marker, color=colour, markerfacecolor=face, markersize=5.5)
        column[0].set_title(TITLES[problem], loc="left")
        column[1].set_xlabel("ε")
        for axes in column:
            axes.set(xscale="log", yscale="log")
            axes.grid(which="major", color="0.9", linewidth=0.6)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        column[0].invert_xaxis()
    panels[0, 0].set_ylabel("seconds")
    panels[1, 0].set_ylabel("unknowns")
    point = {"linestyle": "-", "markersize": 5.5}
    shown = {name: Line2D([], [], color=colour, marker=marker, **point) for name, colour, marker in styles.values()}
    shown["not reached"] = Line2D(
        [], [], color="0.3", marker="o", linestyle="", markerfacecolor="white", markersize=5.5
    )
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    for suffix in (".png", ".pdf"):
        figure.savefig(path.with_suffix(suffix), dpi=200)
