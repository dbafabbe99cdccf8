"""`run.h5`: everything about one run in one file, and the directory it lies in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hpms.config.config import Config, read_config
from hpms.errors import UserError
from hpms.problem.lifted import LiftedProblem, alone
from hpms.results import valid
from hpms.results.hdf5 import (
    atomic_h5,
    open_h5,
    read_record,
    read_tree,
    write_arrays,
    write_attributes,
    write_record,
    write_tree,
)
from hpms.results.metrics import LOG, Row, columns, read_rows, rows_from
from hpms.training.snapshot import Best, Snapshot
from hpms.training.start import Parent
from hpms.training.state import TrainState

FORMAT = 5
FILE = "run.h5"
_SHOWN = ("relative_l2", "relative_h1", "lifted_l2", "lifted_h1", "upscaled_coefficient")
_UNREADABLE = (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Fixture:
    """What stays the same during a run: `points` and `fixed` (the untrained arrays of the network) by name, the coarse
    nodes, the numbers of the reference and of the fine FEM that stand beside the network's, and the `digest` of K and
    q, which tells media apart that are called the same; and the arrays of the `medium` that came from files.
    """

    config: Config
    experiment: str
    points: Mapping[str, np.ndarray]
    fixed: Mapping[str, np.ndarray]
    nodes: np.ndarray
    reference: Mapping[str, Any]
    digest: str
    medium: Mapping[str, np.ndarray] = field(default_factory=dict)


def write_run(
    path: Path,
    fixture: Fixture,
    sessions: list[dict[str, Any]],
    rows: list[Row],
    snapshot: Snapshot,
    status: str,
    reason: str,
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Replaces `run.h5` as a whole; `arrays` are the fields of the best iteration, at the end of a session."""
    with atomic_h5(path) as file:
        write_attributes(file, {"format": FORMAT, "experiment": fixture.experiment})
        write_attributes(file, {"identity": fixture.config.identity(), "digest": fixture.digest})
        file["config"] = yaml.safe_dump(fixture.config.plain(), sort_keys=False)
        for i, session in enumerate(sessions):
            write_attributes(file.require_group(f"provenance/{i}"), session)
        write_attributes(file.create_group("summary"), summary(fixture, rows, snapshot, status, reason))
        write_arrays(file.create_group("metrics"), columns(rows))
        write_arrays(file.create_group("points"), fixture.points)
        write_arrays(file.create_group("network"), fixture.fixed)
        if fixture.medium:
            write_arrays(file.create_group("medium"), fixture.medium)
        write_arrays(file.create_group("fields"), arrays)
        coarse = {"nodes": fixture.nodes}
        latest = file.create_group("checkpoint/latest")
        if snapshot.record is not None:
            write_record(latest.create_group("coarse"), snapshot.record)
            coarse |= {"state": alone(snapshot.record.y), "adjoint": alone(snapshot.record.p)}
        write_arrays(file.create_group("coarse"), coarse)
        write_tree(latest.create_group("optimizer"), snapshot.state.optimizer)
        state = snapshot.state
        write_arrays(latest, {"theta": state.theta, "weights": state.weights, "iteration": state.iteration})
        write_attributes(latest, {"elapsed": snapshot.elapsed, "compiling": snapshot.compiling})
        if snapshot.best is not None:
            best = file.create_group("checkpoint/best")
            write_arrays(best, {"theta": snapshot.best.theta, "iteration": np.int32(snapshot.best.iteration)})
            write_attributes(best, {"residual": snapshot.best.residual})
        if path.exists():
            _check_again(path, file)


def _check_again(path: Path, file: Any) -> None:
    """What cannot be read never replaces what can: raises `UserError` where `file` is no run to `valid.check`."""
    try:
        valid.check(file)
    except _UNREADABLE as error:
        raise UserError(f"{path} stays as it is, as the next checkpoint could not be read again: {error}.") from None


def summary(fixture: Fixture, rows: list[Row], snapshot: Snapshot, status: str, reason: str) -> dict[str, Any]:
    """The attributes of `summary`: the logged iteration of smallest residual loss, and what stands beside it."""
    found: dict[str, Any] = {
        "status": status,
        "reason": reason,
        "iterations_done": snapshot.iteration,
        "elapsed_seconds": snapshot.elapsed,
        "compile_seconds": snapshot.compiling,
        **fixture.reference,
    }
    if snapshot.best is not None:
        (row,) = [r for r in rows if r["iteration"] == snapshot.best.iteration][-1:]
        found |= {
            "iteration": row["iteration"],
            "residual_loss": row["residual"],
            **{name: row[name] for name in _SHOWN if name in row},
            "wall_seconds": row["elapsed_seconds"] + row["compile_seconds"],
        }
        errors = {row["iteration"]: row["relative_l2"] for row in rows if np.isfinite(row.get("relative_l2", np.nan))}
        if errors:
            least = min(errors, key=lambda iteration: errors[iteration])
            found |= {"least_relative_l2": errors[least], "least_iteration": least}
    return found


