"""
Darcy flow through a heterogeneous medium
=========================================

Water flows from the left, where the pressure is 1, to the right, where it is 0, through a permeability that varies by
a factor of some tens. Bottom and top let nothing through, so what flows in has to flow out.
"""

import tempfile

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# The logarithm of the permeability is a sum of a few random waves.

draw = np.random.default_rng(5)
waves, phases = jnp.asarray(draw.normal(scale=5, size=(12, 2))), jnp.asarray(draw.uniform(0, 2 * np.pi, 12))


def permeability(x):
    return jnp.exp(0.35 * jnp.cos(waves @ x + phases).sum())


problem = hpms.Problem(
    domain=hpms.Box(1.5, 1),
    eps=0.5,
    coefficient=permeability,
    source=0,
    conditions={"left": hpms.Dirichlet(1), "right": hpms.Dirichlet(0), "all": hpms.Neumann(0)},
)
short = ("training.iterations=12", "collocation.interior_points=2000", "collocation.boundary_points=200")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *short, "reference.h=1/40", "reference.baseline_h=1/40", f"output={folder}")

# %%
# ``solution.flux`` is -K∇w, the Darcy velocity.

heights = (np.arange(200) + 0.5) / 200
ends = [solution.flux(np.stack([np.full(200, x1), heights], axis=1))[:, 0].mean() for x1 in (0.0, 1.5)]
result = {"inflow": ends[0], "outflow": ends[1], **solution.errors}
print("inflow {inflow:.4f}, outflow {outflow:.4f}, relative H¹ error {relative_h1:.1e}".format(**result))

a, b = np.linspace(0, 1.5, 121), np.linspace(0, 1, 81)
x, y = np.meshgrid(a, b, indexing="ij")
points = np.stack([x.ravel(), y.ravel()], axis=1)
K = np.asarray(jax.vmap(permeability)(points)).reshape(x.shape)
u, v = (each.reshape(x.shape).T for each in solution.flux(points).T)

figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
field = axes.pcolormesh(x, y, np.log10(K), cmap="Blues", shading="gouraud", rasterized=True)
axes.contour(x, y, solution.w(points).reshape(x.shape), levels=9, colors="0.45", linewidths=0.6)
axes.streamplot(a, b, u, v, color="#D55E00", linewidth=0.9, arrowsize=0.8, density=0.8)
axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", xlim=(0, 1.5), ylim=(0, 1), title="Isobars and streamlines")
figure.colorbar(field, ax=axes, label="$\\log_{10}$ of the permeability")
plt.show()
