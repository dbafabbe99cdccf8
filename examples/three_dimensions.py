"""
Three dimensions, with a bound
==============================

Heat is produced in a cube whose bottom is cold and whose other faces are insulated. No finite elements are computed
beside the network: a guaranteed bound says how large the energy error is at most.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# The conductivity repeats after 0.5 along each axis. ``bottom`` is the face x2 = 0.

EPS = 0.5
problem = hpms.Problem(
    domain=hpms.Box(1, 1, 1),
    eps=EPS,
    coefficient="2 + sin(2*pi*x1/eps)*sin(2*pi*x2/eps)*cos(2*pi*x3/eps)",
    periods=(EPS, EPS, EPS),
    source=1,
    conditions={"bottom": hpms.Dirichlet(0), "all": hpms.Neumann(0)},
)
points = "collocation.interior_points=1000", "collocation.boundary_points=300"
short = ("network=two_scale_light", "training.iterations=15", *points)
solution = hpms.solve(problem, "fast", *short, "reference=none")

# %%
# ``parts`` of the bound has the share of each cell, ``is_bound`` says that the points were enough.

bound = solution.error_bound
result = {"bound": bound.relative, "is_bound": bound.is_bound, "points": bound.points}
print(
    f"The relative energy error is at most {bound.relative:.1e}, by {bound.points:,} points in {bound.seconds:.1f} s."
)

# %%
# A slice at x3 = 0.25: the solution, and where the bound comes from.

x, y = np.meshgrid(np.linspace(0, 1, 81), np.linspace(0, 1, 81), indexing="ij")
points = np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.25)], axis=1)
w, density = solution.w(points).reshape(x.shape), bound.density(points).reshape(x.shape)

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
field = left.pcolormesh(x, y, w, shading="gouraud", rasterized=True)
left.contour(x, y, w, levels=9, colors="white", linewidths=0.6)
figure.colorbar(field, ax=left, label="w", shrink=0.85)
shares = right.pcolormesh(x, y, density, cmap="magma", rasterized=True)
figure.colorbar(shares, ax=right, label="density of the bound", shrink=0.85)
left.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title="w at $x_3=0.25$")
right.set(xlabel="$x_1$", aspect="equal", title="where the bound is from")
plt.show()
