"""
Statistics of random inclusions
===============================

Discs of the conductivity 10 lie at random in a matrix of 1. The upscaled coefficient of a sample depends on where they
lie, the less the more of them the sample has. No network is needed: ``hpms upscale`` finds it by finite elements.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np

# %%
# ``radius`` and ``smoothing`` are eps/4 and eps/20. One sweep goes through two sizes of discs, which fill 25 % of the
# unit square, and ten samples of each: ``hpms upscale -m ... problem.eps=0.4,0.2 coefficient.seed=0,1,...,9``.

SEEDS = range(10)
MEDIUM = "problem.dim=2 coefficient=inclusions coefficient.arrangement=random coefficient.fraction=0.25 source=constant"
swept = ("problem.eps=0.4,0.2", "coefficient.seed=" + ",".join(str(seed) for seed in SEEDS))

samples: dict[str, list[dict]] = {"0.4": [], "0.2": []}
with tempfile.TemporaryDirectory() as folder:
    command = [sys.executable, "-m", "hpms", "upscale", "-m", *MEDIUM.split(), *swept, "reference.h=1/48", "--quiet"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    for note in Path(folder, done.stdout.splitlines()[-1], "jobs").glob("*.json"):
        job = json.loads(note.read_text())
        eps = next(each.partition("=")[2] for each in job["overrides"] if each.startswith("problem.eps"))
        with h5py.File(Path(folder, job["paths"][0])) as file:
            samples[eps].append(dict(file["summary"].attrs))

# %%
# Two diagonal entries of a sample are two values, as the medium has no preferred direction. With four times as many
# discs the deviation is less than half, and the three conditions differ less.

kinds = {"no flow through the sides": "no_flow", "periodic": "periodic", "linear": "linear"}
values = {
    eps: {kind: np.concatenate([np.diag(sample[name]) for sample in found]) for kind, name in kinds.items()}
    for eps, found in samples.items()
}
result = {eps: {kind: (each.mean(), each.std(ddof=1)) for kind, each in found.items()} for eps, found in values.items()}
for eps, found in result.items():
    print(f"eps = {eps}:", ", ".join(f"{kind} {mean:.3f} ± {spread:.3f}" for kind, (mean, spread) in found.items()))

figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.6), sharex=True, sharey=True, layout="constrained")
for axes, (eps, found) in zip(panels, values.items(), strict=True):
    for place, each in enumerate(found.values()):
        axes.plot(each, np.full(len(each), place), "o", color="0.6", markersize=4)
        axes.errorbar(each.mean(), place + 0.25, xerr=each.std(ddof=1), fmt="D", color="#D55E00", capsize=3)
    axes.set(xlabel="upscaled coefficient", title=f"discs of radius {float(eps) / 4:g}", ylim=(2.6, -0.5))
panels[0].set_yticks(range(len(kinds)), list(kinds))
plt.show()
