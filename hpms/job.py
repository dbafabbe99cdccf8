"""A job of a sweep: its note on disk, which the launching process finds, whatever launched it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hpms.machine import files

_FOLDER = "jobs"


@dataclass(frozen=True)
class Job:
    """One job that ended: its number and overrides, its exit code, why it ended so, and the files it wrote."""

    number: int
    overrides: tuple[str, ...]
    code: int
    message: str
    paths: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Leaves the note in the sweep's folder."""
        files.replace(folder / _FOLDER / f"{self.number}.json", json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, folder: Path, number: int) -> "Job | None":
        """The note of a job, None of one that has not ended."""
        try:
            values = json.loads((folder / _FOLDER / f"{number}.json").read_text())
        except FileNotFoundError:
            return None
        return cls(**values | {key: tuple(values[key]) for key in ("overrides", "paths")})


def forget_jobs(folder: Path) -> None:
    """Removes the notes of another sweep in the same folder."""
    for old in (folder / _FOLDER).glob("*.json"):
        old.unlink()
