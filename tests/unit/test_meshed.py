"""Points on domains that are meshes."""

from math import pi, sin

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skfem

from hpms.errors import UserError
from hpms.fem.mesh.polygon import Polygon, circle
from hpms.fem.mesh.simplices import Simplices, outer_facets
from hpms.problem.meshed import Facets, MeshFile
from hpms.problem.polygon import PolygonDomain

L_SHAPE = Polygon(((0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)))
PLATE = Polygon(((-1, -1), (2, -1), (2, 1), (-1, 1)), (circle((0.0, 0.0), 0.4, 12), ((1, 0), (1.5, 0), (1.2, 0.5))))
KEY = jax.random.key(3)
COUNT = 4000


def cube() -> Simplices:
    mesh = skfem.MeshTet().refined(1)
    facets = outer_facets(mesh.t.T)
    low = mesh.p.T[facets][..., 0].max(axis=1) < 1e-12
    return Simplices(mesh.p.T, mesh.t.T, facets, np.where(low, 0, 1), ("left", "rest"))


DOMAINS = {
    "l-shape": PolygonDomain(2, 0.3, L_SHAPE, L_SHAPE.parts),
    "plate": PolygonDomain(2, 0.3, PLATE, PLATE.parts),
    "cube": MeshFile(3, 0.5, cube()),
}


@pytest.fixture(params=DOMAINS)
def domain(request):
    return DOMAINS[request.param]


def moments(x, weights=None):
    """The means of 1, x_a and x_a x_b."""
    x = np.asarray(x)
    rows = np.concatenate([x, (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)], axis=1)
    return rows.mean(axis=0) if weights is None else weights @ rows / weights.sum()


def exact(domain):
    return moments(*domain.measuring_points())


def test_points_lie_inside(domain):
    for points in (domain.sample_interior(KEY, 500), domain.lattice_interior(KEY, 500), domain.probes(500)):
        assert points.shape == (500, domain.dim) and domain.has(np.asarray(points)).all()
    outside = np.asarray(domain.low) - 0.1
    assert not domain.has(outside[None]).any()


def test_a_hole_is_outside():
    assert DOMAINS["plate"].has(np.array([[0.0, 0.0], [1.2, 0.2], [0.5, 0.5]])).tolist() == [False, False, True]


def test_random_points_are_uniform(domain):
    """The numbers in the elements of the widest mesh, by χ²."""
    points = np.asarray(domain.sample_interior(KEY, COUNT))
    cells, _ = domain.mesh.locate(points)
    expected = COUNT * domain.mesh.volumes / domain.volume
    found = np.bincount(cells, minlength=len(expected))
    chi = ((found - expected) ** 2 / expected).sum()
    assert abs(chi - len(expected)) < 5 * np.sqrt(2 * len(expected))


def test_a_lattice_has_in_each_element_what_its_size_wants_and_nearer_moments(domain):
    lattice = np.asarray(domain.lattice_interior(KEY, COUNT))
    cells, _ = domain.mesh.locate(lattice)
    found = np.bincount(cells, minlength=len(domain.mesh.cells))
    assert np.abs(found - COUNT * domain.mesh.volumes / domain.volume).max() < 2.01
    keys = jax.random.split(KEY, 8)
    errors = [
        np.mean([np.abs(moments(draw(key, COUNT)) - exact(domain)).max() for key in keys])
        for draw in (domain.lattice_interior, domain.sample_interior)
    ]
    assert errors[0] < errors[1] / 3


@pytest.mark.parametrize("width", [0.1, 0.25])
def test_layers_and_the_core_fill_the_domain_by_their_shares(domain, width):
    share, layer, core = domain.core_share(width), 1500, 1000
    assert 0 < share < 1
    x = np.asarray(domain.lattice_layers(KEY, layer, core, width))
    assert domain.has(x).all()
    weights = np.concatenate([np.full(layer, (1 - share) / layer), np.full(core, share / core)])
    np.testing.assert_allclose(moments(x, weights), exact(domain), atol=0.01)


def test_the_core_lies_deep():
    domain, width = DOMAINS["l-shape"], 0.25
    x = np.asarray(domain.lattice_layers(KEY, 500, 500, width))
    starts, ends = L_SHAPE.segments[:, 0], L_SHAPE.segments[:, 1]
    spans = ends - starts
    along = np.einsum("med,ed->me", x[:, None] - starts, spans) / (spans**2).sum(axis=1)
    nearest = starts + np.clip(along, 0, 1)[..., None] * spans
    depth = np.linalg.norm(x[:, None] - nearest, axis=2).min(axis=1)
    assert depth[:500].max() < 1.4 * width and depth[500:].min() > 0.6 * width


