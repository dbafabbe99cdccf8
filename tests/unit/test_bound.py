import math
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.bound.bound import _on, error_bound
from hpms.bound.cells import Cells, cells, enough
from hpms.bound.equilibrated import FaceFlux, equilibrated
from hpms.bound.extension import extension
from hpms.bound.moments import moments
from hpms.errors import UserError
from hpms.study.measure import measure

CUBE = "2.5+sin(2*pi*x1/eps)*sin(2*pi*x2/eps)+0.7*sin(2*pi*(x1+x3)/eps)"
PROBLEMS = {
    "a line": ("problem.dim=1", "problem.eps=0.25", "coefficient=osc1d"),
    "a square": ("problem.dim=2", "problem.eps=0.25", "coefficient=osc2d"),
    "discs": ("problem.dim=2", "problem.eps=0.25", "coefficient=inclusions", "reference.h=1/300"),
    "a tensor": (
        "problem.dim=2",
        "problem.eps=0.25",
        "coefficient=tensor",
        "coefficient.entries={k11:2+sin(2*pi*x1/eps),k12:0.5,k22:2+0.5*cos(2*pi*x2/eps)}",
        "upscaling=tensor",
    ),
    "fluxes, rates, a reaction": (
        "problem=box",
        "problem.sides=[2,1]",
        "problem.eps=0.25",
        "problem.conditions={left:{dirichlet:0},right:{robin:[2,1]},all:{neumann:x1}}",
        "coefficient=osc2d",
        "law.reaction=1+x1",
    ),
    "a flux on a line": (
        "problem=box",
        "problem.dim=1",
        "problem.eps=0.25",
        "problem.conditions={left:{dirichlet:0},right:{robin:[1,2]}}",
        "coefficient=osc1d",
    ),
    "fluxes alone": (
        "problem=box",
        "problem.eps=0.25",
        "problem.conditions={left:{neumann:1},right:{neumann:-1},all:{neumann:0}}",
        "coefficient=osc2d",
        "source=expression",
        "source.formula=0",
    ),
    "periodic": (
        "problem=box",
        "problem.eps=0.5",
        "problem.conditions={bottom:periodic,top:periodic,left:{dirichlet:0},right:{dirichlet:1}}",
        "coefficient=osc2d",
    ),
    "a cube": (
        "problem.dim=3",
        "problem.eps=1",
        "coefficient=expression",
        f"coefficient.formula='{CUBE}'",
        "reference.h=1/16",
    ),
}
LONG = ("a tensor", "a cube", "fluxes, rates, a reaction", "periodic")
MARKS = {"discs": pytest.mark.slow, **dict.fromkeys(LONG, pytest.mark.thorough)}


@cache
def untrained(name, *more):
    """A network that is far off, in comparison with which the reference is exact."""
    source = (
        () if any(text.startswith("source") for text in PROBLEMS[name]) else ("source=expression", "source.formula=5")
    )
    network = ("network=mlp", "network.width=8", "network.depth=1")
    config = hpms.configure("+method=fast", *PROBLEMS[name], *source, *network, "collocation.interior_points=50", *more)
    built = hpms.build(config)
    return built, measure(config, built.problem)


def on(built, grid):
    """The bound on cells that are not made finer."""
    parts = built.loss.model, built.theta, built.problem, grid
    return _on(*parts, moments(*parts))


def energy_error(built, measured):
    found = measured.energy_error(built, built.theta, 500)["relative_energy_error"]
    exact = measured.exact.gradient + (0 if measured.exact.lift is None else measured.exact.lift[1])
    coefficient = built.problem.coefficient_at()(measured.points)
    tensor = coefficient[:, None, None] * np.eye(exact.shape[2]) if coefficient.ndim == 1 else coefficient
    squares = found**2 * np.einsum("m,mla,mab,mlb->", measured.weights, exact, tensor, exact)
    return math.sqrt(squares + (0 if built.problem.law.reaction is None else rates(built, measured)))


def rates(built, measured):
    """∫ (1 + x₁) e² + ∫ 2 e² on the right."""
    points, weights = measured.points, measured.weights
    edge = np.stack([np.full(400, 2.0), (np.arange(400) + 0.5) / 400], axis=1)
    jet = built.loss.model(built.theta).jet
    inside = np.asarray(jet(jnp.asarray(points)).value) - measured.exact.value
    there = np.asarray(jet(jnp.asarray(edge)).value) + built.problem.lifted(edge)[0]
    there = there[:, 0] - measured.exact.reference.evaluate(edge)[0]
    return weights @ ((1 + points[:, 0]) * inside[:, 0] ** 2) + 2 * np.mean(there**2)


@pytest.mark.parametrize("name", [pytest.param(n, marks=MARKS.get(n, ())) for n in PROBLEMS])
def test_it_is_above_the_error_and_not_far(name):
    built, measured = untrained(name)
    found, error = built.bound(built.theta), energy_error(built, measured)
    assert found.is_bound
    assert 0.995 * error <= found.energy <= 1.3 * error
    assert found.parts.sum() == pytest.approx(found.energy**2, rel=1e-3)


