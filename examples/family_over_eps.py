"""
A family of problems over ε
===========================

One sweep solves the same medium at three fine scales. Beside each run stand fine finite elements of one width, which
lose with a small ε, and classical homogenisation with its corrector, which gains from it.
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
# ``eps`` is a key as any other; the formulas of the coefficient and its periods follow it.

with tempfile.TemporaryDirectory() as folder:
    family = ("problem.eps=0.2,0.1,0.05", "training.iterations=30", "collocation.interior_points=400")
    hpms(folder, "train", "-m", "+experiment=osc1d_fast", *family)
    runs = "outputs/train/osc1d_fast"
    asked = ("table", runs, "--by", "problem.eps", "--columns", "corrector_relative_h1")
    print(hpms(folder, *asked))
    rows = list(csv.DictReader(io.StringIO(hpms(folder, *asked, "--format", "csv"))))

# %%
# In the CSV the fine finite elements have rows of their own, and the corrector a column.

rows.sort(key=lambda row: float(row["problem.eps"]))
networks, elements = ([row for row in rows if row["method"] == method] for method in ("network", "fine FEM"))
scales = [float(row["problem.eps"]) for row in networks]
errors = {
    "network, 30 steps": [float(row["relative_h1_mean"]) for row in networks],
    "fine FEM": [float(row["relative_h1_mean"]) for row in elements],
    "homogenisation": [float(row["corrector_relative_h1_mean"]) for row in networks],
}
result = {f"{name} at {eps:g}": e for name, found in errors.items() for eps, e in zip(scales, found, strict=True)}

figure, axes = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
styles = (("o-", "#D55E00"), ("s--", "0.5"), ("^:", "0.2"))
for (name, found), (line, color) in zip(errors.items(), styles, strict=True):
    axes.loglog(scales, found, line, color=color, label=name)
axes.set_xticks(scales, [f"{eps:g}" for eps in scales])
axes.minorticks_off()
axes.set(xlabel="ε", ylabel="relative H¹ error", title="osc1d at three fine scales")
axes.legend(frameon=False)
plt.show()
