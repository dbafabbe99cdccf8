"""Where runs come from: machines, versions and command lines of all their sessions."""

import re
from collections.abc import Sequence
from typing import Any

from hpms.results.collection import Run
from hpms.training.start import PARENT

_SHOWN = ("device", "platform", "host", "machine", "cpus", "python", "hpms", "commit")
_TIMES = ("started", "command")
_VERB = re.compile(r"'(hpms \w+)'")


def environments(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Header, and a row for each machine with the versions on it, in the order of their first sessions."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for session in sorted(_sessions(runs), key=lambda session: str(session.get("started", ""))):
        where = tuple(sorted((key, str(value)) for key, value in session.items() if _is_environment(key)))
        found.setdefault(where, []).append(str(session.get("started", "")))
    columns = [dict(where) for where in found]
    rest = sorted({key for where in columns for key in where if key not in _SHOWN})
    rows = [["sessions", *(str(len(started)) for started in found.values())]]
    rows += [
        [f"{which} started", *(started[i] for started in found.values())] for which, i in (("first", 0), ("last", -1))
    ]
    rows += [[key, *(where.get(key, "") for where in columns)] for key in (*_SHOWN, *rest)]
    return ["", *(f"environment {i + 1}" for i in range(len(columns)))], rows


def _is_environment(key: str) -> bool:
    return key not in _TIMES and not key.startswith(PARENT)


def commands(runs: Sequence[Run]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each command line, once, with the sessions it started."""
    found: dict[str, list[dict[str, Any]]] = {}
    for session in _sessions(runs):
        found.setdefault(_VERB.sub(r"\1", str(session.get("command", "")), count=1), []).append(session)
    return list(found.items())


def total_seconds(runs: Sequence[Run]) -> float:
    """Of all sessions, with compilation; a member of an ensemble has its share of the time of all."""
    found = 0.0
    for run in runs:
        both = (float(run.summary.get(key, 0.0)) for key in ("elapsed_seconds", "compile_seconds"))
        found += sum(both) / run.stored.members
    return found


def duration(seconds: float) -> str:
    """Seconds, and hours and minutes where there are such."""
    minutes, hours = int(seconds // 60) % 60, int(seconds // 3600)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (seconds >= 60)
    return f"{seconds:.0f} seconds" + (f" ({' '.join(parts)})" if parts else "")


def _sessions(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Each once, though every member of an ensemble has a note of it."""
    every = [session for run in runs for session in run.stored.sessions]
    return list(
        {tuple(sorted((key, str(value)) for key, value in session.items())): session for session in every}.values()
    )
