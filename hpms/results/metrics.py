"""What is logged at one iteration, as rows that can be cut off at any line."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from hpms.machine import files

Row = dict[str, Any]
LOG = "metrics.jsonl"
_MOST_AXES = 3


class MetricsLog:
    """`metrics.jsonl`: one flushed line per logged iteration, for whoever watches a run; `run.h5` has them too."""

    def __init__(self, path: Path, rows: list[Row]):
        """Starts the file anew with `rows`, those of the checkpoint that a run continues from."""
        self.rows = list(rows)
        files.replace(path, "".join(map(_line, rows)).encode())
        self._file = files.Appended(path)

    def append(self, row: Row) -> None:
        self.rows.append(row)
        self._file.write(_line(row))

    def cut(self, iteration: int) -> None:
        """Forgets the rows behind an iteration."""
        self.rows = [row for row in self.rows if row["iteration"] <= iteration]

    def close(self) -> None:
        self._file.close()


def columns(rows: list[Row]) -> dict[str, np.ndarray]:
    """One array per metric, the first axis running through the logged iterations."""
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def rows_from(found: dict[str, np.ndarray]) -> list[Row]:
    """The inverse of `columns`."""
    count = min((len(column) for column in found.values()), default=0)
    return [{name: column[i].tolist() for name, column in found.items()} for i in range(count)]


def read_rows(path: Path) -> list[Row]:
    """The rows of a `metrics.jsonl`, with NaN for null, up to the first that is not whole; none without a file."""
    rows: list[Row] = []
    first: dict[str, tuple[int, ...]] = {}
    for line in files.read(path).decode(errors="replace").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
            shapes = {name: _shape(value) for name, value in row.items()}
        except (ValueError, RecursionError, AttributeError):
            break
        if shapes.get("iteration", "missing") != () or not isinstance(row["iteration"], int):
            break
        if rows and (shapes != first or row["iteration"] <= rows[-1]["iteration"]):
            break
        first = shapes
        rows.append({name: _number(value) for name, value in row.items()})
    return rows


def _shape(value: Any) -> tuple[int, ...]:
    """() of a number, and of a matrix (a list of lists) or a list of them how long they are; else a `ValueError`."""
    if isinstance(value, list):
        inner = {_shape(each) for each in value}
        if len(inner) != 1 or len(found := (len(value), *inner.pop())) > _MOST_AXES:
            raise ValueError("not a rectangle of numbers")
        return found
    if isinstance(value, bool) or not (value is None or isinstance(value, int | float)):
        raise ValueError("not a number")
    if isinstance(value, int) and not abs(value) < 2**63:
        raise ValueError("no number that was logged")
    return ()


def _line(row: Row) -> str:
    return json.dumps({name: _plain(value) for name, value in row.items()}, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """JSON has no NaN: null."""
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(v) for v in value]
    return math.nan if value is None else value
