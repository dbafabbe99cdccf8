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
CHEAP = {"own_functions", "run_file", "upscaling"}


def near(relative_l2, relative_h1):
    """Errors relative to the reference below these."""
    return lambda found: found["relative_l2"] < relative_l2 and found["relative_h1"] < relative_h1


def ends_by_its_bound(found):
    return found["relative_h1"] < 1.5 * found["bound"] < 1.5 * 0.005 and found["iterations"] < 40


def balances(found):
    return found["inflow"] == pytest.approx(found["outflow"], rel=5e-3) and near(2e-3, 1e-2)(found)


def agrees_with_itself(found):
    return found["stored"] == pytest.approx(found["integrated"], rel=1e-3) and found["stored"] < 1e-3


def is_bracketed(found):
    """K* of a checkerboard is the geometric mean, between the other two."""
    low, high = found["harmonic mean"], found["arithmetic mean"]
    inside = all(low < found[name] < high for name in ("cell problem", "periodic", "no flow", "linear"))
    return inside and found["cell problem"] == pytest.approx(math.sqrt(5), rel=0.01)


def scatters_less(found):
    """The more, the smaller the discs are, about the same mean."""
    large, small = (found[eps]["periodic"] for eps in ("0.4", "0.2"))
    return small[1] < large[1] / 2 and all(mean == pytest.approx(1.85, abs=0.02) for mean, _ in (small, large))


def decides_nothing(found):
    """As v = 0, or worse."""
    return all(1 <= error < 6 for error in found.values()) and found["hybrid Ms-PINN"] < found["plain Ms-PINN"]


PINS = {
    "accuracy_on_demand": ends_by_its_bound,
    "bracket": near(0.03, 0.15),
    "darcy_flow": balances,
    "family_over_eps": lambda found: all(error < 3e-3 for name, error in found.items() if "network" in name),
    "mixed_conditions": lambda found: len(found) == 2 and max(found.values()) < 5e-3,
    "own_formula": near(1e-2, 5e-2),
    "own_functions": near(1e-2, 1e-2),
    "own_image": near(3e-3, 1e-2),
    "own_network": lambda found: found["sines (own)"] < 0.05 and found["perceptron"] > 0.5,
    "polygon": near(0.05, 0.2),
    "random_inclusions": scatters_less,
    "run_file": agrees_with_itself,
    "sweep_over_a_key": lambda found: found["200"] < 5e-3 and found["200"] < found["50"] / 5,
    "table_one_small": decides_nothing,
    "three_dimensions": lambda found: found["is_bound"] and found["bound"] < 0.2,
    "upscaling": is_bracketed,
}


def test_every_example_is_pinned_and_short():
    assert set(PINS) == {script.stem for script in SCRIPTS}
    lengths = {script.stem: len(script.read_text(encoding="utf-8").splitlines()) for script in SCRIPTS}
    assert not {name: length for name, length in lengths.items() if not 20 <= length <= 60}


def marked(script):
    mark = pytest.mark.thorough if script.stem in CHEAP else pytest.mark.slow
    return pytest.param(script, id=script.stem, marks=mark)


@pytest.mark.parametrize("script", [marked(script) for script in SCRIPTS])
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
