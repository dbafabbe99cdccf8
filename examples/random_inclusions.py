"""
Random inclusions
=================

Discs at random places conduct five times as well as the matrix around them. The flux through the medium, under a unit
drop of w from right to left, is its effective coefficient.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# The option ``inclusions`` by its name and keys, as ``docs/media.md`` has them. ``seed`` is that of the
# medium and not that of the network.

medium = {
    "name": "inclusions",
    "arrangement": "random",
    "inclusion": 5,
    "radius": 0.1,
    "smoothing": 0.04,
    "count": 7,
    "seed": 3,
}
problem = hpms.Problem(
    domain=hpms.Box(1, 1),
    eps=0.4,
    coefficient=medium,
    source=0,
    conditions={"left": hpms.Dirichlet(0), "right": hpms.Dirichlet(1), "all": hpms.Neumann(0)},
)
short = ("training.iterations=25", "collocation.interior=2000", "collocation.boundary=200")
fine = ("reference.h=1/48", "reference.fem_h=1/48")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *short, *fine, f"output={folder}")

# %%
# The mean of the flux over the square, at the midpoints of a fine grid. Without discs it would be 1.

side = (np.arange(100) + 0.5) / 100
x, y = np.meshgrid(side, side, indexing="ij")
flux = solution.flux(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(*x.shape, 2)
result = {"effective": -flux[..., 0].mean(), **solution.errors}
print("effective coefficient {effective:.3f}, relative H¹ error {relative_h1:.1e}".format(**result))

figure, axes = plt.subplots(figsize=(4.6, 3.8), layout="constrained")
field = axes.pcolormesh(x, y, np.linalg.norm(flux, axis=-1), shading="gouraud", rasterized=True)
axes.streamplot(side, side, flux[..., 0].T, flux[..., 1].T, color="white", linewidth=0.6, arrowsize=0.7, density=0.9)
axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", xlim=(0, 1), ylim=(0, 1), title="Flux through discs")
figure.colorbar(field, ax=axes, label="|K∇w|")
plt.show()
