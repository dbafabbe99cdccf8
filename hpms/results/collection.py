"""Runs found on disk, and which of them differ in the seed alone."""

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hpms.config.config import is_identity
from hpms.config.shipped import named_formulas
from hpms.errors import UserError, suggestion
from hpms.results.run import FILE, StoredRun
from hpms.training.session import FINISHED, RUNNING

TRAPPED = 0.9
DEFAULT_BY = ("coupling", "network")
_STARTS = ("init_from.path", "init_from.iteration", "init_from.digest")


@dataclass(frozen=True)
class Run:
    """A stored run, and its configuration as flat keys: `coupling` is the option's name, `coupling.tau2` a value.

    A formula that has a file of its own in conf/ is called as that file.
    Of a run that started from another one `init_from` is the hash of that one's configuration, and the keys of
    `_STARTS` tell which of its runs that was.
    """

    stored: StoredRun

    @cached_property
    def keys(self) -> dict[str, Any]:
        found: dict[str, Any] = {"experiment": self.stored.experiment}
        for group, values in self.stored.values.items():
            if not isinstance(values, dict):
                found[group] = values
                continue
            found[group] = values.get("name")
            found |= {f"{group}.{key}": value for key, value in values.items() if key != "name"}
            if isinstance(formula := values.get("formula"), str):
                found[group] = named_formulas(group).get(formula, found[group])
        if (parent := self.stored.parent) is not None:
            found["init_from"] = parent.identity.partition("-")[0]
            found |= {key: getattr(parent, key.rpartition(".")[2]) for key in _STARTS}
        return found

    @property
    def directory(self) -> Path:
        return self.stored.path.parent

    @property
    def summary(self) -> dict[str, Any]:
        return self.stored.summary

    @property
    def finished(self) -> bool:
        return self.stored.status == FINISHED

    @property
    def running(self) -> bool:
        """At work, or killed."""
        return self.stored.status == RUNNING

    @property
    def failed(self) -> bool:
        """Not finished, or trapped: a relative L² error above 0.9."""
        return not self.finished or ("relative_l2" in self.summary and not self.number("relative_l2") <= TRAPPED)

    @property
    def seconds(self) -> float:
        """Until the iteration of smallest residual loss; a member of an ensemble has its share of the time of all."""
        return self.number("wall_seconds") / self.stored.members

    @property
    def bound(self) -> float:
        """Of the relative energy error, NaN where there is none or it is an estimate alone."""
        return self.number("relative_error_bound") if self.number("error_bound_resolved") == 1 else float("nan")

    def number(self, key: str) -> float:
        """A number of the summary, NaN where it is missing."""
        return float(self.summary.get(key, np.nan))


@dataclass(frozen=True)
class Group:
    """Runs that agree in the keys they were grouped by, with the values of those keys."""

    values: tuple[Any, ...]
    runs: tuple[Run, ...]

    def __lt__(self, other: "Group") -> bool:
        return _order(self) < _order(other)

    @property
    def finished(self) -> list[Run]:
        return [run for run in self.runs if run.finished]

    def failures(self, accuracy: float | None = None) -> int:
        """How many failed, or have no bound of the relative energy error that is at most `accuracy`."""
        return sum(run.failed or (accuracy is not None and not run.bound <= accuracy) for run in self.runs)

    @property
    def running(self) -> int:
        """Of the failures, those that may be at work still."""
        return sum(run.running for run in self.runs)

    def statistics(self, key: str) -> tuple[float, float]:
        """Mean and standard deviation (of a sample, NaN for one run) over the finished runs of a number."""
        found = [run.seconds if key == "seconds" else run.number(key) for run in self.finished]
        mean = float(np.mean(found)) if found else float("nan")
        return mean, float(np.std(found, ddof=1)) if len(found) > 1 else float("nan")


def find_runs(places: Sequence[str]) -> list[Path]:
    """The directories of the runs in folders (at any depth), of run files, and of what globs match; in natural order.

    Raises `UserError` for a place where there is none.
    """
    found: dict[Path, Path] = {}
    for place in places:
        here: set[Path] = set()
        for path in map(Path, [place] if Path(place).exists() else glob.glob(place, recursive=True)):
            files = path.rglob(FILE) if path.is_dir() else [path]
            here |= {file.parent for file in files if file.name == FILE}
        if not here:
            raise UserError(f"{place}: there are no runs, no folder with a {FILE} in it.")
        for path in here:
            found.setdefault(path.resolve(), path)
    return sorted(found.values(), key=lambda path: _natural(str(path)))


