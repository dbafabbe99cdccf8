"""Runs on an image, which they hold."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from hpms import load
from tests.cli.conftest import PLANE

TINY = (
    "problem=box",
    "problem.conditions={all:{dirichlet:0}}",
    "source=constant",
    "coefficient=image",
    "coefficient.path=medium=1.npy",
    "coefficient.phases={0:1,255:10}",
    "coefficient.smoothing=eps/20",
    "coupling=none",
    "upscaling=none",
    *PLANE,
)


@pytest.mark.thorough
def test_a_run_holds_its_image(hpms):
    pixels = np.kron(np.eye(2, dtype=np.uint8), np.full((8, 8), 255, np.uint8))
    np.save("medium=1.npy", pixels)
    begun = hpms("train", *TINY, "training.wall_limit=1e-9")
    assert begun.code == 0 and "shares of K = 1 0.5 → 0." in begun.out + begun.err, begun.err
    np.save("medium=1.npy", 255 - pixels)
    changed = hpms("train", *TINY)
    assert changed.code == 1 and "another coefficient or source of the same name" in changed.err
    np.save("medium=1.npy", pixels)
    result = hpms("train", *TINY)
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        np.testing.assert_array_equal(file["medium/pixels"], pixels)
        error = file["summary"].attrs["relative_l2"]
    Path("medium=1.npy").unlink()
    run = Path(result.last_line).parent
    again = hpms("evaluate", f"run={run}")
    assert again.code == 0, again.err
    with h5py.File(again.last_line) as file:
        assert file["summary"].attrs["relative_l2"] == error
    assert hpms("table", "outputs/train").code == hpms("list", "outputs/train").code == 0
    gone = hpms("train", *TINY)
    assert gone.code == 1 and "coefficient.path=medium=1.npy is not allowed: there is no such file" in gone.err


@pytest.mark.thorough
def test_a_run_is_loaded_without_its_image_and_finds_its_reference(hpms, monkeypatch):
    np.save("medium=1.npy", np.full((8, 8), 3.0))
    plain = [each for each in TINY if not each.startswith("coefficient.phases")]
    result = hpms("train", *plain)
    assert result.code == 0, result.err
    Path("medium=1.npy").unlink()

    monkeypatch.setattr("hpms.fem.fine.reference._compute", None)
    monkeypatch.setattr("hpms.fem.fine.baseline.solve_fine", None)
    flux = load(Path(result.last_line).parent).flux(np.array([[0.3, 0.4]]))
    assert np.isfinite(flux).all()
