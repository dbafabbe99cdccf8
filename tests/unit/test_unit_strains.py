"""All unit strains at once, and the upscaled stiffness that they give."""

import jax.numpy as jnp
import numpy as np
import pytest

from hpms.coupling.coarse import coarse_problem, stacked, unstacked
from hpms.coupling.upscaling.stiffness import Stiffness
from hpms.coupling.weak_elastic import ElasticWeakForm
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.coarse.vectors import VectorSpace
from hpms.fem.elastic.assembly import assemble
from hpms.fem.elastic.method import ElasticElements
from hpms.fem.elastic.moduli import stress, von_mises
from hpms.fem.elastic.strains import unit_strains
from hpms.fem.elastic.upscaled import linear, solve_strains
from hpms.fem.field import side_by_side
from hpms.fem.fine.upscaled import Box
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space
from hpms.jet import Jet
from hpms.options.elasticity import ElasticityOptions
from hpms.options.force import ForceOptions
from hpms.options.lame import LameOptions
from hpms.options.problem import UnitCubeOptions
from hpms.problem.law.elasticity import ElasticMedium
from hpms.study.fine import posed as on_elements
from tests.problems import close
from tests.unit.test_elasticity import jet_of_solution, law, some_points


def strained(dim, force=None, lam="1+x1", mu="2+sin(2*pi*x1/eps)"):
    """The lifted problems of all unit strains."""
    moduli = LameOptions(lam, mu, {}, None).build(dim, 0.5)
    body = ElasticityOptions().build(moduli, (1.0,) * dim, 0.5)
    count = dim * dim * (dim + 1) // 2
    return UnitCubeOptions(dim, 0.5).problem(body, ForceOptions(force, {}).build(dim, 0.5), count)


@pytest.mark.parametrize("dim", [2, 3])
def test_vectors_beside_each_other_are_treated_as_each_alone(dim):
    elasticity, points = law(dim), some_points(dim)
    jet = jet_of_solution(points, elasticity.forms)
    twice = lambda array: jnp.concatenate([array, 3 * array], axis=1)  # noqa: E731
    both = Jet(twice(jet.value), tuple(map(twice, jet.gradient)), tuple(map(twice, jet.second)), jet.forms)
    medium = elasticity.at(points)
    assert close(medium.operator(both), twice(medium.operator(jet)), 1e-13)
    for found, alone in zip(medium.stress(both.gradient), medium.stress(jet.gradient), strict=True):
        assert close(found, twice(alone), 1e-13)
    slopes = np.stack(jet.gradient, axis=2)
    moduli = np.asarray(medium.moduli)
    stacked = np.concatenate([slopes, 3 * slopes], axis=1)
    assert close(von_mises(moduli, stacked), np.concatenate([s := von_mises(moduli, slopes), 3 * s], axis=1), 1e-13)
    assert close(stress(moduli, stacked)[:, dim:], 3 * stress(moduli, slopes), 1e-13)


@pytest.mark.parametrize("dim", [2, 3])
def test_a_uniform_body_has_its_own_stiffness_and_the_coarse_matrix_of_elements(dim):
    lam, mu = 1.5, 0.7
    units, upscaling = unit_strains(dim), Stiffness(dim=dim)
    expected = lam * np.outer(*[np.trace(units, axis1=1, axis2=2)] * 2) + 2 * mu * np.eye(len(units))
    nothing = Jet(*[jnp.zeros((1, upscaling.columns))], (jnp.zeros((1, upscaling.columns)),) * dim, (), ())
    medium = ElasticMedium(moduli=jnp.array([[lam, mu]]), slopes=jnp.zeros((1, 2, dim)))
    kappa = np.asarray(upscaling.parameters(upscaling.densities(nothing, medium)[0]))
    np.testing.assert_allclose(upscaling.tensors(kappa), expected, atol=1e-12)
    coarse = CoarseProblem(VectorSpace(P1Space(dim, 0.5), []), np.zeros(dim * 3**dim), upscaling.basis)
    moduli = lambda points: np.broadcast_to([lam, mu], (len(points), 2))  # noqa: E731
    elements = assemble(LagrangeSpace(dim, 2, 1), moduli, np.zeros_like, np.ones(dim)).matrix
    assert abs(coarse.matrix(kappa) - elements).max() < 1e-12
    assert coarse.is_admissible(kappa) and not coarse.is_admissible(-kappa)


def test_the_fine_solutions_of_unit_strains_have_the_stiffness_of_their_box():
    problem = strained(2)
    found = solve_strains(LagrangeSpace(2, 8, 2), problem.coefficient_at(), problem.source_at())
    expected = linear(problem.coefficient_at(), Box(np.zeros(2), np.ones(2), 8))
    np.testing.assert_allclose(found.upscaled_coefficient, expected, rtol=1e-9, atol=1e-9)
    assert len(found.lifted) == 6


def test_the_fine_solutions_of_unit_strains_fulfil_the_coupling_by_coarse_hats():
    problem = strained(2, ("1", "x1"))
    way = ElasticElements(on_elements(problem), 2)
    found = way.solve(16, problem.coefficient_at(), problem.source_at())
    form = ElasticWeakForm(problem, 0.25, None, 8)
    residual = form.assembled(*side_by_side(found.lifted, form.points)) + form.forcing
    assert residual.shape == form.forcing.shape == (18, 3)
    assert np.linalg.norm(residual) < 2e-2 * np.linalg.norm(form.forcing)  # the quadrature's


def test_the_coarse_state_of_a_uniform_body_is_its_solution():
    problem = strained(2, ("1", "x1"), "1", "2")
    found = ElasticElements(on_elements(problem), 2).solve(16, problem.coefficient_at(), problem.source_at())
    space, kappa = P1Space(2, 0.1), found.upscaled_coefficient[np.triu_indices(3)]
    coarse = coarse_problem(problem, space, Stiffness(dim=2).basis, (1, 1))
    state = coarse.factorise(kappa).state(np.zeros((242, 3)))
    assert (stacked(unstacked(state, 2), 2) == state).all()
    fine = side_by_side(found.lifted, space.nodes)[0]
    assert close(unstacked(state, 2), fine, 3e-2) and np.abs(fine).max() > 0.01
