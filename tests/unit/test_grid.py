"""Uniform grids, locating points in them, and P1 interpolation."""

import numpy as np
import pytest
import skfem

from hpms.fem.grid import interpolation, lattice, locate, unit_mesh


def some_points(dim, n, count=500):
    """Random points, and all that sit on faces, edges and vertices of the cells."""
    rng = np.random.default_rng(0)
    points = rng.random((count, dim))
    on_faces = points.copy()
    on_faces[:, 0] = np.round(on_faces[:, 0] * n) / n
    on_diagonals = np.tile(points[:, :1], (1, dim))
    return np.concatenate([points, on_faces, on_diagonals, lattice(dim, n)])


@pytest.mark.parametrize(("dim", "n"), [(1, 7), (2, 5), (3, 3)])
def test_mesh_fills_the_cube(dim, n):
    mesh = unit_mesh(dim, n)
    vertices = mesh.p[:, mesh.t]
    edges = np.moveaxis(vertices[:, 1:] - vertices[:, :1], 2, 0)
    volumes = np.abs(np.linalg.det(edges)) / [1, 1, 2, 6][dim]
    assert mesh.t.shape[1] == [0, 1, 2, 6][dim] * n**dim
    np.testing.assert_allclose(volumes, volumes.sum() / len(volumes))
    assert volumes.sum() == pytest.approx(1)
    assert mesh.is_valid()


def test_mesh_is_the_tensor_mesh_of_scikit_fem():
    axis = np.linspace(0, 1, 6)
    mesh, other = unit_mesh(2, 5), skfem.MeshTri.init_tensor(axis, axis)
    np.testing.assert_allclose(mesh.p, other.p, atol=1e-15)
    assert {tuple(t) for t in np.sort(mesh.t, axis=0).T} == {tuple(t) for t in np.sort(other.t, axis=0).T}


@pytest.mark.parametrize(("dim", "n"), [(1, 7), (2, 5), (3, 3), (3, 1)])
def test_located_element_holds_the_point(dim, n):
    points, mesh = some_points(dim, n), unit_mesh(dim, n)
    found = locate(points, n)
    assert found.barycentric.min() >= -1e-14
    np.testing.assert_allclose(found.barycentric.sum(axis=1), 1, atol=1e-14)
    vertices = mesh.p.T[mesh.t.T[found.element(n)]]
    inside = np.linalg.solve(
        np.concatenate([vertices, np.ones((*vertices.shape[:2], 1))], axis=2).transpose(0, 2, 1),
        np.concatenate([points, np.ones((len(points), 1))], axis=1)[..., None],
    )
    assert inside.min() >= -1e-12


@pytest.mark.parametrize(("dim", "n"), [(1, 7), (2, 5), (3, 3)])
def test_interpolation_is_exact_for_nodal_values_and_affine_functions(dim, n):
    nodes = lattice(dim, n)
    np.testing.assert_allclose(interpolation(nodes, n).toarray(), np.eye(len(nodes)), atol=1e-13)
    points, slope = some_points(dim, n), np.arange(1, dim + 1)
    np.testing.assert_allclose(interpolation(points, n) @ (nodes @ slope + 3), points @ slope + 3, atol=1e-13)


def test_interpolation_agrees_with_scikit_fem():
    mesh, rng = unit_mesh(2, 4), np.random.default_rng(1)
    values, points = rng.random(mesh.p.shape[1]), rng.random((200, 2))
    expected = skfem.Basis(mesh, skfem.ElementTriP1()).probes(points.T) @ values
    np.testing.assert_allclose(interpolation(points, 4) @ values, expected, atol=1e-12)


@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan])
def test_points_outside_are_refused(bad):
    with pytest.raises(ValueError, match="outside"):
        locate(np.array([[0.5, 0.5], [0.5, bad]]), 4)


@pytest.mark.parametrize(("dim", "n"), [(0, 4), (4, 4), (2, 0)])
def test_impossible_grids_are_refused(dim, n):
    with pytest.raises(ValueError, match="grid"):
        unit_mesh(dim, n)
