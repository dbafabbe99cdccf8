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
from hpms.files import TEMPORARY

log = logging.getLogger(__name__)


@contextmanager
def locked(directory: Path, otherwise: str = "") -> Iterator[None]:
    """Holds the directory; the system lets go of it when the process ends, however it ends.

    What a process that was killed while writing has left behind is removed, and so is what was made for the lock alone
    where the block ends with nothing to keep.

    Raises `UserError` where another process holds it; it says what else there is to do.
    """
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / ".lock"
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
        for stale in directory.glob(TEMPORARY):
            stale.unlink()
        yield
        made = []
    finally:
        if made and os.listdir(directory) == [path.name]:
            path.unlink()
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()
        os.close(handle)
