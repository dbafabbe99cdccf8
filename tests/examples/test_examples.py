"""The gallery: each script of examples/ runs in any folder, leaves nothing there and finds what is pinned here."""

import math
import os
import runpy
import sys
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")
from matplotlib import pyplot as plt

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


def near(relative_l2, relative_h1):
    """Errors relative to the reference below these."""
    return lambda found: found["relative_l2"] < relative_l2 and found["relative_h1"] < relative_h1


def is_bracketed(found):
    """K* of a checkerboard is the geometric mean, between the other two."""
    low, high = found["harmonic mean"], found["arithmetic mean"]
    inside = all(low < found[name] < high for name in ("cell problem", "periodic", "no flow", "linear"))
    return inside and found["cell problem"] == pytest.approx(math.sqrt(5), rel=0.01)


PINS = {
    "own_functions": near(1e-2, 1e-2),
    "upscaling": is_bracketed,
}


def test_every_example_is_pinned_and_short():
    assert set(PINS) == {script.stem for script in SCRIPTS}
    lengths = {script.stem: len(script.read_text(encoding="utf-8").splitlines()) for script in SCRIPTS}
    assert not {name: length for name, length in lengths.items() if not 20 <= length <= 60}


@pytest.mark.thorough
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_example_finds_its_number_and_leaves_one_picture(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.close("all")
    result = runpy.run_path(str(script), run_name="__main__")["result"]
    pictures = len(plt.get_fignums())
    plt.close("all")
    assert PINS[script.stem](result), result
    assert pictures == 1 and not list(tmp_path.iterdir())
