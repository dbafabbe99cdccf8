"""
A coefficient by formula
========================

The coefficient is a text in ``x1``, ``x2`` and ``eps``, and each face of a rectangle has a condition of its own.
A short run of the method ``fast`` solves the problem, and finite elements on a coarse grid measure it.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# The problem is -∇·(K∇w) = 1 on (0,1.5) × (0,1). The network is told the periods of K,
# since a part of it lives on the fine scale.

problem = hpms.Problem(
    domain=hpms.Box(1.5, 1),
    eps=0.25,
    coefficient="2 + 1.5*sin(2*pi*x1/eps)*sin(2*pi*x2/eps)",
    periods=(0.25, 0.25),
    source=1,
    conditions={"left": hpms.Dirichlet(0), "right": hpms.Dirichlet("0.2*x2"), "all": hpms.Neumann(0)},
)
print(problem)

# %%
# Twenty-five steps on 2000 points. ``reference.h`` keeps the reference small: it takes most of the time otherwise.

short = ("training.iterations=25", "collocation.interior_points=2000", "collocation.boundary_points=200")
fine = ("reference.h=1/48", "reference.baseline_h=1/48")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *short, *fine, f"output={folder}")
result = solution.errors
print("relative errors: L² {relative_l2:.1e}, H¹ {relative_h1:.1e}".format(**result))

# %%
# ``solution.w`` takes points of shape (M, 2).

x, y = np.meshgrid(np.linspace(0, 1.5, 121), np.linspace(0, 1, 81), indexing="ij")
w = solution.w(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)

figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
field = axes.pcolormesh(x, y, w, shading="gouraud", rasterized=True)
axes.contour(x, y, w, levels=8, colors="white", linewidths=0.6)
axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title="w of the network")
figure.colorbar(field, ax=axes, label="w")
plt.show()