@pytest.mark.parametrize(
    "name",
    [
        "a line",
        "a square",
        pytest.param("a tensor", marks=pytest.mark.thorough),
        pytest.param("a cube", marks=pytest.mark.slow),
        pytest.param("fluxes, rates, a reaction", marks=pytest.mark.thorough),
    ],
)
def test_values_that_are_missed_are_part_of_it(name):
    built, measured = untrained(name, "boundary=soft", "collocation.boundary_points=50")
    found, error = built.bound(built.theta), energy_error(built, measured)
    assert found.is_bound
    assert 0.995 * error <= found.energy <= 1.3 * error
    assert found.parts.sum() == pytest.approx(found.energy**2, rel=1e-3)


@pytest.mark.thorough
def test_the_l2_error_is_bounded_where_values_are_missed():
    """v = -0.1 where w* = sin(πx): both parts add up."""
    own = ("problem=box", "problem.dim=1", "problem.conditions={left:{dirichlet:0},right:{dirichlet:0}}")
    problem = (*own, "coefficient=constant", "source=expression", "source.formula=pi**2*sin(pi*x1)")
    config = hpms.configure("+method=fast", *problem, "problem.eps=1", "network=mlp", "boundary=soft")
    built = hpms.build(config)
    theta = jnp.zeros_like(built.theta).at[-1].set(-0.1)
    assert np.allclose(np.asarray(built.loss.model(theta).jet(jnp.ones((1, 1))).value), -0.1)
    found = built.bound(theta)
    assert found.l2 >= math.sqrt(0.5 + 0.01 + 0.4 / math.pi)
    assert found.energy >= math.sqrt(math.pi**2 / 2) * 0.999


@pytest.mark.thorough
def test_a_medium_finer_than_eps_is_seen_by_what_is_missed():
    fine = ("coefficient.formula='exp(4*sin(16*pi*x1/eps))'", "coefficient.periods=[eps/8,1]")
    problem = ("problem.dim=2", "problem.eps=0.25", "coefficient=expression", *fine, "source.formula=1")
    config = hpms.configure("+method=fast", *problem, "network=mlp", "network.width=8", "boundary=soft")
    built = hpms.build(config)
    held, periods = np.ones((2, 2), bool), built.problem.coefficient.periods
    few, many = (extension(built.loss.model, built.theta, built.problem, held, periods, n) for n in (2e4, 2e6))
    assert not few.is_resolved and many.is_resolved and few.total > 1.2 * many.total


@pytest.mark.thorough
def test_values_that_differ_on_faces_that_meet_have_an_estimate():
    own = ("problem=box", "problem.dim=2", "problem.eps=0.5", "coefficient=osc2d", "source=constant", "network=mlp")
    for given, said in (
        ("{left:{dirichlet:0},bottom:{dirichlet:x1},all:{neumann:0}}", "given values differ on faces that meet"),
        ("{left:{dirichlet:0},right:{dirichlet:x2},all:{neumann:0}}", ""),
        ("{left:{dirichlet:x2},bottom:{dirichlet:x2},all:{neumann:0}}", ""),
    ):
        assert hpms.build(hpms.configure("+method=fast", *own, f"problem.conditions={given}")).roughness == said


def test_it_is_none_without_the_values_that_are_missed():
    built, measured = untrained("a square", "boundary=soft", "collocation.boundary_points=50")
    found = built.bound(built.theta)
    assert math.sqrt(found.energy**2 - found.boundary**2) < energy_error(built, measured)


@pytest.mark.thorough
def test_a_coefficient_with_a_kink_has_an_estimate():
    formula = ("coefficient=expression", "coefficient.formula=2+abs(sin(2*pi*x1/eps))", "problem.dim=1")
    config = hpms.configure("+method=fast", *formula, "problem.eps=0.5", "source.formula=1", "network=mlp")
    built = hpms.build(config)
    found = built.bound(built.theta)
    assert found.lacks == "the coefficient's formula may have jumps or kinks"


def test_a_map_has_the_square_of_the_bound_as_its_integral():
    built, measured = untrained("a square")
    found = built.bound(built.theta)
    where = found.density(measured.points)
    assert float(measured.weights @ where**2) == pytest.approx(found.energy**2, rel=2e-2)
    counts = np.array(found.parts.shape)
    assert (counts <= 64).all()
    peak = (np.array(np.unravel_index(found.parts.argmax(), found.parts.shape)) + 0.5) / counts
    assert found.density(peak[None])[0] == pytest.approx(math.sqrt(found.parts.max() * found.parts.size))


@pytest.mark.parametrize(("name", "count"), [("a line", 8), ("periodic", 6)])
def test_neither_part_alone_is_a_bound(name, count):
    built, measured = untrained(name)
    dim, error = built.problem.domain.dim, energy_error(built, measured)
    grid = Cells((1.0,) * dim, (count,) * dim, (0.25,) * dim, 12)
    found = on(built, grid)
    assert found.oscillation < error and found.carried < error < found.energy


