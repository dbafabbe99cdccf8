import math

import numpy as np
import pytest
import skfem

import hpms
from hpms.coupling.weak_box import BoxWeakForm
from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.coarse.rules import axis_rule, element_rule
from hpms.study.fine import find_reference, known_to
from tests.problems import posed

LOCALLY_PERIODIC = "(1+x1*x2/2)*(2.5+sin(2*pi*x1/eps)*cos(2*pi*x2/eps)+0.8*sin(2*pi*(x1+x2)/eps))"
SMOOTH = ("problem.eps=0.1", "reference.h=1/200")  # soon solved, with a gap that is small beside 1e-2
MEDIA = {
    "osc2d": ("coefficient=osc2d", "problem.eps=0.05"),
    "locally periodic": ("coefficient=expression", f"coefficient.formula='{LOCALLY_PERIODIC}'", *SMOOTH),
    "oblique": ("coefficient=expression", "coefficient.formula='2.5+1.5*sin(2*pi*(x1+x2)/eps)'", "problem.eps=0.1"),
    "layers": ("coefficient=layered", "problem.eps=0.2", "reference.h=1/300"),
    "discs": ("coefficient=inclusions", "problem.eps=0.2"),
    "tensor": (
        "coefficient=tensor",
        "coefficient.entries={k11:2+sin(2*pi*x1/eps),k12:0.5,k22:2+0.5*cos(2*pi*x2/eps)}",
        *SMOOTH,
        "upscaling=tensor",
    ),
    "random": ("coefficient=lognormal", "problem.eps=0.2"),
    "reaction": (
        "problem=box",
        "problem.conditions={all:{dirichlet:x1}}",
        "coefficient=osc2d",
        *SMOOTH,
        "law.reaction='3*x1'",
    ),
    "values, fluxes, rates": (
        "problem=box",
        "problem.sides=[2,1]",
        "problem.conditions={left:{dirichlet:0},right:{robin:[2,1]},all:{neumann:x1}}",
        "coefficient=osc2d",
        "problem.eps=0.1",
        "reference.h=1/100",
    ),
    "fluxes alone": (
        "problem=box",
        "problem.conditions={left:{neumann:1},right:{neumann:-1},all:{neumann:0}}",
        "coefficient=osc2d",
        *SMOOTH,
        "source=expression",
        "source.formula=0",
    ),
    "periodic": (
        "problem=box",
        "problem.conditions={bottom:periodic,top:periodic,left:{dirichlet:0},right:{dirichlet:1}}",
        "coefficient=osc2d",
        *SMOOTH,
    ),
    "a line": ("problem.dim=1", "coefficient=osc1d", "problem.eps=0.05"),
    "a cube": (
        "problem.dim=3",
        "problem.eps=0.5",
        "coefficient=expression",
        "coefficient.formula='2.5+sin(2*pi*x1/eps)*sin(2*pi*x2/eps)+0.7*sin(2*pi*(x1+x3)/eps)'",
    ),
}

LONG = ("discs", "reaction", "locally periodic", "tensor", "values, fluxes, rates", "a cube", "fluxes alone")
LONGER = ("random", "osc2d", "oblique", "layers")
MARKS = dict.fromkeys(LONG, pytest.mark.thorough) | dict.fromkeys(LONGER, pytest.mark.slow)


def configured(name, *more):
    source = () if any(text.startswith("source") for text in MEDIA[name]) else ("source=expression", "source.formula=5")
    dim = () if any("problem.dim" in text for text in MEDIA[name]) else ("problem.dim=2",)
    return hpms.configure("+method=fast", *dim, *MEDIA[name], *source, "coupling=galerkin", *more)


@pytest.mark.parametrize(("dim", "multiple"), [(1, 1), (2, 2), (3, 1)])
def test_the_matrices_are_those_of_scikit_fem(dim, multiple):
    sides = (2.0, 1.0, 0.5)[:dim]
    space = Q1Space(sides, 0.25, [], multiple=multiple)
    mesh = {1: skfem.MeshLine, 2: skfem.MeshQuad, 3: skfem.MeshHex}[dim]
    element = {1: skfem.ElementLineP1, 2: skfem.ElementQuad1, 3: skfem.ElementHex1}[dim]
    axes = [np.linspace(0, side, n + 1) for side, n in zip(sides, space.counts, strict=True)]
    grid = mesh(*axes) if dim == 1 else mesh.init_tensor(*axes)
    basis = skfem.Basis(grid, element(), intorder=4)
    order = np.lexsort(basis.doflocs[::-1].round(9))
    np.testing.assert_allclose(basis.doflocs.T[order], space.nodes, atol=1e-12)
    for a in range(dim):
        for b in range(dim):
            form = skfem.BilinearForm(lambda u, v, _, a=a, b=b: v.grad[a] * u.grad[b])
            expected = form.assemble(basis).toarray()[np.ix_(order, order)]
            np.testing.assert_allclose(space.stiffness[a][b].toarray(), expected, atol=1e-12)
            parts = space.stiffness_in((multiple,) * dim)
            np.testing.assert_allclose(sum(part[a][b] for part in parts).toarray(), expected, atol=1e-12)


