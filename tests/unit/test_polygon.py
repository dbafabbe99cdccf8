"""Polygons with holes, and what their triangulations keep."""

from math import cos, pi, sin

import numpy as np
import pytest

from hpms.errors import UserError
from hpms.fem.mesh.polygon import Polygon, circle, triangulated
from hpms.fem.mesh.simplices import Simplices, outer_facets

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
L_SHAPE = ((0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (1.0, 1.0), (1.0, 2.0), (0.0, 2.0))
STAR = tuple((r * cos(pi * k / 5 + 0.1), r * sin(pi * k / 5 + 0.1)) for k, r in enumerate((1.0, 0.38) * 5))
UPPER = ((1.5, 1.0), (1.5, 0.505), (1.0, 0.505), (1.0, 1.0), (0.0, 1.0))
CHANNEL = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.495), (1.5, 0.495), (1.5, 0.0), (2.5, 0.0), (2.5, 1.0), *UPPER)
MANY = tuple(circle(((i + 0.5) / 8, (j + 0.5) / 8), 0.03, 12) for i in range(8) for j in range(8))
PLATE = Polygon(((0, 0), (2, 0), (2, 1), (0, 1)), (circle((0.5, 0.5), 0.2, 24), circle((1.5, 0.5), 0.2, 24)))
CASES = {
    "square": (Polygon(SQUARE), 0.1),
    "l-shape": (Polygon(L_SHAPE), 0.1),
    "clockwise": (Polygon(L_SHAPE[::-1], (circle((0.5, 0.5), 0.2, 7)[::-1],)), 0.2),
    "plate, coarse": (PLATE, 0.5),
    "plate, fine": (PLATE, 0.05),
    "wedge": (Polygon(((0, 0), (1, 0), (1, 0.05))), 0.1),
    "flat": (Polygon(((0, 0), (1, 0), (0.5, 0.02))), 0.1),
    "star": (Polygon(STAR), 0.1),
    "channel": (Polygon(CHANNEL), 0.2),
    "slit": (Polygon(((0, 0), (1, 0), (1, 0.495), (0.5, 0.5), (1, 0.505), (1, 1), (0, 1))), 0.2),
    "64 holes": (Polygon(SQUARE, MANY), 0.1),
    "narrow between holes": (Polygon(SQUARE, (circle((0.3, 0.5), 0.1, 24), circle((0.501, 0.5), 0.1, 24))), 0.1),
    "far away": (Polygon(tuple((x + 1e6, y - 1e6) for x, y in L_SHAPE)), 0.2),
}


def least_angles(mesh: Simplices) -> np.ndarray:
    corners = mesh.nodes[mesh.cells]
    spans = [(corners[:, k - 2] - corners[:, k], corners[:, k - 1] - corners[:, k]) for k in range(3)]
    cosines = [(a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1) for a, b in spans]
    return np.degrees(np.arccos(np.max(cosines, axis=0)))


def sharp_corners(polygon: Polygon) -> np.ndarray:
    found = []
    for ring in polygon.rings:
        points = np.array(ring, float)
        ahead, behind = np.roll(points, -1, axis=0) - points, np.roll(points, 1, axis=0) - points
        lengths = np.linalg.norm(ahead, axis=1) * np.linalg.norm(behind, axis=1)
        found.append((ahead * behind).sum(axis=1) / lengths > cos(pi / 3) + 1e-9)
    return np.flatnonzero(np.concatenate(found))


@pytest.fixture(params=CASES, scope="module")
def case(request):
    polygon, h = CASES[request.param]
    return polygon, h, triangulated(polygon, h)


def test_the_triangles_fill_the_polygon(case):
    polygon, _, mesh = case
    assert mesh.volume == pytest.approx(polygon.area, rel=1e-9 if abs(polygon.outer[0][0]) > 1e5 else 1e-12)
    corners = mesh.nodes[mesh.cells]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    assert (one[:, 0] * two[:, 1] > one[:, 1] * two[:, 0]).all()
    assert len(np.unique(mesh.cells)) == len(mesh.nodes)
    assert np.array_equal(mesh.nodes[: len(polygon.segments)], polygon.segments[:, 0])


def test_the_boundary_is_that_of_the_triangles(case):
    _, _, mesh = case
    assert {tuple(sorted(f)) for f in mesh.facets} == {tuple(sorted(f)) for f in outer_facets(mesh.cells)}
    assert len(mesh.facets) == len(outer_facets(mesh.cells))


def test_each_part_is_where_its_edges_are(case):
    polygon, _, mesh = case
    assert mesh.parts == polygon.parts
    lengths = np.linalg.norm(polygon.segments[:, 1] - polygon.segments[:, 0], axis=1)
    for number, part in enumerate(mesh.parts):
        facets = mesh.on(part)
        assert mesh.areas[facets].sum() == pytest.approx(lengths[polygon.labels == number].sum(), rel=1e-9)
        middles = mesh.nodes[mesh.facets[facets]].mean(axis=1)
        gaps = [_gap(middles, *ends) for ends in polygon.segments[polygon.labels == number]]
        assert np.min(gaps, axis=0).max() < 1e-9


