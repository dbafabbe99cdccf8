"""`problem=mesh` and `problem=perforated`: files, parts and conditions of one's own."""

from pathlib import Path
from typing import Any

import h5py
import meshio
import numpy as np
import pytest
import skfem

import hpms as package
from hpms.experiment import fine_problem
from hpms.fem.mesh.simplices import outer_facets
from hpms.study.fine import find_reference

MEDIUM = (
    "source=constant",
    "coefficient=expression",
    "coefficient.formula=2+sin(2*pi*x1/eps)*cos(2*pi*x2/eps)",
    "problem.eps=0.5",
)
TINY = (
    "+method=fast",
    *MEDIUM,
    "network=mlp",
    "network.width=8",
    "network.depth=1",
    "collocation.interior_points=100",
    "collocation.boundary_points=60",
    "optimizer=adam",
    "balancing=none",
    "training.iterations=4",
    "training.log_every=2",
    "training.bound_points=0",
    "reference.h=0.2",
    "reference.baseline_h=0.5",
)
MIXED = "problem.conditions={left:{dirichlet:x2},right:{robin:[1,x2]},all:{neumann:0.5}}"
SQUARE = skfem.MeshTri.init_tensor(np.linspace(0, 1, 5), np.linspace(0, 1, 5))
L_SHAPE = skfem.MeshTri.init_lshaped().refined(1)
CUBE = skfem.MeshTet().refined(1)


def written(mesh: skfem.Mesh, name: str, reentrant: bool = False) -> str:
    """A file of Gmsh: the facets with x1 lowest and highest are called left and right, or those at a re-entrant corner
    notch.
    """
    points, cells, facets = mesh.p.T, mesh.t.T, outer_facets(mesh.t.T)
    x = points[facets].mean(axis=1)
    tags = np.where(x[:, 0] < points[:, 0].min() + 1e-9, 1, np.where(x[:, 0] > points[:, 0].max() - 1e-9, 2, 3))
    if reentrant:
        tags = np.where((np.abs(x) < 1e-9).any(axis=1), 4, 3)
    dim = points.shape[1]
    kinds = {2: ("triangle", "line"), 3: ("tetra", "triangle")}[dim]
    named = {name: np.array([k, dim - 1]) for k, name in ((1, "left"), (2, "right"), (4, "notch")) if k in tags}
    data: Any = {"gmsh:physical": [np.full(len(cells), 9), tags], "gmsh:geometrical": [np.full(len(cells), 9), tags]}
    flat = np.column_stack([points, np.zeros((len(points), 3 - dim))])
    blocks: Any = list(zip(kinds, (cells, facets), strict=True))
    meshio.write(name, meshio.Mesh(flat, blocks, cell_data=data, field_data=named), file_format="gmsh22")
    return name


def stored(path):
    with h5py.File(path) as file:
        return {name: np.asarray(array) for name, array in file["fields"].items()}, dict(file["summary"].attrs)


