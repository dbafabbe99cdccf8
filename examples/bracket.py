"""
A part from a mesh file
=======================

An angle bracket in three dimensions, clamped at one end and pulled at the other, from a Gmsh file with named surfaces.
The file is written here, by scikit-fem; any file that meshio reads does.
"""

# %%
# The mesh: an L with thick legs, cut into tetrahedra. Two of its faces get names, the others none.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import meshio
import numpy as np
import skfem

import hpms

folder = Path(tempfile.mkdtemp())
along, up, deep = np.linspace(0, 1, 9), np.linspace(0, 1, 9), np.linspace(0, 0.5, 5)
block = skfem.MeshTet.init_tensor(along, up, deep)
x1, x2, _ = block.p[:, block.t].mean(axis=1)
mesh = block.restrict(np.flatnonzero((x1 < 0.375) | (x2 < 0.375)))
clamped = mesh.facets_satisfying(lambda x: np.isclose(x[1], 1), boundaries_only=True)
pulled = mesh.facets_satisfying(lambda x: np.isclose(x[0], 1), boundaries_only=True)
meshio.write(
    folder / "bracket.msh",
    meshio.Mesh(
        mesh.p.T,
        [("tetra", mesh.t.T), ("triangle", mesh.facets[:, clamped].T), ("triangle", mesh.facets[:, pulled].T)],
        cell_data={"gmsh:physical": [np.full(mesh.nelements, 1), np.full(len(clamped), 2), np.full(len(pulled), 3)]},
        field_data={"solid": np.array([1, 3]), "clamped": np.array([2, 2]), "pulled": np.array([3, 2])},
    ),
    file_format="gmsh22",
)

# %%
# The problem names the surfaces; all the rest has no flux. At the re-entrant edge ∇w has no bound, and the strong
# residual leads astray: the coupling, whose weak form does not mind, gets eight times its usual weight.
problem = hpms.Problem(
    domain=hpms.Mesh(folder / "bracket.msh"),
    eps=0.2,
    coefficient="2+sin(2*pi*x1/eps)",
    periods=None,
    source=0,
    conditions={"clamped": hpms.Dirichlet(0), "pulled": hpms.Neumann(1), "all": hpms.Neumann(0)},
)
solution = hpms.solve(problem, "small", "training.iterations=30", "coupling.share=2")
print(solution)
print(result := solution.errors)

# %%
# w near the middle plane grows along the lower leg.
points = solution.fields()["points"]
near = points[np.abs(points[:, 2] - 0.25) < 0.06]
plt.scatter(*near[:, :2].T, c=solution.w(near), s=12)
plt.gca().set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
plt.colorbar(label="$w$")