def _gap(points: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    span = stop - start
    way = np.clip((points - start) @ span / (span @ span), 0, 1)
    return np.linalg.norm(points - start - way[:, None] * span, axis=1)


def test_angles_are_wide_away_from_sharp_corners(case):
    polygon, h, mesh = case
    away = ~np.isin(mesh.cells, sharp_corners(polygon)).any(axis=1)
    assert least_angles(mesh)[away].min() >= 20
    assert mesh.h <= 1.5 * h


def test_triangles_grow_away_from_short_edges():
    coarse, fine = triangulated(PLATE, 0.5), triangulated(PLATE, 0.05)
    assert len(coarse.cells) < len(fine.cells) / 3
    size = np.sqrt(coarse.volumes)
    sides = np.sort(np.concatenate([np.delete(coarse.cells, k, axis=1) for k in range(3)]), axis=1)
    number = np.tile(np.arange(len(coarse.cells)), 3)
    order = np.lexsort(sides.T)
    same = (sides[order][1:] == sides[order][:-1]).all(axis=1)
    pairs = np.stack([number[order][1:][same], number[order][:-1][same]])
    ratio = np.abs(np.log(size[pairs[0]] / size[pairs[1]]))
    assert np.exp(np.quantile(ratio, 0.95)) < 1.4


def test_the_number_of_triangles_is_that_of_h():
    for h in (0.1, 0.05, 0.025):
        assert len(triangulated(Polygon(SQUARE), h).cells) == pytest.approx(4 / np.sqrt(3) / h**2, rel=0.2)


def test_it_is_the_same_each_time():
    assert triangulated(PLATE, 0.2) == triangulated(PLATE, 0.2)
    assert hash(PLATE) == hash(Polygon(PLATE.outer, PLATE.holes))


def test_random_polygons():
    for seed in range(12):
        random = np.random.default_rng(seed)
        count = random.integers(3, 16)
        turns, radii = np.sort(random.uniform(0, 2 * pi, count)), random.uniform(0.15, 1, count)
        polygon = Polygon(tuple(zip((radii * np.cos(turns)).tolist(), (radii * np.sin(turns)).tolist(), strict=True)))
        mesh = triangulated(polygon, 0.2)
        away = ~np.isin(mesh.cells, sharp_corners(polygon)).any(axis=1)
        assert least_angles(mesh)[away].min() >= 20
        assert mesh.volume == pytest.approx(polygon.area, rel=1e-12)


HOLE = circle((0.5, 0.5), 0.2, 8)
REFUSED = {
    "2 vertices": Polygon(((0, 0), (1, 0))),
    "hole1 has 2 vertices": Polygon(SQUARE, (((0.4, 0.4), (0.6, 0.6)),)),
    "the vertices 2 and 3 in one point \\(1, 0\\)": Polygon(((0, 0), (1, 0), (1, 0), (0, 1))),
    "the vertices 4 and 1 in one point": Polygon(((0, 0), (1, 0), (1, 1), (0, 0))),
    "no point of the plane": Polygon(((0, 0), (1, float("nan")), (1, 1))),
    "no area": Polygon(((0, 0), (1, 1), (2, 2))),
    "crosses or touches itself at \\(0.5, 0.5\\)": Polygon(((0, 0), (1, 1), (1, 0), (0, 1))),
    "outer polygon crosses or touches itself": Polygon(((0, 0), (2, 0), (1, 1), (1, 0), (0, 1))),
    "hole1 crosses or touches itself": Polygon(SQUARE, (((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)),)),
    "hole1 lies outside": Polygon(SQUARE, (circle((3.0, 0.5), 0.2, 8),)),
    "hole1 crosses or touches the outer": Polygon(SQUARE, (circle((1.0, 0.5), 0.2, 8),)),
    "hole2 crosses or touches the outer": Polygon(SQUARE, (HOLE, ((0, 0), (0.2, 0.1), (0.1, 0.2)))),
    "hole1 and hole2 touch or cross": Polygon(SQUARE, (HOLE, circle((0.6, 0.5), 0.2, 8))),
    "hole1 and hole3 touch or cross": Polygon(
        SQUARE, (HOLE, circle((0.1, 0.1), 0.05, 5), ((0.7, 0.5), (0.9, 0.4), (0.9, 0.6)))
    ),
    "hole1 and hole2 lie in each other": Polygon(SQUARE, (HOLE, circle((0.5, 0.5), 0.1, 8))),
    "hole1 and hole2 touch or cross:": Polygon(SQUARE, (HOLE, HOLE)),
    "the circle of hole1 meets the outer polygon": Polygon(SQUARE, (circle((0.2, 0.5), 0.3, 3),), ((0.2, 0.5, 0.22),)),
    "the circle of hole1 meets hole2": Polygon(
        SQUARE, (circle((0.3, 0.5), 0.1, 8), circle((0.52, 0.5), 0.1, 8)), ((0.3, 0.5, 0.115), (0.52, 0.5, 0.11))
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_no_polygon_is_refused(said):
    with pytest.raises(UserError, match=said):
        REFUSED[said].check()
    with pytest.raises(UserError, match=said):
        triangulated(REFUSED[said], 0.1)


@pytest.mark.parametrize("h", [0.0, -1.0, float("nan"), float("inf")])
def test_h_is_positive(h):
    with pytest.raises(UserError, match="positive"):
        triangulated(Polygon(SQUARE), h)
