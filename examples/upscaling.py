"""
Upscaling without a network
===========================

``hpms upscale`` computes what the effective coefficient of a medium is by finite elements: from the cell problem and
with three kinds of conditions on the whole domain. For a checkerboard of the values 1 and 5 it is known: √5.
"""

import subprocess
import sys
import tempfile

import h5py
import matplotlib.pyplot as plt

# %%
# The medium is periodic with 0.25; the interfaces are smoothed. ``reference.h`` is the width of the elements.

MEDIUM = "problem.dim=2 problem.eps=0.25 coefficient=checkerboard coefficient.low=1 coefficient.high=5 source=constant"

with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "hpms", "upscale", *MEDIUM.split(), "reference.h=1/64"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    with h5py.File(f"{folder}/{done.stdout.splitlines()[-1]}") as file:
        found = dict(file["summary"].attrs)
print(done.stdout)

# %%
# The arithmetic and the harmonic mean are bounds. The homogenised coefficient is that of infinitely many periods, the
# three below see four of them and their own conditions.

kinds = {
    "harmonic mean": found["harmonic"],
    "cell problem": found["homogenised"][0, 0],
    "periodic": found["periodic"][0, 0],
    "no flow": found["no_flow"][0, 0],
    "linear": found["linear"][0, 0],
    "arithmetic mean": found["arithmetic"],
}
result = {name: float(value) for name, value in kinds.items()}

figure, axes = plt.subplots(figsize=(5.6, 2.8), layout="constrained")
axes.barh(list(result), list(result.values()), color="0.7")
axes.axvline(5**0.5, color="#D55E00", label="√5")
axes.invert_yaxis()
axes.set(xlabel="upscaled coefficient", title="Checkerboard of 1 and 5")
axes.legend(frameon=False, loc="upper right")
plt.show()
