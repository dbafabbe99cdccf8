"""
A polygon with a hole
=====================

Heat leaves a warm round pipe in a block with five sides. Edges and holes have names, and so has the part of the
boundary that a formula chooses.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

vertices = [(0, 0), (1.6, 0), (1.6, 0.8), (0.8, 1.3), (0, 0.8)]
block = hpms.Polygon(vertices, holes=[hpms.Circle((0.8, 0.55), 0.25)], parts={"roof": "x2>0.9"})

# %%
# The circle is a polygon with 32 vertices. All of it is ``hole1``, the edges are ``edge1`` to ``edge5``, and ``roof``
# is both edges at the top.

walls = {"hole1": hpms.Dirichlet(1), "edge1": hpms.Dirichlet(0), "roof": hpms.Robin(2, 0), "all": hpms.Neumann(0)}
problem = hpms.Problem(
    domain=block,
    eps=0.4,
    coefficient="1.5 + 0.5*sin(2*pi*x1/eps)*sin(2*pi*x2/eps)",
    periods=(0.4, 0.4),
    source=0,
    conditions=walls,
)
print(problem)
short = ("training.iterations=25", "network=two_scale_light", "collocation.interior_points=2000")
fine = ("reference.h=1/40", "reference.baseline_h=1/40", "training.bound_points=0")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *short, *fine, f"output={folder}")
result = solution.errors
print(result)

# %%
# Outside of the block there is nothing to draw: its domain says which points it has.

x, y = np.meshgrid(np.linspace(0, 1.6, 161), np.linspace(0, 1.3, 131), indexing="ij")
points = np.stack([x.ravel(), y.ravel()], axis=1)
inside = solution.built.problem.domain.has(points)
w = np.full(len(points), np.nan)
w[inside] = solution.w(points[inside])
figure, axes = plt.subplots(figsize=(5, 3.6), layout="constrained")
image = axes.pcolormesh(x, y, w.reshape(x.shape), shading="nearest", rasterized=True)
axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
figure.colorbar(image, label="w")
plt.show()
