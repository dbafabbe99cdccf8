"""
A coefficient from an image
===========================

A NumPy array, or a picture in a file, is stretched over the domain and becomes the coefficient. Its phases are smoothed
a little, as the residual of a network needs the gradient of K.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# An image of 32 by 32 pixels, indexed [x1, x2]: a conducting cross in a weak matrix.

pixels = np.ones((32, 32))
pixels[12:20, 4:28] = pixels[4:28, 12:20] = 5

# %%
# The dictionary has the keys of ``coefficient=image`` on the command line. ``smoothing`` is a length.

short = ("training.iterations=12", "collocation.interior_points=2000", "collocation.boundary_points=200")
with tempfile.TemporaryDirectory() as folder:
    np.save(f"{folder}/cross.npy", pixels)
    problem = hpms.Problem(
        domain=hpms.Box(1, 1),
        eps=0.5,
        coefficient={"name": "image", "path": f"{folder}/cross.npy", "smoothing": 0.04},
        source=1,
        conditions={"all": hpms.Dirichlet(0)},
    )
    solution = hpms.solve(problem, "fast", *short, "reference.h=1/48", "reference.baseline_h=1/48", f"output={folder}")
result = solution.errors
print("relative errors: L² {relative_l2:.1e}, H¹ {relative_h1:.1e}".format(**result))

# %%
# The solution is flat where K is large.

x, y = np.meshgrid(np.linspace(0, 1, 97), np.linspace(0, 1, 97), indexing="ij")
w = solution.w(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
image = left.imshow(pixels.T, origin="lower", extent=(0, 1, 0, 1), cmap="cividis")
figure.colorbar(image, ax=left, label="K", shrink=0.85)
field = right.pcolormesh(x, y, w, shading="gouraud", rasterized=True)
right.contour(x, y, w, levels=8, colors="white", linewidths=0.6)
figure.colorbar(field, ax=right, label="w", shrink=0.85)
left.set(xlabel="$x_1$", ylabel="$x_2$", title="image")
right.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title="w of the network")
plt.show()
