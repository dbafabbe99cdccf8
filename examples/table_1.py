"""
Plain PINN and hybrid, as in Table 1
====================================

The paper's Table 1 compares networks with and without the coupling to a coarse problem. This is its 1-D example with
a small network, a hundredth of the steps and two seeds: it shows the commands, and not the paper's numbers.
"""

import csv
import io
import subprocess
import sys
import tempfile

import matplotlib.pyplot as plt


def hpms(folder, *arguments):
    done = subprocess.run([sys.executable, "-m", "hpms", *arguments], cwd=folder, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(done.stderr)


# %%
# ``coupling=none`` is the plain PINN, ``ball`` the paper's coupling. ``ensemble=2`` trains the seeds 0 and 1 at once.

with tempfile.TemporaryDirectory() as folder:
    short = ("network=ms_pinn_small", "training.iterations=2000", "training.log_every=500", "collocation.interior=500")
    hpms(folder, "train", "-m", "+experiment=osc1d", *short, "coupling=none,ball", "ensemble=2")
    runs = "outputs/train/osc1d"
    print(hpms(folder, "table", runs))
    text = hpms(folder, "list", runs, "--format", "csv")

# %%
# The same by ``hpms list``, a row per run.

rows = list(csv.DictReader(io.StringIO(text)))
kinds = ("none", "ball")
errors = {kind: [float(row["relative_l2"]) for row in rows if row["coupling"] == kind] for kind in kinds}
result = {kind: sum(found) / len(found) for kind, found in errors.items()}
print(result)

figure, axes = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
for place, (kind, color) in enumerate(zip(kinds, ("0.5", "#D55E00"), strict=True)):
    axes.bar(place, result[kind], 0.5, color=color, alpha=0.6)
    axes.plot([place] * len(errors[kind]), errors[kind], "o", color="0.2")
axes.set_xticks((0, 1), ("plain PINN", "hybrid"))
axes.set(ylabel="relative L² error", title="Mean and two seeds after 2000 steps", ylim=(0, None))
plt.show()
