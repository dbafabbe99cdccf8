"""Values, fluxes and Robin conditions on the faces of boxes: manufactured solutions, with the elements' rates."""

from dataclasses import replace

import numpy as np
import pytest

from hpms.fem.fine.mixed import BoxProblem, Flux, MixedElements, MixedQuadrature, Value
from hpms.fem.fine.semilinear import SemilinearElements
from hpms.fem.validation import validation_points

SIDES = {1: (1.5,), 2: (2.0, 1.0), 3: (1.0, 0.5, 0.75)}
FREQUENCIES = np.array([1.3, 2.1, 1.7])


def w(x):
    return np.sin(x @ FREQUENCIES[: x.shape[1]] + 0.4)


def slope(x):
    frequencies = FREQUENCIES[: x.shape[1]]
    return np.cos(x @ frequencies + 0.4)[:, None] * frequencies


def k(x):
    return 2 + np.sin(2 * x[:, 0])


def q(x):
    """-∇·(K∇w)."""
    return k(x) * w(x) * (FREQUENCIES[: x.shape[1]] ** 2).sum() - 2 * np.cos(2 * x[:, 0]) * slope(x)[:, 0]


def rate(x):
    return 1 + x[:, -1]


def zero(x):
    return np.zeros(len(x))


def problem(dim, kinds):
    """The face across the axis i at its low and high end has condition kinds[2i], kinds[2i + 1]."""
    conditions = {}
    for i, kind in enumerate(kinds[: 2 * dim]):
        axis, end = divmod(i, 2)
        a = rate if kind == "robin" else zero
        flux = Flux(a, lambda x, axis=axis, n=2 * end - 1, a=a: n * k(x) * slope(x)[:, axis] + a(x) * w(x))
        conditions[axis, end] = Value(w) if kind == "value" else flux
    return BoxProblem(SIDES[dim], conditions)


KINDS = [
    ("value", "value", "value", "value", "value", "value"),
    ("value", "flux", "flux", "flux", "robin", "flux"),
    ("flux", "robin", "value", "robin", "flux", "value"),
    ("robin", "flux", "flux", "flux", "flux", "flux"),
]


def errors(dim, found):
    rng, sides = np.random.default_rng(0), np.array(SIDES[dim])
    points = rng.random((4000, dim)) * sides
    value, gradient = found.evaluate(points)
    l2 = np.sqrt(np.mean((value - w(points)) ** 2))
    return l2, np.sqrt(np.mean((gradient - slope(points)) ** 2))


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
@pytest.mark.parametrize(("dim", "degree", "n"), [(1, 1, 20), (2, 1, 16), (2, 2, 6), (3, 1, 8), (3, 2, 4)])
def test_elements_have_their_rates(dim, degree, n, kinds):
    way = MixedElements(problem(dim, kinds), degree)
    coarse, fine = (errors(dim, way.solve(count, k, q).lifted[0]) for count in (n, 2 * n))
    assert np.log2(coarse[0] / fine[0]) == pytest.approx(degree + 1, abs=0.35)
    assert np.log2(coarse[1] / fine[1]) == pytest.approx(degree, abs=0.25)


def term(there):
    """s = sinh 5w + x₁w³ and ∂s/∂w."""
    first, value = there[:, 0], there[:, -1]
    both = np.sinh(5 * value) + first * value**3, 5 * np.cosh(5 * value) + 3 * first * value**2
    return np.stack(both, axis=1)


@pytest.mark.parametrize(("dim", "degree", "n"), [(1, 1, 20), (1, 2, 8), (2, 1, 16), (2, 2, 6), (3, 2, 4)])
def test_newtons_method_keeps_the_rates(dim, degree, n):
    way = SemilinearElements(replace(problem(dim, KINDS[2]), term=term), degree)

    def source(x):
        return q(x) + term(np.column_stack([x, w(x)]))[:, 0]

    coarse, fine = (errors(dim, way.solve(count, k, source).lifted[0]) for count in (n, 2 * n))
    assert np.log2(coarse[0] / fine[0]) == pytest.approx(degree + 1, abs=0.35)
    assert np.log2(coarse[1] / fine[1]) == pytest.approx(degree, abs=0.25)


