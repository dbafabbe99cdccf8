"""
A layered cube
==============

The same call in three dimensions: a cube of horizontal layers, cold on its surface and heated within. A small network
and a coarse reference keep it short.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

problem = hpms.Problem(
    domain=hpms.Box(1, 1, 1),
    eps=0.5,
    coefficient="2 + 1.5*sin(2*pi*x3/eps)",
    periods=(0.5, 0.5, 0.5),
    source=10,
    conditions={"all": hpms.Dirichlet(0)},
)

# %%
# The reference is P2 elements of width 1/10: an error below theirs cannot be seen.

small = ("network=two_scale_small", "network.width=14", "network.rank=3")
short = ("training.iterations=12", "collocation.interior=600", "reference.h=1/10", "reference.fem_h=1/10")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *small, *short, f"output={folder}")
result = solution.errors
print("relative errors: L² {relative_l2:.1e}, H¹ {relative_h1:.1e}".format(**result))

# %%
# A slice through the middle; front and back are the faces across :math:`x_3`.

x, z = np.meshgrid(np.linspace(0, 1, 81), np.linspace(0, 1, 81), indexing="ij")
points = np.stack([x.ravel(), np.full(x.size, 0.5), z.ravel()], axis=1)
w = solution.w(points).reshape(x.shape)

figure, axes = plt.subplots(figsize=(4.6, 3.8), layout="constrained")
field = axes.pcolormesh(x, z, w, shading="gouraud", rasterized=True)
axes.contour(x, z, w, levels=8, colors="white", linewidths=0.6)
axes.set(xlabel="$x_1$", ylabel="$x_3$", aspect="equal", title="w at $x_2$ = 0.5")
figure.colorbar(field, ax=axes, label="w")
plt.show()
