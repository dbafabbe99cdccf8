"""
Dirichlet, Neumann, Robin and periodic conditions
=================================================

The same oblique layers twice: once between a given value, a given flux, a wall that lets heat through and an insulated
wall, once repeated from bottom to top. A condition is an object, and the faces have names.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

WALLS = {"left": hpms.Dirichlet(0), "right": hpms.Robin(2, 1), "top": hpms.Neumann("0.5*x1"), "bottom": hpms.Neumann(0)}
TUBE = {"left": hpms.Dirichlet(0), "right": hpms.Robin(2, 1), "top": hpms.Periodic(), "bottom": hpms.Periodic()}


# %%
# ``Robin(2, 1)`` is K∇w·n + 2w = 1. Neumann and Robin data are a term of the loss of their own.


def solved(conditions):
    problem = hpms.Problem(
        domain=hpms.Box(1, 1),
        eps=0.5,
        coefficient="1.5 + sin(2*pi*(x1 + x2)/eps)",
        periods=(0.5, 0.5),
        source=1,
        conditions=conditions,
    )
    short = ("training.iterations=20", "collocation.interior_points=1500", "collocation.boundary_points=200")
    fine = ("reference.h=1/32", "reference.baseline_h=1/32")
    with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
        return hpms.solve(problem, "fast", *short, *fine, f"output={folder}")


# %%
# One colour bar for both, as they are the same quantity.

x, y = np.meshgrid(np.linspace(0, 1, 81), np.linspace(0, 1, 81), indexing="ij")
points = np.stack([x.ravel(), y.ravel()], axis=1)
solutions = {"Dirichlet, Robin, Neumann": solved(WALLS), "Dirichlet, Robin, periodic": solved(TUBE)}
result = {name: each.errors["relative_l2"] for name, each in solutions.items()}
print(result)

fields = {name: each.w(points).reshape(x.shape) for name, each in solutions.items()}
top = max(field.max() for field in fields.values())
figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.6), sharey=True, layout="constrained")
for axes, (name, w) in zip(panels, fields.items(), strict=True):
    image = axes.pcolormesh(x, y, w, vmin=0, vmax=top, shading="gouraud", rasterized=True)
    axes.contour(x, y, w, levels=np.linspace(0, top, 11), colors="white", linewidths=0.6)
    axes.set(xlabel="$x_1$", aspect="equal", title=name)
panels[0].set_ylabel("$x_2$")
figure.colorbar(image, ax=panels, label="w", shrink=0.9)
plt.show()
