"""One process per run directory."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpms.errors import UserError


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the directory; the system lets go of it when the process ends, however it ends.

    Raises `UserError` where another process holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / ".lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{directory} is in use by another process: wait for it, or add force=true.") from None
        yield
