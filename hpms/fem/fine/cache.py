"""Results on disk: one HDF5 file each, whole or not there at all."""

import hashlib
import io
import logging
from collections.abc import Collection, Mapping
from pathlib import Path

import h5py
import numpy as np

from hpms.errors import UserError
from hpms.machine import files

log = logging.getLogger(__name__)
_FORMAT = 1


def load(path: Path, key: str, names: Collection[str]) -> dict[str, np.ndarray] | None:
    """The arrays that `save` wrote under that key; None where the file is missing, damaged or another's."""
    try:
        with h5py.File(io.BytesIO(files.read(path)), "r") as file:
            arrays = {str(name): np.asarray(file[str(name)]) for name in file}
            mark = (file.attrs["format"], file.attrs["key"], file.attrs["digest"])
    except (UserError, OSError, KeyError, ValueError, RuntimeError, TypeError):
        return None
    return arrays if mark == (_FORMAT, key, _digest(arrays)) and arrays.keys() == set(names) else None


def save(path: Path, key: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes the arrays, by `hpms.machine.files.replace`.

    A directory that cannot be written costs a warning, not the result.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            file[name] = array
        file.attrs.update(format=_FORMAT, key=key, digest=_digest(arrays))
    try:
        files.replace(path, buffer.getvalue())
    except UserError as error:
        log.warning("%s The next run computes this again.", error)


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name}{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return total.hexdigest()