def test_the_core_is_empty_where_the_layer_is_wide():
    with pytest.raises(UserError, match="layer_width=0"):
        DOMAINS["l-shape"].core_share(0.6)


def test_points_of_the_boundary_lie_on_it_and_have_its_parts_and_normals(domain):
    x = domain.sample_boundary(KEY, COUNT)
    places = Facets(domain.mesh)
    on = np.stack([np.asarray(places.on(x, part)) for part in domain.mesh.parts])
    assert (on.sum(axis=0) == 1).all()
    areas = np.array([domain.mesh.areas[domain.mesh.on(part)].sum() for part in domain.mesh.parts])
    expected = COUNT * areas / domain.surface
    assert (np.abs(on.sum(axis=1) - expected) < 5 * np.sqrt(expected)).all()
    normal = np.asarray(places.normal(x, domain.mesh.parts[0]))
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1)
    step = 1e-6
    assert domain.has(np.asarray(x) - step * normal).mean() > 0.99
    assert domain.has(np.asarray(x) + step * normal).mean() < 0.01
    moved = jnp.asarray(np.asarray(x) - 1e-3 * normal)
    assert not np.any([places.on(moved, part) for part in domain.mesh.parts])


def test_normals_of_an_l_are_those_of_its_edges():
    places = Facets(DOMAINS["l-shape"].mesh)
    middles = jnp.asarray(L_SHAPE.segments.mean(axis=1))
    expected = [(0, -1), (1, 0), (0, 1), (1, 0), (0, 1), (-1, 0)]
    np.testing.assert_allclose(places.normal(middles, "edge1"), expected, atol=1e-12)
    assert [bool(places.on(middles[k : k + 1], f"edge{k + 1}")[0]) for k in range(6)] == [True] * 6


def test_points_on_a_hole_that_stands_for_a_circle_lie_on_it_and_have_its_normal():
    radius, middle = 0.4, np.array([0.1, 0.2])
    rounds = ((*middle, radius), None)
    plate = Polygon(PLATE.outer, (circle((0.1, 0.2), 0.41, 12), PLATE.holes[1]), rounds)
    names = tuple("pipe" if part == "hole1" else part for part in plate.parts)
    domain = PolygonDomain(2, 0.3, plate, names)
    x, places = domain.sample_boundary(KEY, COUNT), domain.places
    on, normal = np.asarray(places.on(x, "pipe")), np.asarray(places.normal(x, "pipe"))
    away = np.asarray(x) - middle
    distance = np.linalg.norm(away, axis=1)
    np.testing.assert_allclose(distance[on], radius, rtol=1e-12)
    np.testing.assert_allclose(normal[on], -away[on] / radius, atol=1e-9)
    assert on.mean() == pytest.approx(2 * np.pi * 0.4 / domain.surface, rel=0.1)
    assert sum(np.asarray(places.on(x, part)) for part in set(names)).tolist() == [1] * COUNT
    straight = Facets(domain.mesh)
    np.testing.assert_array_equal(normal[~on], np.asarray(straight.normal(x, "pipe"))[~on])
    points, _ = domain.face_points("pipe")
    assert np.asarray(places.on(jnp.asarray(points), "pipe")).all()
    chords = np.asarray(straight.normal(jnp.asarray(points), "pipe"))
    np.testing.assert_array_equal(np.asarray(places.normal(jnp.asarray(points), "pipe")), chords)


def test_measures_are_those_of_the_domain(domain):
    points, weights = domain.measuring_points()
    assert weights.sum() == pytest.approx(domain.volume, rel=1e-12) and weights.min() > 0
    assert domain.has(points).all()
    assert len(points) % len(domain.measuring_cells) == 0
    for part in domain.mesh.parts:
        _, lengths = domain.face_points(part)
        assert lengths.sum() == pytest.approx(domain.mesh.areas[domain.mesh.on(part)].sum(), rel=1e-12)
    assert sum(domain.face_points(part)[1].sum() for part in domain.mesh.parts) == pytest.approx(domain.surface)


def test_the_measures_of_a_plate_are_those_of_its_polygons():
    domain, twelfth = DOMAINS["plate"], pi / 6
    hole = 12 / 2 * 0.4**2 * sin(twelfth)
    assert domain.volume == pytest.approx(6 - hole - 0.125, rel=1e-12)
    sides = 0.5 + np.hypot(0.3, 0.5) + np.hypot(0.2, 0.5)
    assert domain.surface == pytest.approx(10 + 24 * 0.4 * sin(twelfth / 2) + sides, rel=1e-12)
    assert domain.low == (-1, -1) and domain.sides == (3, 2)
