"""Arrays of pixels from files: PNG and TIFF in grey, `.npy`, and datasets of HDF5 files."""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from hpms.errors import ConfigError, UserError, brief

KEY = "coefficient.path"
_MODES = ("L", "I", "F", "RGB", "RGBA")
_PICTURES, _HDF5 = (".png", ".tif", ".tiff"), (".h5", ".hdf5")
_LEAST = 4  # pixels along each axis
_stored: dict[str, np.ndarray] = {}


def remember(path: str, pixels: np.ndarray) -> str:
    """A path behind which this process finds the pixels that a run holds, whose file may be gone or another by now."""
    digest = hashlib.sha256(f"{pixels.dtype.str}{pixels.shape}".encode() + pixels.tobytes()).hexdigest()[:12]
    name = f"{path.partition('#')[0]}#{digest}"
    _stored[name] = pixels
    return name


def read_pixels(path: str, dim: int) -> np.ndarray:
    """The pixels with the axes x₁, ..., x_d: a picture's columns from left to right and its rows from bottom to top,
    arrays as they are.

    **Arguments:** `path`, that of a dataset behind a colon, FILE.h5:/name. Raises `ConfigError` where there is no such
    file, where it cannot be read, is coloured, has other than `dim` axes, fewer than 4 pixels along one, or values that
    are not finite.
    """
    pixels = _stored[path] if path in _stored else _read(path, _modified(path))
    if pixels.ndim != dim:
        shape = "×".join(map(str, pixels.shape)) or "one number"
        raise ConfigError(KEY, brief(path), f"it has {pixels.ndim} axes ({shape}) where problem.dim={dim}")
    if min(pixels.shape) < _LEAST:
        shape = "×".join(map(str, pixels.shape))
        raise ConfigError(KEY, brief(path), f"its {shape} pixels are too few: give {_LEAST} or more along each axis")
    if not np.isfinite(pixels).all():
        raise ConfigError(KEY, brief(path), "it has values that are not finite")
    return pixels


def _modified(path: str) -> int:
    file = Path(path.partition(":/")[0])
    if not file.is_file():
        raise ConfigError(KEY, brief(path), "there is no such file")
    return file.stat().st_mtime_ns


@lru_cache(maxsize=8)
def _read(path: str, modified: int) -> np.ndarray:
    file, _, name = path.partition(":/")
    kind = Path(file).suffix.lower()
    try:
        if kind in _PICTURES:
            return _picture(file)
        if kind == ".npy":
            found = np.load(file, allow_pickle=False)
        elif kind in _HDF5:
            import h5py

            with h5py.File(file) as opened:
                found = np.asarray(opened[name or "/"])
        else:
            raise ConfigError(KEY, brief(path), "give a .png, .tif or .npy file, or a dataset as FILE.h5:/name")
    except UserError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:100]
        raise ConfigError(KEY, brief(path), f"it cannot be read ({type(error).__name__}: {said})") from None
    if found.dtype.kind not in "biuf":
        raise ConfigError(KEY, brief(path), f"its values are {found.dtype}, not numbers")
    return found.astype(np.uint8) if found.dtype.kind == "b" else found


def _picture(file: str) -> np.ndarray:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise UserError("coefficient=image reads pictures with Pillow: pip install 'hpms[image]'.") from None
    with Image.open(file) as opened:
        if (pages := getattr(opened, "n_frames", 1)) > 1:
            raise ConfigError(KEY, brief(file), f"it has {pages} pages: take .npy or HDF5")
        if opened.mode in ("P", "PA"):
            opened = opened.convert("RGB")
        elif opened.mode in ("1", "LA"):
            opened = opened.convert("L")
        if opened.mode not in _MODES and not opened.mode.startswith("I;16"):
            raise ConfigError(KEY, brief(file), f"its mode is {opened.mode}: save it in grey")
        found = np.asarray(opened)
    if found.ndim == 3:
        colours = found[:, :, :3]
        if (colours != colours[:, :, :1]).any():
            raise ConfigError(KEY, brief(file), "it is coloured: save it in grey")
        found = colours[:, :, 0]
    return np.ascontiguousarray(found[::-1].T)
