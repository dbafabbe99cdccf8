"""Hooke's law: the strong side by jets, the weak side by elements, conditions by component, and what ties them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skfem
from skfem.models.elasticity import linear_elasticity

from hpms.coupling.weak_elastic import ElasticWeakForm
from hpms.errors import ConfigError, UserError
from hpms.fem.elastic.assembly import assemble
from hpms.fem.elastic.method import ElasticElements
from hpms.fem.elastic.moduli import check_moduli, stress, von_mises
from hpms.fem.elastic.problem import ElasticBox
from hpms.fem.elastic.rigid import rigid
from hpms.fem.faces import faces
from hpms.fem.field import side_by_side
from hpms.fem.grid import unit_mesh
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.validation import relative_errors, validation_points
from hpms.jet import Jet, contracted
from hpms.options.box import BoxOptions
from hpms.options.components import are_components, read_components
from hpms.options.elasticity import ElasticityOptions
from hpms.options.force import ForceOptions
from hpms.options.lame import LameOptions
from hpms.problem.components import component_conditions
from hpms.problem.conditions import BoxFaces, Conditions, FaceCondition
from hpms.problem.lift import LinearLift
from hpms.problem.source.base import AbstractSource
from hpms.study.fine import posed as on_elements
from tests.problems import close, quick_filter_jit, quick_jit

SIDES = {2: (1.5, 1.0), 3: (1.0, 0.5, 0.75)}
HELD = {2: {(0, 0): (0, 1), (1, 0): (1,)}, 3: {(0, 0): (0, 1, 2), (2, 1): (1,)}}  # components by face


def law(dim):
    moduli = LameOptions("1+x1*x2", "2+sin(3*x1+x2)", {}, None).build(dim, 0.1)
    return ElasticityOptions().build(moduli, SIDES[dim], 0.1)


def solution(x):
    return jnp.stack([jnp.sin(1.3 * x[0] + 2.1 * x[1] + i) * (1 + 0.5 * x[-1]) for i in range(len(x))])


def sigma(moduli, x):
    lam, mu = moduli.value(x)
    slope = jax.jacfwd(solution)(x)
    return lam * jnp.trace(slope) * jnp.eye(len(x)) + mu * (slope + slope.T)


def force(moduli, x):
    return -jnp.einsum("ibb->i", jax.jacfwd(lambda y: sigma(moduli, y))(x))


def jet_of_solution(points, forms):
    gradient, hessian = jax.vmap(jax.jacfwd(solution))(points), jax.vmap(jax.hessian(solution))(points)
    slopes = tuple(gradient[:, :, a] for a in range(points.shape[1]))
    return Jet(jax.vmap(solution)(points), slopes, contracted(forms, hessian), forms)


def some_points(dim, count=20):
    return jnp.asarray(np.random.default_rng(0).random((count, dim)) * SIDES[dim])


@pytest.mark.parametrize("dim", [2, 3])
def test_the_strong_side_is_that_of_autodiff(dim):
    elasticity, points = law(dim), some_points(dim)

    @quick_jit
    def both(points):
        found = elasticity.at(points).operator(jet_of_solution(points, elasticity.forms))
        return found, jax.vmap(lambda x: force(elasticity.coefficient, x))(points)

    found, expected = both(points)
    assert close(found, expected, 1e-12)


class Traction(AbstractSource):
    """(σ(w) n)_i of the solution on a face."""

    moduli: AbstractSource
    face: tuple
    component: int

    def value(self, x):
        axis, end = self.face
        return (2 * end - 1) * sigma(self.moduli, x)[self.component, axis]


class Displacement(AbstractSource):
    component: int

    def value(self, x):
        return solution(x)[self.component]


def conditions(dim, moduli):
    """Those of the solution, by component."""

    def condition(face, i):
        if i in HELD[dim].get(face, ()):
            return FaceCondition(face, Displacement(i))
        return FaceCondition(face, Traction(moduli, face, i), Traction(moduli, face, i))

    each = [tuple(condition(face, i) for face in faces(dim)) for i in range(dim)]
    return component_conditions(tuple(Conditions(every, BoxFaces(SIDES[dim])) for every in each))


@pytest.mark.parametrize("dim", [2, 3])
def test_the_solution_fulfils_its_tractions_and_another_does_not(dim):
    elasticity = law(dim)
    points = np.array(some_points(dim, 6 * dim))
    for k, (axis, end) in enumerate(faces(dim)):
        points[3 * k : 3 * k + 3, axis] = end * SIDES[dim][axis]

    @quick_filter_jit
    def rest(points):
        data = elasticity.flux_data(points, conditions(dim, elasticity.coefficient), LinearLift(dim))
        jet = jet_of_solution(points, elasticity.forms)
        lift = LinearLift(dim).jet(points)
        slopes = tuple(g - ell for g, ell in zip(jet.gradient, lift.gradient, strict=True))
        return data.density(Jet(jet.value - lift.value, slopes, jet.second, jet.forms)), data.density(jet), data.on

    found, other, on = rest(jnp.asarray(points))
    assert np.abs(found).max() < 1e-12 and np.abs(other).max() > 0.1
    for k, face in enumerate(faces(dim)):
        held = [i in HELD[dim].get(face, ()) for i in range(dim)]
        assert (np.asarray(on[3 * k : 3 * k + 3]) == 1 - np.array(held, float)).all()


def on_host(function):
    each = quick_jit(jax.vmap(function))
    return lambda points: np.asarray(each(jnp.asarray(points)))


def posed(dim, moduli):
    found = [[{}, {}] for _ in range(dim)]
    for i in range(dim):
        for face in faces(dim):
            held = i in HELD[dim].get(face, ())
            source = Displacement(i) if held else Traction(moduli, face, i)
            found[i][not held][face] = on_host(source.value)
    return ElasticBox(SIDES[dim], tuple(each[0] for each in found), tuple(each[1] for each in found))


@pytest.mark.parametrize(
    ("dim", "degree", "n"), [(2, 1, 16), (2, 2, 8), pytest.param(3, 2, 4, marks=pytest.mark.thorough)]
)
def test_elements_converge_at_their_rates(dim, degree, n):
    moduli = law(dim).coefficient
    way = ElasticElements(posed(dim, moduli), degree)
    points, weights = validation_points(dim, 0.5)
    points = points * SIDES[dim]
    known = np.asarray(jax.vmap(solution)(points)), np.asarray(jax.vmap(jax.jacfwd(solution))(points))
    errors = []
    for cells in (n // 2, n):
        found = way.solve(cells, on_host(moduli.value), on_host(lambda x: force(moduli, x)))
        errors.append(relative_errors(*side_by_side(found.lifted, points), *known, weights))
    l2, h1 = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert l2 > degree + 0.7 and degree - 0.2 < h1 < degree + 0.5
    assert errors[1][1] < (0.1 if degree == 1 else 0.02)


@pytest.mark.parametrize("dim", [2, 3])
def test_the_stiffness_is_that_of_scikit_fem_and_knows_no_rigid_motions(dim):
    element = {2: skfem.ElementTriP1, 3: skfem.ElementTetP1}[dim]()
    space = LagrangeSpace(dim, 2, 1)
    moduli = lambda points: np.broadcast_to([1.5, 0.7], (len(points), 2))  # noqa: E731
    found = assemble(space, moduli, lambda points: np.zeros_like(points), np.ones(dim)).matrix
    basis = skfem.Basis(unit_mesh(dim, 2), skfem.ElementVector(element))
    expected = linear_elasticity(1.5, 0.7).assemble(basis)
    order = np.lexsort(unit_mesh(dim, 2).p[::-1])
    place = (dim * order[:, None] + np.arange(dim)).ravel()
    np.testing.assert_allclose(found.toarray(), expected.toarray()[place][:, place], atol=1e-12)
    modes = rigid(space.nodes).reshape(space.size * dim, -1)
    assert np.abs(found @ modes).max() < 1e-12 and np.linalg.matrix_rank(modes) == dim * (dim + 1) // 2


def test_stress_and_von_mises_of_a_pull_in_plane_strain():
    moduli, slopes = np.array([[2.0, 3.0]]), np.array([[[0.1, 0.0], [0.0, 0.0]]])
    xx, yy, zz = 0.8, 0.2, 0.2  # (λ + 2μ)e, λe, λe
    np.testing.assert_allclose(stress(moduli, slopes), [[[xx, 0], [0, yy]]])
    mises = np.sqrt(((xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2) / 2)
    np.testing.assert_allclose(von_mises(moduli, slopes), [[mises]])


def test_moduli_have_to_be_a_stiffness():
    points = np.array([[0.1, 0.2]])
    check_moduli(points, np.array([[-0.9, 1.0]]))
    for lam, mu in ((-1.1, 1.0), (1.0, 0.0), (np.nan, 1.0)):
        with pytest.raises(UserError, match=r"mu > 0 and 2 lam \+ 2 mu > 0, but at \(0.1, 0.2\)"):
            check_moduli(points, np.array([[lam, mu]]))


ROLLER = (
    "{left:{dirichlet:[0,null],neumann:[null,1]},bottom:{dirichlet:[null,x1],neumann:[0,null]},all:{neumann:[0,0]}}"
)


def test_a_part_has_a_displacement_in_one_component_and_a_traction_in_the_other():
    first, second = read_components(ROLLER, 2)
    assert [each.kind for each in first] == ["dirichlet", "neumann", "neumann", "neumann"]
    assert [each.kind for each in second] == ["neumann", "neumann", "dirichlet", "neumann"]
    assert second[0].value == "1" and second[2].value == "x1"
    assert are_components(ROLLER) and not are_components("{all:{robin:[1,0]}}") and not are_components("linear")


def test_walls_and_values_are_those_of_each_component():
    options = BoxOptions(2, 0.1, (2.0, 1.0), ROLLER, 1.0)
    x = jnp.array([[0.0, 0.3], [1.0, 0.0], [1.0, 0.5]])
    values = np.asarray(options.walls.vanishing(x).value)
    assert ((values == 0) == [[True, False], [False, True], [False, False]]).all()
    moduli = LameOptions("1", "1", {}, None).build(2, 0.1)
    body = ElasticityOptions().build(moduli, (2.0, 1.0), 0.1)
    problem = options.problem(body, ForceOptions(None, {}).build(2, 0.1), 2)
    np.testing.assert_allclose(problem.lifted(np.asarray(x))[0], [[0, 0], [0, 1], [0, 1]], atol=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{all:{dirichlet:[0,null]}}", "nothing is said of component 2"),
        ("{all:{dirichlet:[0,0],neumann:[1,null]}}", "component 1 has a displacement there"),
        ("{all:{dirichlet:[0,0,0]}}", "give 2 components, such as [0,0]"),
        ("{left:{dirichlet:[0,0]},all:{robin:[1,0]}}", "give dirichlet:[g,g], neumann:[t,t], or both"),
        ("{all:{neumann:[0,0]}}", "the body may move as a whole"),
        ("{left:{dirichlet:[0,null],neumann:[null,0]},all:{neumann:[0,0]}}", "the body may move as a whole"),
        ("{left:{dirichlet:[0,0]}}", "nothing is said of right"),
        ("{left:{dirichlet:[0,x3]},all:{neumann:[0,0]}}", "x3"),
    ],
)
def test_other_conditions_are_refused_in_one_sentence(given, message):
    with pytest.raises(UserError) as raised:
        read_components(given, 2)
    assert message in str(raised.value) and "problem.conditions" in str(raised.value)
    assert isinstance(raised.value, ConfigError) or "x3" in message


def test_a_fine_solution_fulfils_the_coupling_by_coarse_hats():
    options = BoxOptions(2, 0.5, (2.0, 1.0), ROLLER, 1.0)
    moduli = LameOptions("1+x1", "2+sin(2*pi*x1/eps)", {}, None).build(2, 0.5)
    body = ElasticityOptions().build(moduli, (2.0, 1.0), 0.5)
    problem = options.problem(body, ForceOptions(("1", "x1"), {}).build(2, 0.5), 2)
    way = ElasticElements(on_elements(problem), 2)
    fields = way.solve(16, problem.coefficient_at(), problem.source_at()).lifted
    form = ElasticWeakForm(problem, 0.25, None, 8)
    (value, slope), (lift, rise) = side_by_side(fields, form.points), problem.lifted(form.points)
    residual = form.assembled(value - lift, slope - rise) + form.forcing
    everywhere = np.zeros((len(form.space.nodes), 2))
    everywhere[form.space.interior] = np.hstack([residual, form.forcing])
    solver = form.norm(np.zeros((0, 1, 2, 2)), (1, 1)).factorise(np.zeros(0))
    left, trivial = np.einsum("nk,nk->k", everywhere, solver.adjoint(everywhere))
    assert 0 < left < 1e-4 * trivial  # the quadrature gives means to 0.4 %
