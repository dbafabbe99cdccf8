"""Values, fluxes and Robin conditions on meshed domains: manufactured solutions, with the elements' rates."""

import numpy as np
import pytest
import skfem

from hpms.errors import UserError
from hpms.fem.fine.baseline import baseline
from hpms.fem.fine.mixed import BoxProblem, Flux, Value, solve_mixed
from hpms.fem.fine.reference import reference
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.mesh.cells import baseline_parts, reference_parts
from hpms.fem.mesh.field import MeshField
from hpms.fem.mesh.method import MeshElements
from hpms.fem.mesh.problem import MeshProblem, solve_on_mesh
from hpms.fem.mesh.simplices import Simplices, outer_facets
from hpms.fem.mesh.space import MeshSpace, rule

FREQUENCIES, CORNER = np.array([0.9, 1.4, 1.1]), -1.0
TENSOR = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 1.5]])
PARTS = ("low", "high", "rest")


def w(x):
    return np.sin(x @ FREQUENCIES[: x.shape[1]] + 0.4)


def slope(x):
    frequencies = FREQUENCIES[: x.shape[1]]
    return np.cos(x @ frequencies + 0.4)[:, None] * frequencies


def number(x):
    return 2 + np.sin(2 * x[:, 0])


def tensor(x):
    dim = x.shape[1]
    return number(x)[:, None, None] * TENSOR[:dim, :dim]


def flux(k, x):
    return number(x)[:, None] * slope(x) @ (np.eye(x.shape[1]) if k is number else TENSOR[: x.shape[1], : x.shape[1]])


def reaction(x):
    return 1 + x[:, 0] ** 2


def source(k, c):
    """-∇·(K∇w) + c w."""

    def q(x):
        dim = x.shape[1]
        a, f = np.eye(dim) if k is number else TENSOR[:dim, :dim], FREQUENCIES[:dim]
        found = number(x) * w(x) * (f @ a @ f) - 2 * np.cos(2 * x[:, 0]) * (slope(x) @ a)[:, 0]
        return found if c is None else found + c(x) * w(x)

    return q


def rate(x):
    return 2 + x[:, -1]


def zero(x):
    return np.zeros(len(x))


def meshed(mesh):
    """The parts: `low` where x₁ is least, `high` where x_d is largest, and the rest; placed away from the origin."""
    nodes, cells = mesh.p.T, mesh.t.T
    facets = outer_facets(cells)
    middles = nodes[facets].mean(axis=1)
    low, high = middles[:, 0] < nodes[:, 0].min() + 1e-9, middles[:, -1] > nodes[:, -1].max() - 1e-9
    return Simplices(nodes + CORNER, cells, facets, np.where(low, 0, np.where(high, 1, 2)), PARTS)


def tetrahedra():
    """A cube without a quarter, sheared along x₂."""
    cube = skfem.MeshTet().refined(1)
    kept = (cube.p[0, cube.t].mean(axis=0) < 0.5) | (cube.p[2, cube.t].mean(axis=0) < 0.5)
    cells = cube.t[:, kept]
    used, number = np.unique(cells, return_inverse=True)
    return skfem.MeshTet(cube.p[:, used] + 0.2 * cube.p[2, used] * np.eye(3)[:, 1:2], number.reshape(cells.shape))


MESHES = {2: meshed(skfem.MeshTri.init_lshaped()), 3: meshed(tetrahedra())}
KINDS = [("value", "value", "value"), ("value", "flux", "robin"), ("flux", "robin", "value"), ("robin", "flux", "flux")]


def normals(mesh, part, points):
    """Those of the nearest facets of a part."""
    chosen = mesh.on(part)
    first, normal = mesh.nodes[mesh.facets[chosen, 0]], mesh.normals[chosen]
    corners = mesh.nodes[mesh.facets[chosen]]
    distance = np.abs(np.einsum("pfd,fd->pf", points[:, None] - first, normal))
    away = np.linalg.norm(points[:, None] - corners.mean(axis=1), axis=2)
    return normal[np.where(distance < 1e-9, away, np.inf).argmin(axis=1)]


