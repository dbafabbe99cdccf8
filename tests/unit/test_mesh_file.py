"""Meshes from files that meshio writes: their parts, and what is wrong with them in one sentence."""

import os
from typing import Any

import meshio
import numpy as np
import pytest
import skfem

from hpms.errors import ConfigError
from hpms.fem.mesh.file import arrays, read_mesh, remember
from hpms.fem.mesh.simplices import outer_facets

SQUARE = skfem.MeshTri.init_tensor(np.linspace(0, 2, 5), np.linspace(0, 1, 4))
CUBE = skfem.MeshTet().refined(1)
POINTS, CELLS, ENDS = SQUARE.p.T, SQUARE.t.T, outer_facets(SQUARE.t.T)
MIDDLES = POINTS[ENDS].mean(axis=1)
LEFT, TOP = ENDS[MIDDLES[:, 0] < 1e-9], ENDS[MIDDLES[:, 1] > 1 - 1e-9]
GROUPS = {"inlet": np.array([7, 1]), "lid": np.array([9, 1]), "plate": np.array([3, 2])}


def tagged(path, **named):
    """A square with an inlet and a lid as groups of Gmsh, or with others."""
    sides = np.concatenate([LEFT, TOP])
    tags = [np.full(len(CELLS), 3), np.repeat([7, 9], [len(LEFT), len(TOP)])]
    data: Any = {"gmsh:physical": tags, "gmsh:geometrical": tags}
    found = meshio.Mesh(in_space(POINTS), [("triangle", CELLS), ("line", sides)], cell_data=data, field_data=named)
    meshio.write(path, found, file_format="gmsh22", binary=False)
    return read_mesh(str(path))


def in_space(points, z=0.0):
    return np.column_stack([points, np.full(len(points), z)])


def written(path, points, kind, cells, **rest):
    meshio.Mesh(np.asarray(points, float), [(kind, np.asarray(cells))], **rest).write(path)
    return str(path)


def areas(mesh):
    return {part: mesh.areas[mesh.on(part)].sum() for part in mesh.parts}


def test_parts_are_the_groups_of_gmsh(tmp_path):
    mesh = tagged(tmp_path / "square.msh", **GROUPS)
    assert mesh.dim == 2 and mesh.volume == pytest.approx(2)
    assert areas(mesh) == pytest.approx({"unnamed": 3, "inlet": 1, "lid": 2})


def test_groups_without_a_name_are_numbered(tmp_path):
    assert areas(tagged(tmp_path / "square.msh")) == pytest.approx({"unnamed": 3, "part7": 1, "part9": 2})


def test_a_name_of_triangles_is_none_of_lines(tmp_path):
    mesh = tagged(tmp_path / "square.msh", plate=np.array([7, 2]), inlet=np.array([7, 1]))
    assert set(mesh.parts) == {"unnamed", "inlet", "part9"}


def test_medit_has_numbers(tmp_path):
    cells = [("triangle", CELLS), ("line", np.concatenate([LEFT, TOP]))]
    refs: Any = [np.zeros(len(CELLS), int), np.repeat([7, 9], [len(LEFT), len(TOP)])]
    meshio.Mesh(POINTS, cells, cell_data={"medit:ref": refs}).write(tmp_path / "square.mesh")
    assert areas(read_mesh(str(tmp_path / "square.mesh"))) == pytest.approx({"unnamed": 3, "part7": 1, "part9": 2})


@pytest.mark.parametrize("name", ["a.vtu", "a.xdmf", "a.vtk", "a.inp"])
def test_without_tags_all_is_one_part(tmp_path, name):
    if name.endswith("xdmf"):
        pytest.importorskip("h5py")
    mesh = read_mesh(written(tmp_path / name, in_space(POINTS, 0.7), "triangle", CELLS))
    assert areas(mesh) == pytest.approx({"unnamed": 6})
    assert mesh.nodes.shape == POINTS.shape and mesh.volume == pytest.approx(2)


def test_sets_of_abaqus_are_parts(tmp_path):
    cells = [("triangle", CELLS), ("line", np.concatenate([LEFT, TOP]))]
    sets: Any = {"inlet": [np.array([], int), np.arange(len(LEFT))]}
    meshio.Mesh(in_space(POINTS), cells, cell_sets=sets).write(tmp_path / "square.inp")
    assert areas(read_mesh(str(tmp_path / "square.inp"))) == pytest.approx({"unnamed": 5, "inlet": 1})


def test_tetrahedra(tmp_path):
    points, cells = CUBE.p.T, CUBE.t.T
    facets = outer_facets(cells)
    low = points[facets][..., 0].max(axis=1) < 1e-9
    blocks = [("tetra", cells), ("triangle", facets), ("line", facets[:, :2])]
    tags: Any = [np.full(len(cells), 1), np.where(low, 2, 3), np.full(len(facets), 2)]
    named = {"inlet": np.array([2, 2]), "rest": np.array([3, 2]), "edge": np.array([2, 1])}
    found = meshio.Mesh(points, blocks, cell_data={"gmsh:physical": tags, "gmsh:geometrical": tags}, field_data=named)
    meshio.write(tmp_path / "cube.msh", found, file_format="gmsh22")
    mesh = read_mesh(str(tmp_path / "cube.msh"))
    assert mesh.dim == 3 and mesh.volume == pytest.approx(1)
    assert areas(mesh) == pytest.approx({"inlet": 1, "rest": 5})


def test_nodes_of_no_element_are_left_out(tmp_path):
    mesh = read_mesh(written(tmp_path / "a.vtu", [[9, 9, 0], *in_space(POINTS)], "triangle", CELLS + 1))
    np.testing.assert_array_equal(mesh.nodes, POINTS)