def test_it_falls_with_the_cells_to_the_error():
    built, measured = untrained("a square")
    bounds = [on(built, Cells((1.0, 1.0), (n, n), (0.5, 0.25), 48 // n * 2)).energy for n in (6, 12, 24)]
    assert bounds[0] > bounds[1] > bounds[2] > 0.995 * energy_error(built, measured)


def test_the_l2_error_is_bounded_too():
    built, measured = untrained("a square")
    value = np.asarray(built.loss.model(built.theta).jet(jnp.asarray(measured.points)).value)
    error = math.sqrt(float(measured.weights @ np.sum((value - measured.exact.value) ** 2, axis=1)))
    assert error <= built.bound(built.theta).l2


@pytest.mark.parametrize("counts", [(20,), (12, 9), (6, 5, 4)])
def test_a_flux_carries_what_it_is_given(counts):
    random, dim = np.random.default_rng(0), len(counts)
    grid = Cells((2.0, 1.0, 1.5)[:dim], counts, (1.0,) * dim)
    density, reaction = random.normal(size=counts), random.random(counts)
    beside = int(np.prod(counts[1:]))
    faces = {(0, 1): FaceFlux(random.normal(size=beside), random.random(beside))}
    resistance = [np.exp(random.normal(size=counts)) for _ in counts]
    periodic = (1,) if dim > 1 else ()
    found = equilibrated(grid, density, resistance, reaction, faces, periodic)
    sides = zip(found.low, found.high, grid.widths, strict=True)
    divergence = sum((high - low) / width for low, high, width in sides)
    np.testing.assert_allclose(reaction * found.pressure - divergence, density, atol=1e-6)
    given, rate = faces[0, 1].value, faces[0, 1].rate
    np.testing.assert_allclose(found.high[0][-1].ravel(), given - rate * found.trace[0, 1].ravel(), atol=1e-9)
    for axis in range(dim):
        inner = np.moveaxis(found.high[axis], axis, 0)[:-1], np.moveaxis(found.low[axis], axis, 0)[1:]
        np.testing.assert_allclose(*inner)


def test_cells_follow_the_periods_and_what_is_allowed():
    grid = cells((2.0, 1.0), (0.1, 0.05), 1e6)
    assert grid.resolves and grid.counts == (60, 60)
    few = cells((2.0, 1.0), (0.001, 0.001), 1e4)
    assert not few.resolves and few.points < 1.2e4
    assert cells((1.0,), (0.5,), 1e6).counts == (16,)
    assert enough((1.0, 1.0), (0.001, 0.001), 1e9) == 2 * 9000**2
    assert enough((1.0, 1.0), (0.0001, 0.0001), 1e8) == 2e6
    assert enough((1.0, 1.0), (0.5, 0.5), 1e9) == 2e6 and enough((1.0, 1.0), (0.001, 0.001), 1e8) == 1e8


@pytest.mark.thorough
def test_a_goal_that_is_far_away_is_told_by_fewer_points():
    built = hpms.build(hpms.configure("+method=fast", *PROBLEMS["a square"], "problem.eps=0.01", "network=mlp"))
    arguments = built.loss.model, built.theta, built.problem, 4e5
    assert error_bound(*arguments).points > 3e5
    assert error_bound(*arguments, 0.01).points < 1e5


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("training.accuracy=0",), "training.accuracy=0 is not allowed"),
        (("training.accuracy=0.1", "training.bound_points=0"), "training.accuracy=0.1 is not allowed: training.bound"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(more, said):
    with pytest.raises(UserError) as error:
        hpms.configure("+method=fast", *PROBLEMS["a square"], *more)
    assert said in str(error.value) and len(str(error.value).splitlines()) == 1


def test_a_long_line_has_its_flux_at_once():
    count = 200_000
    grid = Cells((1.0,), (count,), (0.01,))
    density = np.cos(np.linspace(0, 9, count))
    found = equilibrated(grid, density, [np.ones(count)], np.zeros(count), {}, ())
    assert np.abs(found.rest).max() < 1e-3 * np.abs(density).max()
    floating = {face: FaceFlux(np.zeros(1), np.zeros(1)) for face in ((0, 0), (0, 1))}
    density = density[:300] - density[:300].mean()
    few = Cells((1.0,), (300,), (0.01,))
    for fluxes, periodic in ((floating, ()), ({}, (0,))):
        found = equilibrated(few, density, [np.ones(300)], np.zeros(300), fluxes, periodic)
        assert np.abs(found.rest).max() < 1e-9


@pytest.mark.thorough
def test_what_points_do_not_see_is_no_bound():
    """Layers that are thin beside ε: with as few points as a period asks for the number is an estimate."""
    config = hpms.configure(
        *("+method=fast", "problem.dim=1", "problem.eps=0.1", "source.formula=1", "network=mlp"),
        *("coefficient=layered", "coefficient.high=100", "coefficient.smoothing=0.02"),
    )
    built = hpms.build(config)
    few, many = (error_bound(built.loss.model, built.theta, built.problem, most) for most in (200, 1e6))
    assert not few.is_bound and many.is_bound
    error = energy_error(built, measure(config, built.problem))
    assert 0.99 * error <= many.energy <= 1.3 * error
