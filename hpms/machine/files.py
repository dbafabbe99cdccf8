"""Files that are whole or not there, and the refusal to read what is not a plain file."""

import contextlib
import errno
import os
import re
import stat
import uuid
from pathlib import Path

from hpms.errors import UserError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")
_MOST = 4 * 2**30  # bytes of a file that is read as a whole


def replace(path: Path, data: bytes) -> None:
    """Writes `data` beside `path`, syncs it to disk and renames it: readers see the old file or the new one.

    Raises `UserError` where that fails, as on a full disk, and for a link or a device; `path` is what it was before.
    """
    if len(data) > _MOST:
        raise UserError(
            f"{path} would be larger than {_MOST / 2**30:.0f} GiB, more than is ever read: make it smaller."
        )
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UserError(f"{path} is not a plain file: nothing is written there.")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise _failed(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def temporaries(folder: Path) -> list[Path]:
    """What `replace` has left behind in a folder where it was killed."""
    return [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name) and path.is_file()]


class Appended:
    """A file that grows line by line; each is handed to the system at once, and raises as `replace` does."""

    def __init__(self, path: Path):
        self._path = path
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115

    def write(self, line: str) -> None:
        data = line.encode()
        try:
            written = self._file.write(data)
        except OSError as error:
            raise _failed(self._path, error) from None
        if written != len(data):
            raise UserError(f"{self._path} cannot be written (no space left): free some, and type the command again.")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> bytes:
    """The bytes of a plain file.

    Raises `UserError` for a pipe, a device or a folder, and `OSError` where there is nothing to read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UserError(f"{path} is not a plain file.")
        if os.fstat(handle).st_size > _MOST:
            raise UserError(f"{path} is larger than {_MOST / 2**30:.0f} GiB.")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def _sync(folder: Path) -> None:
    """Syncs the name of a new file too, where the file system can do that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _failed(path: Path, error: OSError) -> UserError:
    reason = (error.strerror or str(error)).lower()
    return UserError(f"{path} cannot be written ({reason}): mend that, and type the same command again.")
