"""The page of a set of runs: what came out, what failed, with which configuration, on what."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hpms import __version__
from hpms.results.beside import beside
from hpms.results.collection import Group, Run, group
from hpms.results.html import Html, contents, details, element, grid, join, page, picture, section, terms
from hpms.results.origin import commands, duration, environments, total_seconds
from hpms.results.outcome import KINDS, kind, reason
from hpms.results.run_list import run_list
from hpms.results.settings import common, differing, label
from hpms.results.summary_table import summary_table

_MOST_OPEN = 4  # figures of groups; more are folded
_SUMMARY = """Mean ± standard deviation over the seeds, at the logged iteration of smallest residual loss. "failed"
counts runs that did not finish or are trapped (relative L² error above 0.9); trapped runs count in the means. Seconds
are those until that iteration, with compilation."""
_BESIDE = """The run of smallest residual loss of each group, and what the same problem costs by the fine finite element
method. All errors are against the reference, whose own error is estimated. The coupling gap is
the coupling's own error, what it leaves of the exact solution."""


@dataclass(frozen=True)
class Asked:
    """What the page is about: the places as they were typed, the folder that the runs share, the keys of --by, and
    when.
    """

    places: Sequence[str]
    folder: Path
    by: Sequence[str] | None
    date: str


@dataclass(frozen=True)
class Picture:
    """A figure as PNG, or the reason why there is none."""

    caption: str
    png: bytes = b""
    reason: str = ""


def report_page(
    asked: Asked, runs: Sequence[Run], complaints: Sequence[str], overview: Picture, single: Sequence[Picture]
) -> str:
    """The HTML document; raises `ConfigError` for a key of `asked.by` that no run has."""
    keys, groups = group(runs, asked.by)
    title = f"{', '.join(dict.fromkeys(run.stored.experiment for run in runs))}: {_count(runs, 'run')}"
    parts = [
        ("summary", "Summary", [grid(*summary_table(runs, asked.by)), element("p", _SUMMARY, "note")]),
        ("fem", "Best networks and fine FEM", [*_beside(runs, keys, groups), element("p", _BESIDE, "note")]),
        ("failed", "What failed", _failures(asked.folder, keys, groups, complaints)),
        ("figures", "Figures", _figures(overview, single)),
        ("runs", "All runs", [_all(asked.folder, runs)]),
        ("configuration", "Configuration", _configuration(runs, keys, groups)),
        ("provenance", "Provenance", _provenance(runs)),
    ]
    links = contents([(name, heading) for name, heading, _ in parts])
    body = [element("h1", title), _asked(asked, runs, groups, complaints), links]
    return page(f"hpms report: {title}", join([*body, *(section(*part) for part in parts)]))


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _asked(asked: Asked, runs: Sequence[Run], groups: Sequence[Group], complaints: Sequence[str]) -> Html:
    kinds = [kind(run) for run in runs]
    counts = [f"{kinds.count(name)} {name}" for name in KINDS if name in kinds]
    counts += [f"{len(complaints)} more cannot be read"] if complaints else []
    by = f" by {', '.join(asked.by)}" if asked.by else ""
    return terms(
        [
            ("Runs", f"{len(runs)} in {_count(groups, 'group')}{by}: {', '.join(counts)}"),
            ("Asked for", ", ".join(asked.places)),
            ("Runs lie in", str(asked.folder)),
            ("Training took", duration(total_seconds(runs))),
            ("Page made", f"{asked.date}, hpms {__version__}"),
        ]
    )


def _beside(runs: Sequence[Run], keys: Sequence[str], groups: Sequence[Group]) -> list[Html]:
    found = []
    for title, header, rows, kinds in beside(runs, keys, groups):
        found += [*([element("h3", title)] if title else []), grid(header, rows, kinds)]
    return found


def _failures(folder: Path, keys: Sequence[str], groups: Sequence[Group], complaints: Sequence[str]) -> list[Html]:
    failed = [(label(keys, g), run) for g in groups for run in g.runs if run.failed]
    rows = [[name, str(run.keys["seed"]), kind(run), reason(run), _place(folder, run)] for name, run in failed]
    rows += [["", "", "unreadable", complaint, ""] for complaint in complaints]
    if not rows:
        return [element("p", "Nothing: all runs finished, and none is trapped.")]
    kinds = [*(kind(run) for _, run in failed), *["failed"] * len(complaints)]
    return [grid(["group", "seed", "status", "reason", "run"], rows, kinds)]


def _figures(overview: Picture, single: Sequence[Picture]) -> list[Html]:
    reasons = list(dict.fromkeys(found.reason for found in (overview, *single)))
    if len(reasons) == 1 and reasons[0]:
        return [element("p", reasons[0], "note")]
    folded = [details(found.caption, _picture(found), len(single) <= _MOST_OPEN) for found in single]
    return [_picture(overview), *folded]


def _picture(found: Picture) -> Html:
    return picture(found.png, found.caption) if found.png else element("p", found.reason, "note")


def _all(folder: Path, runs: Sequence[Run]) -> Html:
    header, rows = run_list(runs)
    status, kinds = header.index("status"), [kind(run) for run in runs]
    for row, run, name in zip(rows, runs, kinds, strict=True):
        row[status] += ", trapped" if name == "trapped" else ""
        row[-1] = _place(folder, run)
    return grid(header, rows, kinds)


def _place(folder: Path, run: Run) -> str:
    """Below the folder that the runs share, which the head of the page names; the whole for the only run."""
    below = os.path.relpath(run.directory, folder)
    return str(run.directory) if below == "." else below


def _configuration(runs: Sequence[Run], keys: Sequence[str], groups: Sequence[Group]) -> list[Html]:
    rows = differing(runs, groups)
    differ = grid(["key", *(label(keys, g) for g in groups)], rows)
    same = element("p", "Nothing: all runs have the same configuration.")
    shared = grid(["key", "value"], common(runs))
    titles = [element("h3", "What differs"), element("h3", "What all runs have in common")]
    return [titles[0], differ if rows else same, titles[1], shared]


def _provenance(runs: Sequence[Run]) -> list[Html]:
    lines = [element("pre", f"{command}\n# {_count(there, 'session')}") for command, there in commands(runs)]
    return [element("h3", "Machines and versions"), grid(*environments(runs)), element("h3", "Command lines"), *lines]