WRONG = {
    "no path": (("problem.path=null",), "problem.path"),
    "no file": (("problem.path=none.msh",), "problem.path=none.msh is not allowed: there is no such file"),
    "no mesh": (("problem.path=mesh.txt",), "problem.path=mesh.txt is not allowed: it is no mesh that meshio reads"),
    "dim": (("problem.dim=3",), "problem.dim=3 is not allowed: the mesh square.msh has 2 dimensions"),
    "solid": (("problem.path=cube.msh",), "problem.dim=2 is not allowed: the mesh cube.msh has 3 dimensions"),
    "part": (
        ("problem.conditions={letf:{dirichlet:0},all:{neumann:0}}",),
        "the parts are left, right, part3 and all. Did you mean 'left'?",
    ),
    "no condition": (("problem.conditions={left:{dirichlet:0}}",), "nothing is said of "),
    "periodic": (
        ("problem.conditions={left:periodic,right:periodic,all:{dirichlet:0}}",),
        "problem.conditions.left=periodic is not allowed: only opposite faces of problem=box are periodic",
    ),
    "fluxes alone": (("problem.conditions={all:{neumann:0}}",), "fluxes alone, and with the source they leave"),
    "no such place": (
        ('problem.parts={far:"x1>7"}',),
        "problem.parts.far=x1>7 is not allowed: it is true in the middle",
    ),
    "known name": (('problem.parts={left:"x1>0.5"}',), "left is a name that the domain has already"),
    "hard": (
        ("problem.path=notch.msh", "boundary=hard", "problem.conditions={notch:{dirichlet:0},all:{neumann:0}}"),
        "boundary=hard is not allowed: there is no function that vanishes where w is given on this mesh, but on planes",
    ),
    "values on a notch": (
        ("problem.path=notch.msh", "boundary=soft", "problem.conditions={notch:{dirichlet:0},all:{dirichlet:1}}"),
        "of several given values each has to be given on planes that all of the mesh lies on one side of",
    ),
    "ball": (("coupling=ball",), "coupling=ball is not allowed: there is no coefficient to upscale"),
    "upscaling": (("upscaling=isotropic",), "upscaling=isotropic is not allowed"),
    "layered": (
        ("reference.method=layered", "coefficient.periods=[eps,eps]"),
        "reference.method=layered is not allowed",
    ),
    "box's key": (("problem.sides=[1,2]",), "problem.sides"),
}
HOLES = {
    "period": (
        ("problem.eps=0.3",),
        "problem.eps=0.3 is not allowed: the sides [1.0, 1.0] are multiples of it, 1 to 16",
    ),
    "many": (("problem.eps=1/17",), "multiples of it, 1 to 16 times"),
    "wide": (("problem.eps=2",), "multiples of it, 1 to 16 times"),
    "radius": (("problem.radius=0.5",), "problem.radius=0.5 is not allowed"),
    "touching": (
        ("problem.radius=0.48", "problem.vertices=6"),
        "problem.radius=0.48 is not allowed: its polygons touch",
    ),
    "negative": (("problem.radius=-0.1",), "problem.radius=-0.1 is not allowed"),
    "vertices": (("problem.vertices=3",), "problem.vertices=3 is not allowed"),
    "sides": (("problem.sides=[1]",), "problem.sides=[1.0] is not allowed: give two lengths"),
    "dim": (("problem.dim=3",), "problem.dim=3 is not allowed: a polygon lies in the plane"),
    "part": (("problem.conditions={hole1:{neumann:0},all:{dirichlet:0}}",), "Did you mean 'holes'?"),
    "front": (
        ("problem.conditions={front:{neumann:0},all:{dirichlet:0}}",),
        "the parts are left, right, bottom, top, holes",
    ),
}


def refused(hpms, *options):
    found = {each.partition("=")[0]: each for each in (*TINY, *options)}
    code, out, err = hpms("train", *found.values())
    assert code == 1 and not out and err.count("hpms train: ") == 1 and "Traceback" not in err, err
    assert not Path("outputs").exists()
    return err.splitlines()[-1]


@pytest.mark.parametrize("case", WRONG)
def test_what_a_mesh_does_not_allow_is_one_sentence(hpms, case):
    written(SQUARE, "square.msh")
    written(L_SHAPE, "notch.msh", reentrant=True)
    written(CUBE, "cube.msh")
    Path("mesh.txt").write_text("no mesh")
    options, message = WRONG[case]
    assert message in (found := refused(hpms, "problem=mesh", "problem.path=square.msh", *options)), found


@pytest.mark.parametrize("case", HOLES)
def test_what_holes_do_not_allow_is_one_sentence(hpms, case):
    options, message = HOLES[case]
    assert message in (found := refused(hpms, "problem=perforated", *options)), found


