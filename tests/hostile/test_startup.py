"""A wrong value is refused before JAX, SciPy and scikit-fem are loaded, which takes seconds."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from hpms.cli import main as cli
sys.argv = ["hpms", *sys.argv[1:]]
try:
    cli.main()
finally:
    print([name for name in ("jax", "scipy", "skfem", "matplotlib", "h5py") if name in sys.modules])
"""
T = "+experiment=osc1d"


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("train", T, "network.width=-1"), "network.width"),
        (("train", T, "optimizer.decay_rate=2"), "optimizer.decay_rate"),
        (("train", T, "coefficient=expression", "coefficient.formula=2+sin(z)"), "coefficient.formula"),
        (("train", "+experiment=osc2d", "coupling=consistent", "coupling.box_periods=50"), "coupling.box_periods"),
        (("train", "+experiment=osc2d", "reference.method=exact"), "reference.method"),
        (("train", T, "ensemble=2", "run_dir=here"), "run_dir"),
        (("check", T, "boundary=soft", "boundary.tau1=-1"), "boundary.tau1"),
        (("reference", T, "reference.baseline_h=0"), "reference.baseline_h"),
        (("consistency", T, "sweep.eps=[0.1,0.1]"), "sweep.eps"),
        (("evaluate", "run=~/x"), "run"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_heavy(command, key, tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and f"{key}=" in done.stderr
    assert done.stdout.strip() == "[]"