def test_elements_may_turn_either_way(tmp_path):
    cells = CELLS.copy()
    cells[::3] = cells[::3, ::-1]
    mesh = read_mesh(written(tmp_path / "a.vtu", in_space(POINTS), "triangle", cells))
    assert mesh.volume == pytest.approx(2) and mesh.surface == pytest.approx(6)


def test_a_file_that_was_written_again_is_read_again(tmp_path):
    path = written(tmp_path / "a.vtu", in_space(POINTS), "triangle", CELLS)
    first = read_mesh(path)
    assert read_mesh(path) is first
    written(path, in_space(2 * POINTS), "triangle", CELLS)
    os.utime(path, ns=(1, 1))
    assert read_mesh(path).volume == pytest.approx(8)


def test_the_copy_of_a_run_is_the_same_mesh(tmp_path):
    path = tmp_path / "square.msh"
    mesh = tagged(path, **GROUPS)
    path.unlink()
    name = remember(str(path), arrays(mesh))
    again = read_mesh(name)
    assert again == mesh and again.digest == mesh.digest and again.parts == mesh.parts
    assert read_mesh(remember(name, arrays(again))) == mesh and name == remember(name, arrays(again))


QUADS = skfem.MeshQuad().refined(1)
CURVED = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.5, 0, 0], [0.6, 0.6, 0], [0, 0.5, 0]]
FAN = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [1, 2, 0]]
HANGING = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0.5, 0, 0]]
SPIKE = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1], [1 / 3, 1 / 3, 0]]
WRONG = {
    "quads": (QUADS.p.T, "quad", QUADS.t.T, "elements of the kind quad: save it with triangles or tetrahedra"),
    "second order": (CURVED, "triangle6", [range(6)], "elements of the kind triangle6"),
    "points": (CURVED, "vertex", [[0]], "it has no triangles and no tetrahedra"),
    "a surface": (np.column_stack([POINTS, POINTS[:, 0]]), "triangle", CELLS, "do not lie in a plane x3 = constant"),
    "flat": ([[0, 0, 0], [1, 0, 0], [0.5, 1e-12, 0], [0, 1, 0]], "triangle", [[0, 1, 3], [0, 1, 2]], "2 is flat"),
    "folded": (FAN, "triangle", [[0, 1, 2], [0, 1, 4]], "elements 1 and 2 lie on the same side of the facet between"),
    "hanging": (HANGING, "triangle", [[0, 1, 2], [0, 4, 3], [4, 1, 3]], "the node at (0.5, 0) hangs"),
    "hanging in space": (SPIKE, "tetra", [[0, 1, 2, 3], [0, 1, 5, 4], [1, 2, 5, 4], [2, 0, 5, 4]], "0.3333, 0) hangs"),
    "three at a facet": (FAN, "triangle", [[0, 1, 2], [0, 1, 3], [0, 1, 4]], "a facet of it belongs to 3 elements"),
    "not finite": ([[0, 0, 0], [np.inf, 0, 0], [0, 1, 0]], "triangle", [[0, 1, 2]], "not finite"),
    "not a number": ([[0, 0, 0], [np.nan, 0, 0], [0, 1, 0]], "triangle", [[0, 1, 2]], "not finite"),
    "out of range": ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "triangle", [[0, 1, 3]], "a corner that is none of its nodes"),
    "twice": (FAN, "triangle", [[0, 1, 2], [2, 0, 1]], "lie on the same side"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_sentence(tmp_path, case):
    points, kind, cells, reason = WRONG[case]
    points = np.asarray(points, float)
    path = written(
        tmp_path / "a.vtk", points if points.shape[1] == 3 else in_space(points), kind, list(map(list, cells))
    )
    with pytest.raises(ConfigError) as error:
        read_mesh(path)
    assert reason in str(error.value) and "\n" not in str(error.value), error.value
    assert str(error.value).startswith("problem.path=")


@pytest.mark.parametrize("name", ["none.msh", "."])
def test_there_has_to_be_a_file(tmp_path, name):
    with pytest.raises(ConfigError, match="there is no such file"):
        read_mesh(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.msh", "a.vtu", "a.xdmf", "a.inp", "a.mesh", "a.txt", "a"])
@pytest.mark.parametrize("text", ["", "no mesh\n"])
def test_the_file_has_to_be_a_mesh(tmp_path, capsys, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=r"no mesh that meshio reads|no triangles and no tetrahedra") as error:
        read_mesh(str(tmp_path / name))
    assert "\n" not in str(error.value)
    assert not any(capsys.readouterr())


def test_nodes_at_one_place_are_to_be_merged(tmp_path):
    """Two halves of a square that are not joined would be insulated from each other."""
    points = [(0, 0), (1, 0), (1, 1), (0, 1), (1, 0), (2, 0), (2, 1), (1, 1)]
    path = written(tmp_path / "halves.vtu", in_space(points), "triangle", [(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7)])
    with pytest.raises(ConfigError, match="two of its nodes lie at"):
        read_mesh(path)


def test_a_facet_has_one_tag(tmp_path):
    sides = np.concatenate([LEFT, LEFT[:1]])
    tags: Any = {"gmsh:physical": [np.full(len(CELLS), 3), np.repeat([7, 9], [len(LEFT), 1])]}
    tags["gmsh:geometrical"] = tags["gmsh:physical"]
    found = meshio.Mesh(in_space(POINTS), [("triangle", CELLS), ("line", sides)], cell_data=tags)
    meshio.write(tmp_path / "square.msh", found, file_format="gmsh22", binary=False)
    with pytest.raises(ConfigError, match="a facet of it belongs to part7 and to part9"):
        read_mesh(str(tmp_path / "square.msh"))