class StoredRun:
    """A `run.h5` read back. Configuration values become options of the registry; nothing in the file is executed.

    Raises `UserError` where the file is not a run of this program.
    """

    def __init__(self, directory: Path):
        self.path = directory / FILE
        try:
            with open_h5(self.path) as file:
                self._format = int(file.attrs["format"])
                if not 1 <= self._format <= FORMAT:
                    raise UserError(f"{self.path} has format {self._format}; this program reads 1 to {FORMAT}.")
                self.values = valid.check(file)
                self._digest_name = valid.digest_name(file)
                self.digest = file.attrs[self._digest_name]
                self.experiment, self._identity = file.attrs["experiment"], file.attrs["identity"]
                self.summary = valid.shown(file["summary"].attrs)
                sessions = file["provenance"]
                self.sessions = [valid.shown(sessions[str(i)].attrs) for i in range(len(sessions))]
                self.parent = Parent.of(self.sessions[0]) if self.sessions else None
                self.rows = rows_from({k: np.asarray(v) for k, v in file["metrics"].items()})
                self.points = {k: np.asarray(v) for k, v in file["points"].items()}
                self.fixed = {k: np.asarray(v) for k, v in file["network"].items()}
                self.nodes = np.asarray(file["coarse/nodes"])
                self.medium = {k: np.asarray(v) for k, v in file.get("medium", {}).items()}
        except FileNotFoundError:
            raise UserError(f"{directory} is not a run: it has no {FILE}.") from None
        except (*_UNREADABLE, yaml.YAMLError) as error:
            raise UserError(f"{self.path} cannot be read as a run ({' '.join(str(error).split())[:200]}).") from None

    @classmethod
    def at(cls, place: str | Path) -> "StoredRun":
        """The run of a directory, or of the `run.h5` in it."""
        path = Path(place)
        return cls(path.parent if path.name == FILE else path)

    def check_medium(self, problem: LiftedProblem, otherwise: str = "load the plugin as it was") -> None:
        """Raises `UserError` where K or q are not those of the run, as after an edit of a plugin."""
        found = problem.digest if self._digest_name == "digest" else problem.earlier_digest()
        if found != self.digest:
            raise UserError(
                f"{self.path} was computed with another coefficient or source of the same name: undo the change, or "
                f"{otherwise}."
            )

    @property
    def identity(self) -> str:
        """The hash of the configuration as it would be written today; that of the file where an option is missing."""
        try:
            return self._identity if self._format == FORMAT else self.config().identity()
        except UserError:
            return self._identity

    @property
    def status(self) -> str:
        return str(self.summary["status"])

    @property
    def members(self) -> int:
        """How many runs were trained together; the seconds of each are those of all."""
        return int(self.summary.get("ensemble_members", 1))

    def config(self) -> Config:
        """The run's configuration; raises `UserError` where an option (a plugin's) is not registered."""
        return read_config(self.values)

    def history(self) -> dict[str, np.ndarray]:
        """One array per metric; of a run at work, or killed, also what was logged since its last checkpoint."""
        logged = read_rows(self.path.with_name(LOG))
        if self.rows and logged and self.rows[0].keys() != logged[0].keys():
            logged = []
        return columns(max(self.rows, logged, key=len))

    def fields(self) -> dict[str, np.ndarray]:
        """The network and its reference at the best iteration; empty before the end of a session."""
        with open_h5(self.path) as file:
            return {k: np.asarray(v) for k, v in file["fields"].items()}

    def checkpoint(self, which: str) -> tuple[np.ndarray, int]:
        """Parameters and iteration of the checkpoint `best` or `latest`."""
        with open_h5(self.path) as file:
            if which not in file["checkpoint"]:
                raise UserError(f"{self.path} has no checkpoint '{which}' yet.")
            found = file[f"checkpoint/{which}"]
            return np.asarray(found["theta"]), int(found["iteration"][()])

    def snapshot(self, like: Snapshot, anew: str) -> Snapshot:
        """The latest checkpoint, in the structure of a fresh one; raises `UserError` where it does not fit."""
        if self._format < FORMAT:
            raise UserError(
                f"{self.path} was begun by an earlier version (format {self._format}) and can be read, but not "
                f"continued: {anew}."
            )
        with open_h5(self.path) as file:
            latest = file["checkpoint/latest"]
            template = {"theta": like.state.theta, "weights": like.state.weights, "iteration": like.state.iteration}
            try:
                optimizer = read_tree(latest["optimizer"], like.state.optimizer)
                parts = read_tree({str(i): latest[k] for i, k in enumerate(sorted(template))}, template)
                record = None if like.record is None else read_record(latest["coarse"], like.record)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise UserError(f"{self.path} does not fit this configuration: {error}.") from None
            best = None
            if "best" in file["checkpoint"]:
                group = file["checkpoint/best"]
                best = Best(np.asarray(group["theta"]), int(group["iteration"][()]), float(group.attrs["residual"]))
            elapsed, compiling = float(latest.attrs["elapsed"]), float(latest.attrs["compiling"])
        return Snapshot(TrainState(optimizer=optimizer, **parts), record, best, elapsed, compiling)
