"""HDF5 files that are whole, sealed and harmless, and pytrees in them."""

import dataclasses
import hashlib
import io
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import h5py
import jax
import numpy as np

from hpms.errors import UserError
from hpms.machine import files

T = TypeVar("T")
_SEAL, _BLOCK = b"hpms sha256 ", 512  # HDF5 leaves that many bytes at the start of a file to its user
_HDF5 = b"\x89HDF\r\n\x1a\n"
_KINDS = "biufS"  # of numbers and texts


@contextmanager
def atomic_h5(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file that replaces `path` when the block ends without an error: readers see the old or the new one.

    It is made in memory and written by `hpms.machine.files.replace`, behind a seal, the digest of its bytes.
    """
    with h5py.File(f"{path}.{uuid.uuid4().hex}", "w", driver="core", backing_store=False) as file:
        yield file
        file.flush()
        image = file.id.get_file_image()
    files.replace(path, sealed(image))


@contextmanager
def open_h5(path: Path) -> Iterator[Any]:
    """The file for reading; as h5py's types cannot tell groups from datasets, it is `Any`.

    Raises `UserError` where a bit of it is not as it was written, or where it is not a plain file; links out of the
    file, data outside of it, references, and arrays that declare to be larger than the file are refused too.
    """
    data = files.read(path)
    if data.startswith(_SEAL):
        image = data[_BLOCK:]
        if data != sealed(image):
            raise UserError(f"{path} is damaged: its digest is not that of its contents.")
        data = image
    elif not data.startswith(_HDF5):  # as the files of 0.1.0 do, which have no seal
        raise OSError("its first bytes are not those of HDF5")
    with h5py.File(io.BytesIO(data), "r") as file:
        if fault := _fault(file, len(data)):
            raise UserError(f"{path} is refused: {fault}.")
        yield file


def sealed(image: bytes) -> bytes:
    """An HDF5 file behind its digest."""
    return (_SEAL + hashlib.sha256(image).hexdigest().encode()).ljust(_BLOCK, b"\0") + image


def _fault(file: h5py.File, size: int) -> str | None:
    """What makes a file untrustworthy, if anything does."""
    seen: set[int] = set()
    waiting: list[Any] = [file["/"]]
    total = 0
    while waiting:
        group = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                return f"'{name}' is a link"
            found = group[name]
            if (place := h5py.h5o.get_info(found.id).addr) in seen:  # type: ignore[attr-defined]
                return f"'{name}' is there twice"
            seen.add(place)
            if isinstance(found, h5py.Group):
                waiting.append(found)
                continue
            if not isinstance(found, h5py.Dataset) or h5py.check_ref_dtype(found.dtype):
                return f"'{name}' is neither a group nor an array of numbers"
            if found.dtype.kind not in _KINDS and not (found.dtype.kind == "O" and found.shape == ()):
                return f"'{name}' is neither a group nor an array of numbers"
            if found.external or found.is_virtual:
                return f"'{name}' lies in another file"
            total += found.nbytes
            if total > size:
                return f"'{name}' says that it is larger than the file"
    return None


def write_attributes(group: h5py.Group, values: Mapping[str, Any]) -> None:
    """Plain values as attributes; None is left out."""
    for name, value in values.items():
        if value is not None:
            group.attrs[name] = value


def write_arrays(group: h5py.Group, arrays: Mapping[str, Any]) -> None:
    """Arrays as datasets."""
    for name, array in arrays.items():
        group.create_dataset(name, data=np.asarray(array))


def write_tree(group: h5py.Group, tree: Any) -> None:
    """The array leaves of a pytree as datasets `0`, `1`, ...; `path` of each says what it is."""
    for i, (path, leaf) in enumerate(jax.tree_util.tree_leaves_with_path(tree)):
        dataset = group.create_dataset(str(i), data=np.asarray(leaf))
        dataset.attrs["path"] = jax.tree_util.keystr(path)


def read_tree(group: Mapping[str, Any], like: T) -> T:
    """A pytree of the structure of `like` with the leaves of `write_tree`.

    Raises `ValueError` where shapes or types are not those of `like`.
    """
    leaves, structure = jax.tree_util.tree_flatten(like)
    if len(group) != len(leaves):
        raise ValueError(f"it holds {len(group)} arrays where {len(leaves)} are needed")
    found = []
    for i, leaf in enumerate(leaves):
        array = np.asarray(group[str(i)])
        if array.shape != leaf.shape or array.dtype != leaf.dtype:
            raise ValueError(f"array {i} is {array.dtype}{array.shape} where {leaf.dtype}{tuple(leaf.shape)} is needed")
        found.append(jax.numpy.asarray(array))
    return jax.tree_util.tree_unflatten(structure, found)


def write_record(group: h5py.Group, record: Any) -> None:
    """A dataclass of arrays, numbers and dataclasses."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            write_record(group.create_group(field.name), value)
        else:
            group.create_dataset(field.name, data=np.asarray(value))


def read_record(group: Mapping[str, Any], like: T) -> T:
    """A dataclass like `like`, with the values of `write_record`.

    Raises `ValueError` where shapes or types are not those of `like`.
    """
    found = {}
    for field in dataclasses.fields(like):  # type: ignore[arg-type]
        value = getattr(like, field.name)
        if dataclasses.is_dataclass(value):
            found[field.name] = read_record(group[field.name], value)
        else:
            stored, wanted = np.asarray(group[field.name]), np.asarray(value)
            if stored.shape != wanted.shape or stored.dtype != wanted.dtype:
                found_as, wanted_as = f"{stored.dtype}{stored.shape}", f"{wanted.dtype}{wanted.shape}"
                raise ValueError(f"{field.name} is {found_as} where {wanted_as} is needed")
            found[field.name] = stored if isinstance(value, np.ndarray) else type(value)(stored)
    return type(like)(**found)
