"""
A coefficient, a source and conditions by Python functions
==========================================================

What a formula cannot say, a function of one point does: JAX traces it, so it is written with ``jax.numpy``. Here a
rod has a fine structure that fades to the right, a heated spot and a Robin condition at its right end.
"""

import tempfile

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import hpms

EPS = 0.1


def K(x):
    return 1.5 + jnp.exp(-2 * x[0]) * jnp.sin(2 * jnp.pi * x[0] / EPS)


def heated(x):
    return jnp.where(x[0] < 2, 10 * jnp.exp(-40 * (x[0] - 0.7) ** 2), 0)


# %%
# The Robin condition is Kw' + 2w = 1 at the right end of (0,2). The errors are relative to the exact
# solution, which one dimension has.

problem = hpms.Problem(
    domain=hpms.Box(2),
    eps=EPS,
    coefficient=K,
    source=heated,
    conditions={"left": hpms.Dirichlet(0), "right": hpms.Robin(2, lambda x: x[0] / 2)},
)
short = ("network=two_scale_light", "training.iterations=30", "collocation.interior_points=400")
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    solution = hpms.solve(problem, "fast", *short, f"output={folder}")
result = solution.errors
print("relative errors: L² {relative_l2:.1e}, H¹ {relative_h1:.1e}".format(**result))

# %%
# The slope of w follows the fine structure; the flux -Kw' does not.

points = np.linspace(0, 2, 801)[:, None]
flux = solution.flux(points)[:, 0]
slope = -flux / np.asarray(K(points.T))

figure, (above, below) = plt.subplots(2, 1, figsize=(6, 4.2), sharex=True, layout="constrained")
above.plot(points, solution.w(points), color="0.25")
above.set(ylabel="w", title="Temperature, its slope and the heat flux")
below.plot(points, slope, color="0.6", linewidth=0.9, label="slope w'")
below.plot(points, flux, color="#D55E00", label="flux -Kw'")
below.set(xlabel="x", ylabel="slope and flux")
below.legend(frameon=False, ncols=2)
plt.show()
