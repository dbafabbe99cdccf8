import numpy as np
import pytest
import skfem

from hpms.fem.mesh.simplices import Simplices, outer_facets


def simplices(mesh: skfem.Mesh) -> Simplices:
    cells = mesh.t.T
    facets = outer_facets(cells)
    low = mesh.p.T[facets][..., 0].max(axis=1) < 1e-12
    return Simplices(mesh.p.T, cells, facets, np.where(low, 0, 1), ("left", "rest"))


MESHES = [skfem.MeshTri.init_lshaped(), skfem.MeshTet().refined(1), skfem.MeshTri().refined(2)]


@pytest.mark.parametrize("mesh", MESHES, ids=["l-shape", "cube", "square"])
def test_refinement_keeps_the_domain_and_its_parts(mesh):
    wide = simplices(mesh)
    fine = wide.refined(2)
    assert len(fine.cells) == len(wide.cells) * 4**wide.dim
    assert fine.volume == pytest.approx(wide.volume, rel=1e-12)
    assert fine.h == pytest.approx(wide.h / 4, rel=0.5)
    for part in wide.parts:
        assert fine.areas[fine.on(part)].sum() == pytest.approx(wide.areas[wide.on(part)].sum(), rel=1e-12)
    assert {tuple(sorted(f)) for f in fine.facets} == {tuple(sorted(f)) for f in outer_facets(fine.cells)}


@pytest.mark.parametrize("mesh", MESHES, ids=["l-shape", "cube", "square"])
def test_normals_point_outward(mesh):
    found = simplices(mesh)
    middles = found.nodes[found.facets].mean(axis=1)
    cells, _ = found.locate(np.concatenate([middles - 1e-6 * found.normals, middles + 1e-6 * found.normals]))
    assert (cells[: len(middles)] >= 0).all() and (cells[len(middles) :] == -1).all()
    flux = (found.areas * np.einsum("fd,fd->f", found.normals, middles)).sum()
    assert flux == pytest.approx(found.dim * found.volume, rel=1e-12)


@pytest.mark.parametrize("mesh", MESHES[:2], ids=["l-shape", "cube"])
def test_points_are_found(mesh):
    fine = simplices(mesh).refined(2)
    corners = fine.nodes[fine.cells[7]]
    points = np.array([corners.mean(axis=0), corners[0], fine.low - 1.0])
    cells, barycentric = fine.locate(points)
    assert cells[0] == 7 and cells[2] == -1
    for point, cell, each in zip(points[:2], cells, barycentric, strict=False):
        assert np.allclose(each @ fine.nodes[fine.cells[cell]], point, atol=1e-12)


def test_two_are_equal_where_their_arrays_are():
    one, other = simplices(MESHES[0]), simplices(MESHES[0])
    assert one == other and hash(one) == hash(other)
    assert one != one.refined()
    assert one != Simplices(one.nodes, one.cells, one.facets, 1 - one.labels, one.parts)


@pytest.mark.parametrize("mesh", MESHES, ids=["l-shape", "cube", "square"])
def test_points_are_found_through_the_parents(mesh):
    fine = simplices(mesh).refined(2)
    alone = Simplices(fine.nodes, fine.cells, fine.facets, fine.labels, fine.parts)
    points = fine.low + np.random.default_rng(0).random((500, fine.dim)) * fine.sides
    for one, other in zip(fine.locate(points), alone.locate(points), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("mesh", MESHES, ids=["l-shape", "cube", "square"])
def test_the_number_of_nodes_is_known_before_refinement(mesh):
    found = simplices(mesh)
    assert [found.refined_size(times) for times in range(3)] == [len(found.refined(times).nodes) for times in range(3)]