def problem(mesh, kinds, k, c=None):
    conditions = {}
    for part, kind in zip(PARTS, kinds, strict=True):
        a = rate if kind == "robin" else zero

        def given(x, part=part, a=a):
            return np.einsum("pd,pd->p", flux(k, x), normals(mesh, part, x)) + a(x) * w(x)

        conditions[part] = Value(w) if kind == "value" else Flux(a, given)
    return MeshProblem(mesh, conditions, c)


def errors(field):
    space = field.space
    barycentric, weights = rule(space.dim, 2 * space.degree)
    points = space.mesh.places(barycentric).reshape(-1, space.dim)
    share = (space.mesh.volumes[:, None] * weights).ravel()
    value, gradient = field.evaluate(points)
    return np.sqrt([share @ (value - w(points)) ** 2, share @ ((gradient - slope(points)) ** 2).sum(axis=1)])


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@pytest.mark.parametrize(("dim", "degree", "n"), [(2, 1, 8), (2, 2, 4), (3, 1, 4), (3, 2, 2)])
def test_elements_have_their_rates(dim, degree, n, kinds):
    for k, c in ((number, None), (tensor, reaction)):
        way = MeshElements(problem(MESHES[dim], kinds, k, c), degree)
        found = [way.solve(count, k, source(k, c)).lifted[0] for count in (n, 2 * n)]
        wide, fine = (errors(each) for each in found)
        assert np.log2(wide / fine) == pytest.approx([degree + 1, degree], abs=0.4)
        own = np.array(way.own_errors(2 * n, found[1], found[0]))
        assert (own > fine / 3).all() and (own < 3 * fine).all()


def test_the_square_is_solved_as_a_box():
    square = skfem.MeshTri.init_tensor(*[np.linspace(0, 1, 17)] * 2)
    cells = square.t.T
    facets = outer_facets(cells)
    left = square.p.T[facets][..., 0].max(axis=1) < 1e-12
    mesh = Simplices(square.p.T, cells, facets, np.where(left, 0, 1), ("left", "rest"))
    robin = Flux(rate, w)
    on_mesh = MeshProblem(mesh, {"left": Value(w), "rest": robin}, reaction)
    box = BoxProblem((1.0, 1.0), {(0, 0): Value(w), (0, 1): robin, (1, 0): robin, (1, 1): robin}, reaction=reaction)
    points = np.random.default_rng(0).random((2000, 2))
    for k in (number, tensor):
        found = solve_on_mesh(mesh.refined(2), 2, k, w, on_mesh).lifted[0].values(points)
        known = solve_mixed(LagrangeSpace(2, 64, 2), k, w, box).lifted[0].values(points)
        np.testing.assert_allclose(found, known, atol=1e-6)


@pytest.mark.parametrize(("dim", "n"), [(2, 8), (3, 4)])
def test_a_constant_that_nothing_fixes_makes_the_mean_zero(dim, n):
    mesh = MESHES[dim]
    way = MeshElements(problem(mesh, ("flux",) * 3, number), 2)
    found = way.solve(n, number, source(number, None)).lifted[0]
    barycentric, weights = rule(dim, 5)
    points = mesh.refined(3).places(barycentric).reshape(-1, dim)
    share = (mesh.refined(3).volumes[:, None] * weights).ravel()
    value, _ = found.evaluate(points)
    assert abs(share @ value) < 1e-10
    assert np.abs(value - w(points) + share @ w(points) / mesh.volume).max() < 5e-3


@pytest.mark.parametrize(("dim", "degree"), [(2, 1), (2, 2), (3, 1), (3, 2)])
def test_a_field_is_the_same_on_the_refined_mesh(dim, degree):
    wide, fine = (MeshSpace(MESHES[dim].refined(times), degree) for times in (1, 2))
    field = MeshField(wide, np.random.default_rng(0).normal(size=wide.size))
    again = MeshField(fine, field.refined(fine))
    points = fine.mesh.places(np.full((1, dim + 1), 1 / (dim + 1)))[:, 0]
    for one, other in zip(field.evaluate(points), again.evaluate(points), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)
    assert field.norms() == pytest.approx(again.norms(), rel=1e-12)
    np.testing.assert_allclose(field.values(wide.nodes), field.data, atol=1e-10)


