"""HDF5 files that are whole or not there, and pytrees in them."""

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import h5py
import jax
import numpy as np

T = TypeVar("T")
TEMPORARY = ".*.tmp"


@contextmanager
def atomic_h5(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file that replaces `path` when the block ends without an error: readers see the old or the new one.

    It is written beside `path`, synced to disk and renamed. An interrupted write leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    try:
        with h5py.File(name, "w") as file:
            yield file
        with open(name, "rb") as written:
            os.fsync(written.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def open_h5(path: Path) -> Iterator[Any]:
    """The file for reading; as h5py's types cannot tell groups from datasets, it is `Any`."""
    with h5py.File(path, "r") as file:
        yield file


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
    """A dataclass like `like`, with the values of `write_record`."""
    found = {}
    for field in dataclasses.fields(like):  # type: ignore[arg-type]
        value = getattr(like, field.name)
        if dataclasses.is_dataclass(value):
            found[field.name] = read_record(group[field.name], value)
        else:
            stored = np.asarray(group[field.name])
            found[field.name] = stored if isinstance(value, np.ndarray) else type(value)(stored)
    return type(like)(**found)
