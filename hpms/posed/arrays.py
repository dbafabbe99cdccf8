"""Arrays of values of K: kept as files, which a configuration can name."""

import hashlib
import io
import os
from pathlib import Path

import numpy as np

from hpms.errors import UserError
from hpms.machine.files import replace

IMAGE = "image"  # the option that reads an array from the file `path`


def kept(group: str, array: np.ndarray, known: set[str]) -> dict[str, str]:
    """The keys of `IMAGE`, behind which the array lies below the user's cache folder, called by its content.

    Raises `UserError` where the group's options, which are `known`, have no such one.
    """
    if IMAGE not in known:
        raise UserError(
            f"{group} is an array of shape {array.shape}, which has no values between its points: give a function of "
            f"one point x, a formula or a number."
        )
    if array.dtype.kind not in "biuf":
        raise UserError(f"{group} is an array of {array.dtype}: give real numbers.")
    text = io.BytesIO()
    np.save(text, np.ascontiguousarray(array), allow_pickle=False)
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "hpms", "arrays")
    path = folder / f"{hashlib.sha256(text.getvalue()).hexdigest()[:16]}.npy"
    if not path.exists():
        replace(path, text.getvalue())
    return {"path": str(path)}