def test_a_field_knows_no_point_outside():
    field = MeshField(MeshSpace(MESHES[2], 1), np.zeros(len(MESHES[2].nodes)))
    with pytest.raises(ValueError, match="outside the mesh"):
        field.values(np.array([[0.7, 0.7]]) + MESHES[2].sides)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_the_size_is_that_of_the_space(dim, degree):
    way = MeshElements(problem(MESHES[dim], KINDS[0], number), degree)
    for n in (1, 2, 4):
        assert way.size(n) == way.field(n, np.zeros(int(way.size(n)))).data.size


def test_edges_are_divided_until_they_are_short_enough(monkeypatch):
    way = MeshElements(problem(MESHES[2], KINDS[0], number), 2)
    h = MESHES[2].h
    assert [reference_parts(way, 1.0, h / n) for n in (0.5, 2, 3, 4, 5)] == [2, 2, 4, 4, 8]
    assert [baseline_parts(MeshElements(way.problem, 1), h / n) for n in (0.5, 1, 3, 4)] == [1, 1, 4, 4]
    assert reference_parts(way, 1.0, None) == 64
    assert way.size(reference_parts(way, 1e-4, None)) <= 1e6 < way.size(2 * reference_parts(way, 1e-4, None))
    with pytest.raises(UserError, match=r"reference\.h=0\.0001 asks for"):
        reference_parts(way, 1.0, 1e-4)
    assert way.size(baseline_parts(way, 1e-4)) <= 1e6 < way.size(2 * baseline_parts(way, 1e-4))
    monkeypatch.setattr("hpms.fem.mesh.cells.MOST", way.size(2) - 1)
    with pytest.raises(UserError, match="give a wider one"):
        reference_parts(way, 1.0, None)


def test_reference_and_baseline_on_a_mesh(tmp_path):
    given = problem(MESHES[2], KINDS[1], number)

    def find(mesh_problem=given):
        return reference(
            2, 0.5, number, source(number, None), method="auto", h=0.1, box=mesh_problem, delta=0.2,
            cache_dir=tmp_path, key="medium",
        )  # fmt: skip

    def compare(exact):
        return baseline(
            2, number, source(number, None), h=0.1, exact=exact.lifted, box=given, cache_dir=tmp_path, key="medium"
        )

    found, again = find(), find()
    assert (found.method, found.h, found.cached, again.cached) == ("p2", MESHES[2].h / 16, False, True)
    space = MeshSpace(MESHES[2].refined(4), 2)
    assert found.norm_l2 == pytest.approx(MeshField(space, w(space.nodes)).norms()[0], rel=1e-4)
    assert np.isnan([found.upscaled_coefficient[0, 0], found.interior_gap, found.coarse_norm_l2]).all()
    assert not found.coarse.data.any()
    np.testing.assert_array_equal(found.fine.data, again.fine.data)
    fem, stored = compare(again), compare(again)
    way = MeshElements(given, 1)
    true = errors(way.solve(16, number, source(number, None)).lifted[0]) / [found.norm_l2, found.norm_h1]
    assert [fem.relative_l2, fem.relative_h1] == pytest.approx(true, rel=0.1)
    assert (fem.h, fem.cached, stored.cached) == (MESHES[2].h / 16, False, True)
    other = find(MeshProblem(MESHES[2].refined(), given.conditions))
    assert not other.cached and other.h == found.h
    with pytest.raises(ValueError, match="not a method on meshes"):
        reference(
            2, 0.5, number, number, method="layered", h=None, periods=(1.0, 1.0), box=given, delta=0.2,
            cache_dir=tmp_path, key="layers",
        )  # fmt: skip
