"""Approximate distances to a polygon's edges, and functions that vanish there."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.fem.mesh.polygon import Polygon, circle, triangulated
from hpms.jet import Jet, entry, laplacian
from hpms.problem.distance import PolygonDistance, vanishing

SQUARE = Polygon(((0, 0), (1, 0), (1, 1), (0, 1)))
L_SHAPE = Polygon(((0, 0), (0, 2), (1, 2), (1, 1), (2, 1), (2, 0)))  # clockwise
PLATE = Polygon(((0, 0), (2, 0), (2, 1), (0, 1)), (circle((0.5, 0.5), 0.2, 12), circle((1.5, 0.5), 0.2, 7)[::-1]))
ROUND = Polygon(circle((3.0, 1.0), 1.0, 16), tuple(circle((2.6 + 0.2 * k, 1.0), 0.05, 5) for k in range(5)))
CASES = {"l-shape": L_SHAPE, "plate": PLATE, "round": ROUND}
_KNOWN: dict[int, PolygonDistance] = {}
FORMS = (laplacian(2), entry(0, 1), ((0, 0, 2.0), (1, 1, 0.5)))


def grouped(polygon: Polygon) -> list[tuple[str, ...]]:
    """Each edge and hole by itself, or where they are many all together."""
    count, found = len(polygon.outer), []
    for parts, most in ((polygon.parts[:count], 12), (polygon.parts[count:], 4)):
        found += [parts] if len(parts) > most else [(part,) for part in parts]
    return found


def place(polygon: Polygon, part: str) -> int:
    return next(k for k, group in enumerate(grouped(polygon)) if part in group)


def distances(polygon: Polygon) -> PolygonDistance:
    return PolygonDistance(polygon, grouped(polygon))


def every(distance: PolygonDistance) -> tuple[int, ...]:
    return tuple(range(len(distance.scales)))


@lru_cache(maxsize=32)
def _compiled(distance: int):
    found = _KNOWN[distance]
    return jax.jit(lambda x: (found.jet(x, every(found), FORMS), vanishing(found, x, every(found), None, FORMS)))


def _both(distance: PolygonDistance, x) -> tuple[Jet, Jet]:
    _KNOWN[id(distance)] = distance
    return _compiled(id(distance))(x)


def both(distance: PolygonDistance, x) -> tuple[Jet, Jet]:
    """The jets of the distances and of the product, compiled for one number of points."""
    parts = [_both(distance, x[jnp.arange(start, start + 64) % len(x)]) for start in range(0, len(x), 64)]
    return jax.tree.map(lambda *each: jnp.concatenate(each)[: len(x)], *parts)


def jets(distance: PolygonDistance, x) -> Jet:
    return both(distance, x)[0]


def lifts(distance: PolygonDistance, x) -> Jet:
    return both(distance, x)[1]


@pytest.fixture(params=CASES, scope="module")
def case(request):
    polygon = CASES[request.param]
    return polygon, distances(polygon), triangulated(polygon, 0.3)


@pytest.mark.parametrize(
    "dtype, near", [(jnp.float64, 1e-13), pytest.param(jnp.float32, 1e-5, marks=pytest.mark.thorough)]
)
def test_each_vanishes_on_its_group_alone(case, dtype, near):
    polygon, distance, mesh = case
    middles = mesh.nodes[mesh.facets].mean(axis=1)
    own = np.array([place(polygon, mesh.parts[label]) for label in mesh.labels])
    found = np.asarray(jets(distance, jnp.asarray(middles, dtype)).value)
    assert found.dtype == dtype
    here = own[:, None] == np.arange(len(distance.scales))
    assert np.abs(found[here]).max() < near
    assert found[~here].min() > 1e-3
    inside = mesh.nodes[mesh.cells].mean(axis=1)
    assert np.asarray(jets(distance, jnp.asarray(inside, dtype)).value).min() > 1e-3


@pytest.mark.parametrize(
    "dtype, near", [(jnp.float64, 1e-10), pytest.param(jnp.float32, 2e-3, marks=pytest.mark.thorough)]
)
def test_the_normal_derivative_is_1_on_the_boundary(case, dtype, near):
    polygon, distance, mesh = case
    middles = mesh.nodes[mesh.facets].mean(axis=1)
    own = np.array([place(polygon, mesh.parts[label]) for label in mesh.labels])
    jet = jets(distance, jnp.asarray(middles, dtype))
    slopes = np.stack([np.take_along_axis(np.asarray(g), own[:, None], axis=1)[:, 0] for g in jet.gradient], axis=1)
    assert np.abs(slopes + mesh.normals).max() < near


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32])
def test_nothing_is_nan_in_the_closed_domain(case, dtype):
    _, distance, mesh = case
    ends = mesh.nodes[mesh.facets]
    points = [mesh.nodes, *(ends[:, 0] + t * (ends[:, 1] - ends[:, 0]) for t in (1e-3, 0.3, 0.5))]
    x = jnp.asarray(np.concatenate(points), dtype)
    for jet in both(distance, x):
        assert all(np.isfinite(array).all() for array in jax.tree.leaves(jet))
    corner = jets(distance, x[: len(distance.starts)]).value
    assert np.abs(corner).min(axis=1).max() <= 4 * jnp.finfo(dtype).eps


def test_jets_are_those_of_differences(case):
    _, distance, mesh = case
    x = jnp.asarray(mesh.nodes[mesh.cells].mean(axis=1)[::5])
    for jet in (jets, lifts):
        _check(jet(distance, x), *_differences(lambda x, jet=jet: jet(distance, x), x))


def _differences(jet, x):
    step = 1e-5
    ahead, behind = ([jet(x + sign * step * axis) for axis in jnp.eye(2)] for sign in (1, -1))
    slopes = [(a.value - b.value) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
    bends = [
        [(a.gradient[i] - b.gradient[i]) / (2 * step) for i in range(2)] for a, b in zip(ahead, behind, strict=True)
    ]
    return slopes, bends


def _check(jet: Jet, slopes, bends) -> None:
    size = 1 + max(float(jnp.abs(bend).max()) for row in bends for bend in row)
    for found, expected in zip(jet.gradient, slopes, strict=True):
        assert np.allclose(found, expected, atol=1e-6 * size)
    for form, found in zip(FORMS, jet.second, strict=True):
        assert np.allclose(found, sum(c * bends[j][i] for i, j, c in form), atol=1e-6 * size)


def test_the_domain_beyond_a_slit_is_no_outside():
    slit = Polygon(((0, 0), (1, 0), (1, 0.499), (0.5, 0.5), (1, 0.501), (1, 1), (0, 1)))
    distance = distances(slit)
    lower = place(slit, "edge3")
    assert float(distance(jnp.array([0.75, 0.55]))[lower]) == pytest.approx(0.0505, rel=0.02)
    assert distance(jnp.array([0.75, 0.502]))[lower] > 0


def test_the_product_vanishes_and_is_about_1_in_the_middle():
    for polygon, middle in ((SQUARE, (0.5, 0.5)), (PLATE, (1.0, 0.5))):
        distance = distances(polygon)
        mesh = triangulated(polygon, 0.3)
        edge = jnp.asarray(mesh.nodes[mesh.facets].mean(axis=1))
        assert np.abs(lifts(distance, edge).value).max() < 1e-12
        assert 0.7 < float(lifts(distance, jnp.array([middle])).value[0, 0]) <= 1


def test_scales_are_those_given():
    distance, x = distances(SQUARE), jnp.array([[0.3, 0.01]])
    assert distance.scales == pytest.approx((0.25,) * 4)
    call = jax.jit(lambda scale: vanishing(distance, x, (0,), scale), static_argnums=0)
    phi = distance(x[0])[0]
    for scale, expected in ((0.5, 0.5), ((0.1,), 0.1), (None, 0.25)):
        assert np.allclose(call(scale).value, jnp.tanh(phi / expected))
    assert call(None).forms is None


def test_the_product_has_a_bounded_laplacian_at_a_corner_where_a_joined_distance_has_none():
    """At distances r -> 0 from the square's corner, along a line: of φ_1 φ_2, and of 16 joined edges, by 1/r."""
    radii = np.array([1e-2, 1e-3, 1e-4])
    x = jnp.asarray(radii[:, None] * np.array([np.cos(0.6), np.sin(0.6)]))
    product = np.asarray(lifts(distances(SQUARE), x).second[0])
    assert np.abs(product).max() < 1
    sides = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    cut = [
        tuple((a + k / 4 * (b - a)).tolist())
        for a, b in zip(sides, np.roll(sides, -1, 0), strict=True)
        for k in range(4)
    ]
    joined = distances(Polygon(tuple(cut)))
    for jet in (jets, lifts):
        found = np.abs(np.asarray(jet(joined, x).second[0])[:, 0])
        assert found[1:] / found[:-1] == pytest.approx(10, rel=0.1)


def test_the_product_at_an_oblique_corner():
    polygon = Polygon(((0, 0), (1, 0), (0.5, 0.8)))
    distance = distances(polygon)
    normals = np.array([[0, 1], [0.8, -0.5] / np.hypot(0.8, 0.5)])
    scales = np.array(distance.scales)[[0, 2]]
    x = jnp.array([[2e-5, 1e-5]])
    found = jax.jit(lambda x: vanishing(distance, x, (0, 2)))(x).laplacian[0, 0]
    assert float(found) == pytest.approx(2 * normals[0] @ normals[1] / scales.prod(), rel=1e-3)
