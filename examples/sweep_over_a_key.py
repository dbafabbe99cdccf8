"""
A sweep over a key, and its table
=================================

``-m`` runs every combination of the values that commas separate, and ``hpms table`` makes a table of the runs. Here the
number of collocation points goes through three values, with two seeds each.
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
# What the shell would run is ``hpms train -m +experiment=osc1d_fast collocation.interior_points=50,100,200 seed=0,1``.
# A key without a comma, such as the number of steps, holds for all jobs.

with tempfile.TemporaryDirectory() as folder:
    swept = ("collocation.interior_points=50,100,200", "seed=0,1")
    hpms(folder, "train", "-m", "+experiment=osc1d_fast", "training.iterations=30", "problem.eps=0.1", *swept)
    print(hpms(folder, "table", "outputs/train/osc1d_fast"))
    text = hpms(folder, "list", "outputs/train/osc1d_fast", "--format", "csv")

# %%
# ``hpms list --format csv`` has one row per run, all keys and all digits.

rows = list(csv.DictReader(io.StringIO(text)))
runs = [(int(row["collocation.interior_points"]), float(row["relative_l2"])) for row in rows]
result = {f"{count}": max(error for n, error in runs if n == count) for count in (50, 100, 200)}

figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
axes.loglog(*zip(*runs, strict=True), "o", color="0.5", label="a run")
axes.loglog([int(count) for count in result], result.values(), color="#D55E00", label="the worse seed")
axes.set_xticks((50, 100, 200), ("50", "100", "200"))
axes.minorticks_off()
axes.set(xlabel="collocation points", ylabel="relative L² error", title="osc1d, ε = 0.1, 30 steps")
axes.legend(frameon=False)
plt.show()