def test_newtons_method_goes_back_where_a_step_is_too_long():
    """-(w')' + sinh 40w = 1e6, of which the first step of Newton's method leads to sinh of some thousands."""
    box = BoxProblem((1.0,), {(0, end): Value(zero) for end in (0, 1)})
    steep = replace(box, term=lambda x: np.stack([np.sinh(40 * x[:, 1]), 40 * np.cosh(40 * x[:, 1])], axis=1))
    with np.errstate(over="ignore"):
        found = SemilinearElements(steep, 1).solve(12, lambda x: 1 + zero(x), lambda x: 1e6 + zero(x)).lifted[0]
    assert found.evaluate(np.array([[0.5]]))[0] == pytest.approx(np.arcsinh(1e6) / 40, rel=1e-3)


@pytest.mark.parametrize("kinds", KINDS, ids="-".join)
def test_quadrature_in_one_dimension_is_exact(kinds):
    way = MixedQuadrature(problem(1, kinds))
    found = way.solve(16, k, q).lifted[0]
    assert max(errors(1, found)) < 1e-11
    size = np.linspace(0, SIDES[1][0], 20_001)[:, None]
    norms = [np.sqrt(np.trapezoid(f**2, size[:, 0])) for f in (w(size), slope(size)[:, 0])]
    assert found.norms() == pytest.approx(norms, rel=1e-7)


@pytest.mark.parametrize(("dim", "degree", "n"), [(2, 1, 16), (2, 2, 6), (3, 2, 4)])
def test_a_periodic_axis_joins_its_ends(dim, degree, n):
    """w = x₁ cos(2πx_d/s_d + 1) with its values at x₁ = 0 and s₁, and for d = 3 no flux across x₂."""
    turn = 2 * np.pi / SIDES[dim][-1]

    def periodic(x):
        return x[:, 0] * np.cos(turn * x[:, -1] + 1)

    def gradient(x):
        found = np.zeros_like(x)
        found[:, 0], found[:, -1] = np.cos(turn * x[:, -1] + 1), -turn * x[:, 0] * np.sin(turn * x[:, -1] + 1)
        return found

    def medium(x):
        return 2 + np.sin(turn * x[:, -1])

    def source(x):
        return medium(x) * turn**2 * periodic(x) - turn * np.cos(turn * x[:, -1]) * gradient(x)[:, -1]

    conditions = {(0, end): Value(periodic) for end in (0, 1)} | {(1, end): Flux(zero, zero) for end in (0, 1)}
    given = {face: each for face, each in conditions.items() if face[0] < dim - 1}
    way = MixedElements(BoxProblem(SIDES[dim], given, (dim - 1,)), degree)
    points = np.random.default_rng(0).random((4000, dim)) * np.array(SIDES[dim])
    errors = []
    for count in (n, 2 * n):
        value, slope = way.solve(count, medium, source).lifted[0].evaluate(points)
        errors.append(
            [np.sqrt(np.mean((value - periodic(points)) ** 2)), np.sqrt(np.mean((slope - gradient(points)) ** 2))]
        )
    rates = np.log2(np.array(errors[0]) / errors[1])
    assert rates == pytest.approx([degree + 1, degree], abs=0.4)


def test_norms_and_own_errors_of_a_box():
    way = MixedElements(problem(2, KINDS[1]), 2)
    fine, wide = (way.solve(n, k, q).lifted[0] for n in (16, 8))
    grid = np.stack(np.meshgrid(*[(np.arange(400) + 0.5) / 400] * 2, indexing="ij"), axis=-1).reshape(-1, 2) * SIDES[2]
    volume = np.prod(SIDES[2])
    norms = np.sqrt(volume * np.mean(w(grid) ** 2)), np.sqrt(volume * np.mean((slope(grid) ** 2).sum(axis=1)))
    assert fine.norms() == pytest.approx(norms, rel=1e-4)
    own, true = np.array(way.own_errors(16, fine, wide)), np.array(errors(2, fine)) * np.sqrt([volume, 2 * volume])
    assert (own > 0.5 * true).all() and (own < 2 * true).all()


@pytest.mark.parametrize(("dim", "n"), [(1, 16), (2, 16)])
def test_a_constant_that_nothing_fixes_makes_the_mean_zero(dim, n):
    box = problem(dim, ("flux",) * 4)
    for way in [MixedElements(box, 2), *([MixedQuadrature(box)] if dim == 1 else [])]:
        found = way.solve(n, k, q).lifted[0]
        points, weights = validation_points(dim, 0.5)
        places = points * np.array(SIDES[dim])
        value, gradient = found.evaluate(places)
        assert abs(weights @ value) < 1e-6
        np.testing.assert_allclose(value, w(places) - weights @ w(places), atol=2e-4)
        assert np.sqrt(np.mean((gradient - slope(places)) ** 2)) < 2e-2
