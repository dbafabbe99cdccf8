"""Finished runs as tables: the errors of their networks, and the bounds of these."""

import shlex
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from hpms.results.collection import Group, Run, group, load_runs, newest
from hpms.results.formats import markdown
from hpms.results.origin import commands
from hpms.results.settings import shown


def origin(sessions: Sequence[dict[str, Any]]) -> str:
    """Machine, versions, commit and days, in one line."""

    def every(key: str) -> str:
        return " and ".join(sorted({str(session.get(key, "?"))[:10] for session in sessions}))

    versions = ", ".join(f"{name} {every(name)}" for name in ("hpms", "jax", "numpy", "scipy", "scikit-fem", "optax"))
    return (
        f"Commit {every('commit')}, {versions}, Python {every('python')}; {every('cpus')} cores of {every('device')}; "
        f"{every('started')}."
    )


def runs(title: str, places: Sequence[str]) -> str:
    """The worst of the seeds of each group, every run, and what stands beside them."""
    found, complaints = load_runs(places)
    latest = newest(found)[0]
    finished = [run for run in latest if run.finished]
    print(*complaints, sep="\n", end="" if not complaints else "\n", file=sys.stderr)
    if not finished:
        sys.exit(f"{title}: of {len(latest)} runs none is finished.")
    keys, groups = group(latest)
    keys = [key for i, key in enumerate(keys) if len({str(g.values[i]) for g in groups}) > 1 or key == "experiment"]
    lines = [f"# {title}", origin([session for run in finished for session in run.stored.sessions])]
    lines.append("\n".join(["```sh", *sorted({_short(command) for command, _ in commands(finished)}), "```"]))
    lines.append(
        "Errors are those of the logged iteration of smallest residual loss, the worst of the seeds that finished; "
        "seconds are those of the whole training without compilation, which stands beside them."
    )
    lines.append(markdown([*keys, *_WORST], [[*_named(keys, g), *_worst(g)] for g in groups]))
    lines += ["Every run; the least error is that of an iteration which only the exact solution tells:"]
    rows = [
        [*_named(keys, g), *_row(run)] for g in groups for run in sorted(g.finished, key=lambda run: run.keys["seed"])
    ]
    lines.append(markdown([*keys, *_EVERY], rows))
    lines.append("Beside them, of the first run of each; the errors of the reference are its own estimate:")
    lines.append(markdown([*keys, *_BESIDE], [[*_named(keys, g), *row] for g in groups for row in _beside(g)]))
    return "\n\n".join(lines) + "\n"


def bounds(title: str, places: Sequence[str]) -> str:
    """Every run with the bound of its energy error, and its errors against a reference where it has one."""
    found, _ = load_runs(places)
    finished = [run for run in newest(found)[0] if run.finished and "relative_error_bound" in run.summary]
    if not finished:
        sys.exit(f"{title}: no run with a bound is finished.")
    lines = [f"# {title}", origin([session for run in finished for session in run.stored.sessions])]
    lines.append(
        "The relative energy error is at most the bound, or where points are too few about the estimate; seconds are "
        "those of the whole training, bounds included, without compilation, and of the last bound alone."
    )
    rows = [[f"`{_asked(run)}`", *_bounded(run)] for run in sorted(finished, key=lambda run: run.directory)]
    lines.append(markdown(_BOUNDS, rows))
    return "\n\n".join(lines) + "\n"


_BOUNDS = ["hpms train", "seed", "iterations", "seconds", "compiling, s", "bound", "estimate", "points", "bound, s"]
_BOUNDS += ["energy", "relative L²", "relative H¹", "reference's own H¹"]


def _asked(run: Run) -> str:
    """The run's own overrides: of a sweep's command those values that it has."""
    ((command, _), *_) = commands([run])
    found = []
    for word in shlex.split(_short(command))[2:]:
        key, _, value = word.partition("=")
        if word == "-m" or key in ("seed", "reference.cache", "training.iterations"):
            continue
        choices = [] if value[:1] in "'[{" else value.split(",")
        if len(choices) > 1:
            here = run.keys.get(key)
            same = [each for each in choices if isinstance(here, str) and each.startswith(here)]
            value = same[0] if same else _number(here)
        found.append(f"{key}={value}")
    return " ".join(found)


def _bounded(run: Run) -> list[str]:
    summary = run.summary
    at = ("-", f"{run.number('relative_error_bound'):.2e}")
    known = summary["error_bound_resolved"] == 1
    counts = [str(run.keys["seed"]), f"{run.number('iterations_done'):.0f}"]
    errors = ("relative_energy_error", "relative_l2", "relative_h1", "reference_own_h1")
    return [
        *counts,
        *(f"{_seconds([run], key)[0]:.1f}" for key in _SECONDS),
        *(at[::-1] if known else at),
        f"{int(summary['error_bound_points']):,}",
        f"{run.number('error_bound_seconds'):.1f}",
        *(f"{run.number(key):.2e}" if key in summary else "-" for key in errors),
    ]