@pytest.mark.thorough
def test_a_square_is_a_square(monkeypatch, tmp_path):
    """P2 on the cells of a box and on the same triangles of a file, and on those of a triangulated polygon."""
    monkeypatch.chdir(tmp_path)
    mesh = ("problem=mesh", f"problem.path={written(SQUARE, 'square.msh')}")
    polygon = ("problem=polygon", "problem.vertices=[[0,0],[1,0],[1,1],[0,1]]")
    x = np.stack(np.meshgrid(*[[0.2, 0.4, 0.6, 0.8]] * 2), axis=-1).reshape(-1, 2)

    def values(*options):
        given = "problem.conditions={all:{dirichlet:x1*x2}}"
        config = package.configure(*MEDIUM, given, "coupling=none", "upscaling=none", *options)
        return find_reference(config, fine_problem(config)).evaluate(x)[0]

    wide = values("problem=box", "reference.h=1/64")
    np.testing.assert_allclose(values(*mesh, "reference.h=0.0222"), wide, rtol=1e-10)
    fine = values("problem=box", "reference.h=1/150")
    assert 1e-6 < np.abs(wide - fine).max() / fine.max() < 1e-5
    np.testing.assert_allclose(values(*polygon, "reference.h=1/50"), fine, rtol=0, atol=1e-6 * fine.max())


@pytest.mark.thorough
def test_a_run_keeps_its_mesh(hpms):
    path = Path(written(SQUARE, "square.msh"))
    command = ("train", *TINY, "problem=mesh", f"problem.path={path}", MIXED, "boundary=hard")
    begun = hpms(*command, "training.wall_limit=1e-9", "run_dir=parts")
    assert begun.code == 0, begun.err
    resumed, whole = (hpms(*command, f"run_dir={name}") for name in ("parts", "whole"))
    assert resumed.code == whole.code == 0 and "in a mesh of 32 triangles" in whole.err, resumed.err + whole.err
    (found, summary), (again, _) = stored(resumed.last_line), stored(whole.last_line)
    assert summary["status"] == "finished" and found["weights"].sum() == pytest.approx(1)
    assert found.keys() == again.keys()
    for name in found:
        np.testing.assert_array_equal(found[name], again[name])
    before = package.load("whole").w(found["points"])
    path.unlink()
    np.testing.assert_array_equal(package.load("whole").w(found["points"]), before)
    evaluated = hpms("evaluate", "run=whole")
    assert evaluated.code == 0, evaluated.err
    assert stored(evaluated.last_line)[1]["relative_l2"] == pytest.approx(summary["relative_l2"], rel=1e-6)
    written(L_SHAPE, str(path))
    np.testing.assert_array_equal(package.load("whole").w(found["points"]), before)
    other = hpms(*command, "run_dir=whole")
    assert other.code == 1 and "Traceback" not in other.err


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("mesh", "options"),
    [
        (SQUARE, (MIXED, "boundary=hard")),
        (L_SHAPE, (MIXED, "boundary=soft")),
        pytest.param(
            CUBE,
            (MIXED, "problem.dim=3", "boundary=hard", "coupling=galerkin", "coupling.spacing=0.45"),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["square", "l-shape", "cube"],
)
def test_the_derivatives_are_right(hpms, mesh, options):
    path = written(mesh, "a.msh")
    code, out, err = hpms("check", *TINY, "problem=mesh", f"problem.path={path}", *options)
    assert code == 0 and "rows of the flux" in out, out + err


@pytest.mark.thorough
def test_holes_are_trained(hpms):
    options = ("problem=perforated", "problem.vertices=8", "boundary=soft", "reference.h=0.1")
    result = hpms("train", *(each for each in TINY if not each.startswith("reference.h")), *options)
    assert result.code == 0 and "2×2 holes of the radius 0.25 eps" in result.err, result.err
    found, _ = stored(result.last_line)
    assert found["weights"].sum() == pytest.approx(1 - np.pi / 16, rel=1e-6)
