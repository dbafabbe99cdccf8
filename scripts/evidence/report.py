"""`report.py RUNS RESULTS COMMAND`: what runs of osc1d reached, as a table and one thinned history each."""

import csv
import sys
from pathlib import Path

from hpms.results.collection import Run, load_runs, newest
from hpms.results.formats import markdown

_EVERY = 1000  # iterations between the rows that are kept
_COLUMNS = ("iteration", "residual", "coupling", "weight_coupling", "upscaled_coefficient")
_COLUMNS += ("relative_l2", "relative_h1")
_HEADER = ("ε", "coupling", "seed", "status", "steps done", "steps wanted", "relative L²", "relative H¹", "at step")
_HEADER += ("least L²", "commits")
_TEXT = """# osc1d, what was reached

    {command}

A second call goes on where the first was cut. Errors are those of the logged step of smallest residual loss among the
steps done; "least L²" is the least of all logged steps, which only one who knows the solution can choose. A run that is
not finished says nothing about the paper's claims yet. Histories, every {every} steps: the CSV files beside this one.

{machine}

{table}
"""


def name(run: Run) -> str:
    """The file name of a run's history."""
    keys = run.keys
    kind = f"{keys['coupling']}_{keys['training.iterations']}_{run.stored.identity}"
    return f"eps={keys['problem.eps']:.4g}_{kind}_seed={keys['seed']}"


def row(run: Run) -> list[str]:
    """One line of the table."""
    keys, summary = run.keys, run.summary
    numbers = [run.number(key) for key in ("relative_l2", "relative_h1", "iteration", "least_relative_l2")]
    l2, h1, iteration, least = numbers
    commits = dict.fromkeys(str(session.get("commit", "?"))[:8] for session in run.stored.sessions)
    return [
        f"{keys['problem.eps']:.4g}",
        str(keys["coupling"]),
        str(keys["seed"]),
        run.stored.status,
        str(summary["iterations_done"]),
        str(keys["training.iterations"]),
        f"{l2:.3g}",
        f"{h1:.3g}",
        f"{iteration:.0f}",
        f"{least:.3g}",
        " ".join(commits),
    ]


def write_history(run: Run, path: Path) -> None:
    """Every `_EVERY`-th row of the log and the last one."""
    history = run.stored.history()
    columns = [key for key in _COLUMNS if key in history]
    last = len(history["iteration"]) - 1
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for i, iteration in enumerate(history["iteration"]):
            if iteration % _EVERY == 0 or i == last:
                writer.writerow([iteration, *(f"{float(history[key][i].item()):.5g}" for key in columns[1:])])


def main() -> None:
    """Writes RESULTS/README.md and RESULTS/*.csv."""
    place, results, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].strip()
    found, complaints = load_runs([str(place)])
    runs = newest(found)[0]
    results.mkdir(parents=True, exist_ok=True)
    for run in runs:
        write_history(run, results / f"{name(run)}.csv")
    session = runs[-1].stored.sessions[-1]
    machine = ", ".join(f"{key} {session[key]}" for key in ("device", "jax", "hpms", "python") if key in session)
    table = markdown(_HEADER, [row(run) for run in runs])
    text = _TEXT.format(command=command, every=_EVERY, machine=f"{machine}.", table=table)
    (results / "README.md").write_text(text, encoding="utf-8")
    print("\n".join([*complaints, table]))


if __name__ == "__main__":
    main()
