"""One process per run directory."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpms.errors import UserError
from hpms.results.hdf5 import TEMPORARY

log = logging.getLogger(__name__)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the directory; the system lets go of it when the process ends, however it ends.

    What a process that was killed while writing has left behind is removed.

    Raises `UserError` where another process holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / ".lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{directory} is in use by another process: wait for it, or add force=true.") from None
        except OSError as error:
            log.warning("%s cannot be locked (%s): do not run the same command twice at a time", directory, error)
        for stale in directory.glob(TEMPORARY):
            stale.unlink()
        yield