_WORST = [
    "seeds",
    "not finished",
    "iterations",
    "relative L²",
    "relative H¹",
    "seconds",
    "compiling, s",
    "fine FEM beside it",
]
_EVERY = ["seed", "iterations", "chosen", "relative L²", "relative H¹", "least L²", "at", "seconds", "compiling, s"]
_EVERY += ["parameters", "K̃", "off by"]
_BESIDE = ["method", "relative L²", "relative H¹", "seconds", "K̃"]


def _worst(g: Group) -> list[str]:
    counts = [str(len(g.runs)), str(len(g.runs) - len(g.finished))]
    if not g.finished:
        return [*counts, *["-"] * (len(_WORST) - len(counts))]
    worst = [f"{max(run.number(key) for run in g.finished):.1e}" for key in ("relative_l2", "relative_h1")]
    first = g.finished[0].summary
    fem = f"{str(first['fem_method']).rpartition(',')[0]}: {first['fem_relative_l2']:.1e}, "
    fem += f"{first['fem_relative_h1']:.1e} in {first['fem_seconds']:.2g} s"
    done = _range([run.number("iterations_done") for run in g.finished])
    return [*counts, done, *worst, *(_range(_seconds(g.finished, key)) for key in _SECONDS), fem]


_SECONDS = ("elapsed_seconds", "compile_seconds")


def _seconds(members: Sequence[Run], key: str) -> list[float]:
    return [run.number(key) / run.stored.members for run in members]


def _range(values: Sequence[float]) -> str:
    ends = [f"{value:.0f}" for value in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends))


def _row(run: Run) -> list[str]:
    counts = [str(run.keys["seed"]), f"{run.number('iterations_done'):.0f}", f"{run.number('iteration'):.0f}"]
    errors = [f"{run.number(key):.2e}" for key in ("relative_l2", "relative_h1", "least_relative_l2")]
    seconds = [f"{_seconds([run], key)[0]:.1f}" for key in _SECONDS]
    size = str(run.stored.checkpoint("latest")[0].size)
    mean, reference = (run.summary.get(f"{which}upscaled_coefficient") for which in ("", "reference_"))
    return [
        *counts,
        *errors,
        f"{run.number('least_iteration'):.0f}",
        *seconds,
        size,
        _tensor(mean),
        _off(mean, reference),
    ]


def _off(mean: Any, reference: Any) -> str:
    """The largest deviation of an entry of K̃ from the reference's, relative to K̃₁₁ of its cell."""
    if mean is None or reference is None or np.shape(mean) != np.shape(reference):
        return "-"
    first = np.asarray(reference)[..., :1, :1]
    return f"{100 * float(np.max(np.abs(np.asarray(mean) - reference) / first)):.1f} %"


def _tensor(value: Any) -> str:
    found = np.asarray(np.nan if value is None else value)
    if found.ndim > 2:
        return f"in {found[..., 0, 0].size} cells"
    return "; ".join(", ".join(f"{entry:.5f}" for entry in row) for row in np.atleast_2d(found))


def _beside(g: Group) -> list[list[str]]:
    if not g.finished:
        return []
    run, rows = g.finished[0], []
    for key in ("fem", "corrector", "reference"):
        if f"{key}_method" not in run.summary:
            continue
        names = ("own_l2", "own_h1") if key == "reference" else ("relative_l2", "relative_h1")
        errors = [f"{run.number(f'{key}_{name}'):.2e}" for name in names]
        name = f"homogenisation: {run.summary[f'{key}_method']}" if key == "corrector" else run.summary[f"{key}_method"]
        mean = _tensor(run.summary.get(f"{key}_upscaled_coefficient"))
        rows.append([str(name), *errors, f"{run.number(f'{key}_seconds'):.3g}", mean])
    return rows


def _named(keys: Sequence[str], g: Group) -> list[str]:
    """The values of those keys, code where it is a formula."""
    values = {key: value for key, value in g.runs[0].keys.items() if key in keys}
    return [f"`{shown(values[key])}`" if key.endswith("formula") else _number(values[key]) for key in keys]


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else shown(value)


def _short(command: str) -> str:
    """Without where its runs lie."""
    return shlex.join(word for word in shlex.split(command) if not word.startswith(("output=", "run_dir=")))
