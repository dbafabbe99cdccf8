"""One process per run directory."""

import contextlib
import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpms.errors import UserError
from hpms.machine.files import temporaries

log = logging.getLogger(__name__)


@contextmanager
def locked(directory: Path, otherwise: str = "") -> Iterator[None]:
    """Holds the directory; the system lets go of it when the process ends, however it ends.

    What a process that was killed while writing has left behind is removed, and so is what was made for the lock alone
    where the block ends with nothing to keep.

    Raises `UserError` where another process holds it; it says what else there is to do.
    """
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    path = directory / ".lock"
    handle = _held(directory, path, otherwise)
    try:
        for stale in temporaries(directory):
            stale.unlink()
        yield
        made = []
    finally:
        if made and os.listdir(directory) == [path.name]:
            path.unlink()  # still held: whoever waits for it sees that it is gone
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        os.close(handle)


def _held(directory: Path, path: Path, otherwise: str) -> int:
    """The open lock file that lies at `path` and is held by this process alone."""
    while True:
        directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UserError(f"{path} is not a plain file.")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"{directory} is in use by another process: wait for it{otherwise}.") from None
            except OSError as error:
                log.warning("%s cannot be locked (%s): do not run the same command twice at a time", directory, error)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # another process took its lock away between our opening and our locking it