@pytest.mark.parametrize(("period", "is_box"), [(0.01, True), (0.2, False)])
def test_a_rule_sees_the_mean_of_what_repeats(period, is_box):
    """∫ σ·∇φ_i of σ = ((1 + x₂)(1 + cos(2πx₁/p)), 0), by boxes of a period or points an element."""
    space = Q1Space((1.0, 1.0), 1 / 8, [])
    rules = [axis_rule(n, h, period, True, 8) for n, h in zip(space.counts, space.widths, strict=True)]
    assert (rules[0].points.shape[2] > 1) == is_box
    rule = element_rule(space, rules, [])
    x = rule.points
    sigma = np.zeros((*x.shape[:-1], 3, 1))
    sigma[..., 0, 0] = (1 + x[..., 1]) * (1 + np.cos(2 * np.pi * x[..., 0] / period))
    found = rule.assembled(sigma.mean(axis=2), len(space.nodes))[:, 0]
    fine = skfem.Basis(skfem.MeshQuad.init_tensor(*[np.linspace(0, 1, 9)] * 2), skfem.ElementQuad1(), intorder=40)
    order = np.lexsort(fine.doflocs[::-1].round(9))
    wave = (lambda x: 1.0) if is_box else (lambda x: 1 + np.cos(2 * np.pi * x[0] / period))
    expected = skfem.LinearForm(lambda v, w: (1 + w.x[1]) * wave(w.x) * v.grad[0]).assemble(fine)[order]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in MEDIA])
def test_the_exact_solution_fulfils_it(name, tmp_path):
    config = configured(name, f"reference.cache={tmp_path}")
    problem = posed(config)
    found = config.coupling.trained_gap(known_to(config, problem, find_reference(config, problem)))
    assert found < 1e-2


def test_a_wrong_solution_does_not(tmp_path):
    config, other = (
        configured("periodic", "source=expression", f"source.formula={q}", f"reference.cache={tmp_path}")
        for q in (5, 6)
    )
    problem = posed(config)
    wrong = find_reference(other, posed(other))
    assert config.coupling.trained_gap(known_to(config, problem, wrong)) > 0.05


@pytest.mark.thorough
def test_boxes_are_taken_where_a_medium_about_repeats_and_points_as_many_as_it_needs():
    def shape(name, *more):
        config = configured(name, *more)
        form = BoxWeakForm(posed(config), 1 / 8, None, None)
        return form.rule.points.shape[1:3]

    assert shape("locally periodic", "problem.eps=0.01") == (4, 36)
    groups, each = shape("layers", "problem.eps=0.01")
    assert groups == 4 and each > 8
    assert shape("random", "problem.eps=0.05")[1] == 1
    assert shape("locally periodic")[1] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("coupling.spacing=0.005",), "coupling.spacing=0.005 is not allowed: its mesh has 40,401 nodes"),
        (("coupling.spacing=null", "coarse.h=0.01"), "coarse.h=0.01 is not allowed: its mesh has"),
        (("coupling.periods=[0.1]",), "coupling.periods=[0.1] is not allowed: give 2 lengths"),
        (("coupling.periods=[3,3]",), "coupling.periods=[3.0, 3.0] is not allowed: none may exceed its side 1"),
        (("coupling.points=1",), "coupling.points=1 is not allowed"),
        (("coupling.points=900",), "coupling.points=900 is not allowed: with meshes of the width 0.0833"),
    ],
)
def test_bad_values_are_one_sentence(more, said):
    with pytest.raises(hpms.errors.UserError) as error:
        hpms.build(configured("osc2d", *more))
    assert said in str(error.value) and len(str(error.value).splitlines()) == 1


def test_the_state_is_its_own_adjoint():
    built = hpms.build(configured("osc2d"))
    solver, form = built.solver, BoxWeakForm(built.problem, built.config.coupling.spacing, None, None)
    means = np.random.default_rng(0).normal(size=form.forcing.shape)
    residual, kappa = means + form.forcing, np.array([2.5])
    found = solver.solve(kappa, means)
    matrix = form.norm(np.eye(2)[None, None], (1, 1)).matrix(kappa)[form.space.interior][:, form.space.interior]
    np.testing.assert_allclose(matrix @ found.y, residual, atol=1e-10)
    np.testing.assert_allclose(found.p, -found.y)
    assert math.isclose(found.contraction[0], -float(np.vdot(found.y, residual)) / 2.5, rel_tol=1e-9)


def test_where_v_0_misses_little_the_weight_is_that_of_a_slope_without_corrector():
    """Of K = 2 + sin(2πx₁/ε) cos(2πx₂/ε) a slope misses ∂_aK, whose square has the mean (2π/ε)²/4; its energy is 2."""
    problem = (
        "problem=box",
        "problem.dim=2",
        "problem.eps=0.25",
        "source=constant",
        "collocation.interior_points=4000",
    )
    problem += ("problem.conditions={left:{dirichlet:0},right:{neumann:1},all:{neumann:0}}",)
    problem += ("coefficient=expression", "coefficient.formula='2+sin(2*pi*x1/eps)*cos(2*pi*x2/eps)'")
    config = hpms.configure("+method=small", *problem, "coupling.share=0.5", "reference=none")
    experiment = hpms.build(config)
    found = dict(zip(experiment.loss.names, experiment.taus, strict=True))["coupling"]
    assert found == pytest.approx(0.5 * (2 * np.pi / 0.25) ** 2 / 4 / 2, rel=0.02)
