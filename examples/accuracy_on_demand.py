"""
Training until the error is small enough
========================================

With ``training.accuracy=0.005`` a run ends when a bound of its relative energy error is below 0.5 %. The bound needs no
reference; the error against a reference stands beside it here to show how sharp it is.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# The method ``fast`` at ε = 0.1, in one dimension. ``bound_every`` says how often the bound is computed.

problem = hpms.Problem(
    domain=hpms.Box(1),
    eps=0.1,
    coefficient="2 + sin(2*pi*x1/eps)",
    periods=(0.1,),
    source="1 + x1",
    conditions={"left": hpms.Dirichlet(0), "right": hpms.Dirichlet(0)},
)
small = ("network=two_scale_light", "collocation.interior_points=400")
asked = ("training.accuracy=0.005", "training.bound_every=1", "training.log_every=1")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *small, *asked, f"output={folder}")

# %%
# The history has the bound of each iteration, infinite or NaN where none was found.

history = solution.history
bound, due = history["relative_error_bound"], np.isfinite(history["relative_error_bound"])
result = {"iterations": int(history["iteration"][-1]), "bound": solution.error_bound.relative, **solution.errors}
print(solution.status, result)

figure, axes = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
axes.semilogy(history["iteration"], history["relative_h1"], color="0.6", label="H¹ error")
axes.semilogy(
    history["iteration"][due],
    bound[due],
    "o-",
    markersize=3,
    color="#D55E00",
    label="bound of the energy error",
)
axes.axhline(0.005, color="0.2", linewidth=0.8, linestyle="--")
axes.annotate("accuracy asked for", (0, 0.005), xytext=(2, 3), textcoords="offset points", va="bottom", color="0.2")
axes.set(xlabel="iteration", ylabel="relative error", title="The run ends where the bound allows it")
axes.legend(frameon=False, loc="center left")
plt.show()