def load_runs(places: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs in those places, and a sentence for each that cannot be read.

    Raises `UserError` where there is not one that can.
    """
    runs, complaints = [], []
    for directory in find_runs(places):
        try:
            runs.append(Run(StoredRun(directory)))
        except UserError as error:
            complaints.append(str(error))
    if not runs:
        raise UserError(complaints[0])
    return runs, complaints


def newest(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """The last attempt at each configuration and seed, and the attempts before it (of force=true, say)."""
    last: dict[tuple[str, str, int], Run] = {}
    for run in sorted(runs, key=_started):
        last[run.stored.identity, run.stored.digest, run.keys["seed"]] = run
    kept = {id(run) for run in last.values()}
    return [run for run in runs if id(run) in kept], [run for run in runs if id(run) not in kept]


def varying(runs: Iterable[Run]) -> list[str]:
    """The keys, other than the seed, that change results and do not have one value in all runs.

    An option's own keys do not count where the option itself varies, nor those that are lengths in units of ε. Which
    run was the start counts where nothing else tells two of one seed apart.
    """
    every = [run.keys for run in runs]
    differ = [
        key
        for key in dict.fromkeys(k for keys in every for k in keys)
        if len({_hashed(keys, key) for keys in every}) > 1
    ]
    apart = ("seed", "experiment", *_STARTS)
    counted = [key for key in differ if key not in apart and is_identity(*_parts(key))]
    told = [key for key in counted if "." not in key or (_parts(key)[0] not in differ and not _follows(every, key))]
    return told or next(([key] for key in _STARTS if _differs_within_a_seed(every, key)), [])


def _differs_within_a_seed(every: Sequence[dict[str, Any]], key: str) -> bool:
    return len({(keys["seed"], _hashed(keys, key)) for keys in every}) > len({keys["seed"] for keys in every})


def _follows(every: Sequence[dict[str, Any]], key: str) -> bool:
    """Whether a key's floats are constant multiples of 1, ε or 1/ε in all runs, and nothing else is in them."""
    eps = np.array([keys["problem.eps"] for keys in every])
    values = [found if isinstance(found := keys.get(key), list) else [found] for keys in every]
    if key == "problem.eps" or len({len(found) for found in values}) > 1:
        return False
    columns = list(zip(*values, strict=True))
    if not all(isinstance(value, float) for column in columns for value in column):
        return False
    units = (1, eps, 1 / eps)
    return all(any(np.ptp(c := np.array(column) * unit) <= 1e-9 * abs(c[0]) for unit in units) for column in columns)


def group(runs: Sequence[Run], by: Sequence[str] | None = None) -> tuple[list[str], list[Group]]:
    """The keys, and the groups of the runs that agree in them, in natural order.

    Without `by`: coupling and network (behind the experiment, if there are several), and all keys besides the seed in
    which runs differ that agree in these.
    Raises `UserError` for a key that no run has.
    """
    keys = list(by or DEFAULT_BY)
    if by is None and len({run.stored.experiment for run in runs}) > 1:
        keys.insert(0, "experiment")
    known = {key for run in runs for key in run.keys}
    for key in keys:
        if key not in known:
            raise UserError(f"--by={key} is not allowed: no run has this key.{suggestion(key, known)}")
    if by is None:
        keys = telling(runs, keys)
    return keys, _cells(runs, keys)


def telling(runs: Sequence[Run], keys: Sequence[str] = ()) -> list[str]:
    """The keys, and all others besides the seed in which runs differ that agree in these."""
    found = list(keys)
    while within := [key for cell in _cells(runs, found) for key in varying(cell.runs) if key not in found]:
        found += dict.fromkeys(within)
    return found


def is_problem(key: str) -> bool:
    """Whether a key says what is solved, and not how."""
    return _parts(key)[0] in ("problem", "coefficient", "source", "law", "upscaling")


def _cells(runs: Sequence[Run], keys: Sequence[str]) -> list[Group]:
    cells: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        cells.setdefault(tuple(_hashed(run.keys, key) for key in keys), []).append(run)
    found = [Group(tuple(members[0].keys.get(key) for key in keys), tuple(members)) for members in cells.values()]
    return sorted(found)


def _started(run: Run) -> tuple[str, list[tuple[int, float, str]]]:
    sessions = run.stored.sessions
    return str(sessions[0].get("started", "")) if sessions else "", _natural(str(run.directory))


def _order(cell: Group) -> list[list[tuple[int, float, str]]]:
    return [_natural(str(value)) for value in cell.values]


def _parts(key: str) -> tuple[str, str]:
    head, _, rest = key.partition(".")
    return head, rest


def _hashed(keys: dict[str, Any], key: str) -> str:
    return repr(keys.get(key))


def _natural(text: str) -> list[tuple[int, float, str]]:
    """Numbers in a text compare as numbers."""
    parts = re.split(r"(\d+\.?\d*(?:e[+-]?\d+)?)", text)
    return [(0, float(part), "") if i % 2 else (1, 0.0, part) for i, part in enumerate(parts)]
