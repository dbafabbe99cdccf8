"""Planes with a domain on one side, and functions that vanish on them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skfem

from hpms.fem.mesh.simplices import Simplices, outer_facets
from hpms.jet import entry, laplacian
from hpms.options.field import build_field
from hpms.problem.planes import PlaneLift, Planes, supporting_planes

SHARE = 0.02


def simplices(mesh: skfem.Mesh, corner=0.0, scale=1.0) -> Simplices:
    cells = mesh.t.T
    facets = outer_facets(cells)
    return Simplices(corner + scale * mesh.p.T, cells, facets, np.zeros(len(facets), int), ("all",))


def rows(normals, offsets):
    every = np.round(np.column_stack([normals, offsets]), 9) + 0.0
    return every[np.lexsort(every.T)]


@pytest.mark.parametrize(("corner", "scale"), [(0.0, 1.0), (-0.5, 1.0), (1e5, 2.0), (0.0, 1e-3)])
def test_a_cube_has_six(corner, scale):
    mesh = simplices(skfem.MeshTet().refined(2), corner, scale)
    normals, offsets, place = supporting_planes(mesh, SHARE)
    every = np.concatenate([-np.eye(3), np.eye(3)])
    ends = np.repeat([-corner, corner + scale], 3)
    np.testing.assert_allclose(rows(normals, offsets), rows(every, ends), rtol=1e-12)
    assert np.bincount(place).tolist() == [32] * 6
    middles = mesh.nodes[mesh.facets].mean(axis=1)
    np.testing.assert_allclose(np.einsum("fd,fd->f", normals[place], middles), offsets[place], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(normals[place], mesh.normals, atol=1e-9)


def test_those_of_a_reentrant_corner_are_none():
    mesh = simplices(skfem.MeshTri.init_lshaped().refined(2))  # (-1,1)² without its quarter x1 > 0, x2 > 0
    normals, offsets, place = supporting_planes(mesh, SHARE)
    assert np.array_equal(rows(normals, offsets), rows(np.concatenate([-np.eye(2), np.eye(2)]), np.ones(4)))
    middles = mesh.nodes[mesh.facets].mean(axis=1)
    assert np.array_equal(place < 0, (np.abs(middles) < 1e-12).any(axis=1))


def test_a_slanted_plane_is_found():
    square = skfem.MeshTri().refined(2)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    normals, offsets, _ = supporting_planes(simplices(skfem.MeshTri(turn @ square.p, square.t)), SHARE)
    np.testing.assert_allclose(rows(normals, offsets), rows(np.concatenate([turn.T, -turn.T]), [1, 1, 0, 0]))


def test_short_sides_of_a_round_domain_are_none():
    angles = np.arange(120) * 2 * np.pi / 120
    points = np.concatenate([np.zeros((1, 2)), np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    ring = 1 + np.arange(120)
    cells = np.stack([np.zeros(120, int), ring, np.roll(ring, -1)], axis=1)
    normals, _, place = supporting_planes(simplices(skfem.MeshTri(points.T, cells.T)), SHARE)
    assert len(normals) == 0 and (place == -1).all()


NORMALS = ((0.6, 0.8, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
FORMS = (laplacian(3), entry(0, 2), ((0, 0, 2.0), (1, 1, 0.5), (0, 1, 0.3)))
JETS = {
    "vanishing": lambda planes, x: planes.vanishing(x, FORMS),
    "saturation": lambda planes, x: planes.saturation(x, (0.1, 0.3, 0.2), FORMS),
    "layers": lambda planes, x: planes.layers(x, 0.2, FORMS),
}


def planes(*held):
    return Planes(NORMALS, (1.0, 0.0, 0.9), held, 0.25)


def points(count=20):
    return jax.random.uniform(jax.random.key(0), (count, 3), dtype=jnp.float64) * 0.6


@pytest.mark.parametrize("name", JETS)
def test_jets_are_those_of_differentiation(name):
    found, x = planes(0, 2), points()
    jet = jax.jit(lambda x: JETS[name](found, x))(x)

    def values(point):
        return JETS[name](found, point[None]).value[0]

    value, slopes, bends = jax.jit(jax.vmap(lambda x: (values(x), jax.jacfwd(values)(x), jax.hessian(values)(x))))(x)
    np.testing.assert_allclose(jet.value, value, rtol=1e-13)
    for axis, slope in enumerate(jet.gradient):
        np.testing.assert_allclose(slope, slopes[..., axis], rtol=1e-12, atol=1e-12)
    for form, second in zip(FORMS, jet.second, strict=True):
        expected = sum(weight * bends[..., i, j] for i, j, weight in form)
        np.testing.assert_allclose(second, expected, rtol=1e-11, atol=1e-11)


def test_they_vanish_on_the_planes_that_are_held():
    found, x = planes(0, 2), np.array(points())
    x[0] = [0.6, 0.8, 0.1]
    x[1] = [0.3, 0.1, 0.9]
    x[2] = [0.0, 0.2, 0.2]
    for jet in (found.vanishing(jnp.asarray(x)), found.saturation(jnp.asarray(x), (0.1, 0.1, 0.1))):
        assert np.abs(jet.value[:2]).max() < 1e-14 and np.asarray(jet.value[2:]).min() > 1e-2
    np.testing.assert_allclose(found.layers(jnp.asarray(x), 0.1).value[[0, 1, 2], [0, 2, 1]], 1, rtol=1e-14)
    assert planes().is_empty and not found.is_empty and found.count == 3


def test_saturation_is_almost_1_away_from_them():
    x = jnp.array([[0.01, 0.0, 0.1]])
    assert planes(0, 2).saturation(x, (0.05, 0.02, 0.01)).value.item() > 1 - 1e-6


@pytest.mark.parametrize("groups", [pytest.param(((0,), (1,)), marks=pytest.mark.thorough), ((0, 2), (1,))])
def test_a_lift_takes_its_values_on_its_planes(groups):
    data = tuple(build_field(text, (1.0, 1.0, 1.0), 0.1, "value") for text in ("1+x1*x2", "sin(x2)-x3"))
    lift = PlaneLift(data, groups, planes())
    x = np.array(points())
    on = {0: x.copy(), 1: x.copy(), 2: x.copy()}
    on[0] = x + (1 - x @ np.array(NORMALS[0]))[:, None] * np.array(NORMALS[0])
    on[1][:, 0], on[2][:, 2] = 0, 0.9
    for datum, group in zip(data, groups, strict=True):
        for k in group:
            there = jnp.asarray(on[k])
            np.testing.assert_allclose(lift.jet(there).value[:, 0], jax.vmap(datum.value)(there), atol=1e-13)
    jet, every = lift.jet(jnp.asarray(x), FORMS), jnp.asarray(x)
    slopes = jax.vmap(jax.grad(lambda point: lift.jet(point[None]).value[0, 0]))(every)
    np.testing.assert_allclose(np.concatenate(jet.gradient, axis=1), slopes, rtol=1e-11)
    assert lift.meets


def test_one_formula_is_the_lift_itself():
    datum = build_field("1+x1*x2", (1.0, 1.0, 1.0), 0.1, "value")
    x = points()
    np.testing.assert_allclose(PlaneLift((datum,), (), None).jet(x).value[:, 0], jax.vmap(datum.value)(x))
    assert not np.any(PlaneLift((), (), None).jet(x).value)
