"""NumPy functions inside compiled programs on a CPU, by XLA's foreign function interface.

Unlike `jax.pure_callback` a call is found by its name, so that compiled programs can be kept on disk, and touches no
JAX, so that it cannot wait for itself.
"""

import _thread
import ctypes
import logging
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

log = logging.getLogger(__name__)
_MAJOR, _MINOR = 0, 1  # the version of xla/ffi/api/c_api.h whose structures stand below
_METADATA, _EXECUTE = 1, 3
_SOON = 0.05  # seconds
_HEAD = [("size", ctypes.c_size_t), ("extension", ctypes.c_void_p)]
_TYPES = {11: np.float32, 12: np.float64}
_kept: dict[str, Any] = {}


class _Buffer(ctypes.Structure):
    _fields_ = [
        *_HEAD,
        ("dtype", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("rank", ctypes.c_int64),
        ("dims", ctypes.POINTER(ctypes.c_int64)),
    ]


class _Buffers(ctypes.Structure):
    _fields_ = [
        *_HEAD,
        ("count", ctypes.c_int64),
        ("types", ctypes.c_void_p),
        ("buffers", ctypes.POINTER(ctypes.POINTER(_Buffer))),
    ]


class _CallFrame(ctypes.Structure):
    _fields_ = [
        *_HEAD,
        ("api", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("stage", ctypes.c_int),
        ("arguments", _Buffers),
        ("results", _Buffers),
    ]


class _Version(ctypes.Structure):
    _fields_ = [*_HEAD, ("major", ctypes.c_int), ("minor", ctypes.c_int)]


class _Metadata(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("version", _Version), ("traits", ctypes.c_uint32)]


class _Extension(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("type", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("metadata", ctypes.POINTER(_Metadata)),
    ]


_Handler = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(_CallFrame))


def register(name: str, function: Callable[..., None]) -> None:
    """Makes `function(*arguments, result)` the target `name` of `jax.ffi.ffi_call` on the CPU.

    It gets NumPy views of the buffers and fills the result; where it raises, the result is NaN.
    """

    def handle(pointer: Any) -> None:
        try:
            _answer(name, function, pointer.contents)
        except BaseException:  # none may leave a callback: Ctrl-C comes again behind the program
            threading.Timer(_SOON, _thread.interrupt_main).start()

    handler = _Handler(handle)
    capsule = _capsule("New", ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    jax.ffi.register_ffi_target(name, capsule(ctypes.cast(handler, ctypes.c_void_p), None, None), platform="cpu")
    _kept[name] = handler


def _answer(name: str, function: Callable[..., None], frame: _CallFrame) -> None:
    if frame.extension:
        found = ctypes.cast(frame.extension, ctypes.POINTER(_Extension)).contents
        if found.type == _METADATA:
            version = found.metadata.contents.version
            version.major, version.minor = _MAJOR, _MINOR
            return
    if frame.stage != _EXECUTE:
        return
    results = _arrays(frame.results)
    done = False
    try:
        function(*_arrays(frame.arguments), *results)
        done = True
    except Exception:
        log.exception("%s failed", name)
    finally:
        if not done:
            for result in results:
                result[...] = np.nan


def _arrays(found: _Buffers) -> list[np.ndarray]:
    return [_array(found.buffers[i].contents) for i in range(found.count)]


def _array(buffer: _Buffer) -> np.ndarray:
    shape = tuple(buffer.dims[i] for i in range(buffer.rank))
    kind = np.dtype(_TYPES[buffer.dtype])
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    memory = (ctypes.c_char * size).from_address(buffer.data or 0)
    return np.ndarray(shape, kind, memoryview(memory))


def unpacked(capsule: Any) -> tuple[int, bytes]:
    """The address that a capsule of Cython holds, and its C signature."""
    signature = _capsule("GetName", ctypes.c_char_p, ctypes.py_object)(capsule)
    return _capsule("GetPointer", ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(capsule, signature), signature


def _capsule(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    return ctypes.PYFUNCTYPE(result, *arguments)((f"PyCapsule_{name}", ctypes.pythonapi))
