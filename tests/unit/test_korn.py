"""The bound of the error for Hooke's law, where w is given on all of ∂Ω."""

import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.bound.korn import by_korn
from hpms.bound.pointwise import Moments
from hpms.errors import UserError
from hpms.options.elasticity import ElasticityOptions
from hpms.options.lame import LameOptions
from hpms.study.measure import measure

BODY = ("law=elasticity", "coefficient=lame", "source=force", "source.formulas=[1,x1]", "problem.eps=0.5")
NETWORK = ("network=mlp", "network.width=8", "network.depth=1", "collocation.interior_points=50", "reference.h=1/64")
MODULI = ("coefficient.lam=1", "coefficient.mu=1")
CASES = {
    "unit strains": (("problem=unit_cube", "problem.dim=2"), "1+x1", 4.0),
    "clamped": (("problem=box", "problem.conditions={all:{dirichlet:[0,x1]}}"), "1+x1", 4.0),
    "a negative lam": (("problem=unit_cube", "problem.dim=2"), "-0.9", 5.0),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.thorough if n == "clamped" else ()) for n in CASES])
def test_it_is_above_the_error_and_not_far(name):
    problem, lam, factor = CASES[name]
    moduli = (f"coefficient.lam={lam}", "coefficient.mu='1.5+0.5*sin(2*pi*x1/eps)'")
    config = hpms.configure("+method=fast", *problem, *BODY, *moduli, *NETWORK)
    built = hpms.build(config)
    measured = measure(config, built.problem)
    assert measured.exact is not None
    exact = measured.exact.gradient + (0 if measured.exact.lift is None else measured.exact.lift[1])
    stress = built.problem.law.stress(built.problem.coefficient_at()(measured.points), exact)
    size = np.einsum("m,mla,mla->", measured.weights, exact, stress) ** 0.5
    error = size * measured.energy_error(built, built.theta, 500)["relative_energy_error"]
    found = built.bound(built.theta)
    assert found.is_bound
    assert error <= found.energy <= factor * error
    assert found.parts.sum() == pytest.approx(found.energy**2, rel=1e-3)


def test_the_least_constant_counts_everywhere_and_that_of_the_body_in_some_cells():
    ones = jnp.ones((3, 1))
    every = Moments(ones, ones, jnp.ones((3, 3, 2, 2)), jnp.array([2.0, 0.5, 1.0]), jnp.zeros(3), ones)
    assert (by_korn(every, 2, most=0.4).least == 0.4).all()
    found = by_korn(every, 2)
    assert (found.least == 0.5).all()
    np.testing.assert_allclose(found.inverse[1], [2 * np.eye(2), np.zeros((2, 2)), np.eye(2) / 6])


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("lam", [1.0, -0.4])
def test_the_constant_holds_at_every_strain(dim, lam):
    """σ:e >= k (2|e|² - tr(e)²), whatever e, and with equality for a shear."""
    mu, axes = 0.7, np.eye(dim)
    law = ElasticityOptions().build(LameOptions(str(lam), str(mu), {}, None).build(dim, 0.5), (1.0,) * dim, 0.5)
    k = float(law.coercivity(jnp.full(dim, 0.3)))
    strains = np.random.default_rng(0).normal(size=(2000, dim, dim))
    strains = np.concatenate([strains + strains.swapaxes(1, 2), axes[None], [np.outer(axes[0], axes[1])]])
    strains[-1] += strains[-1].T
    trace, square = np.trace(strains, axis1=1, axis2=2), np.sum(strains**2, axis=(1, 2))
    left = lam * trace**2 + 2 * mu * square - k * (2 * square - trace**2)
    assert (left >= -1e-12).all() and left[-1] == pytest.approx(0)


def test_with_a_traction_there_is_none():
    pulled = "problem.conditions={left:{dirichlet:[0,0]},all:{neumann:[1,0]}}"
    built = hpms.build(hpms.configure("+method=fast", "problem=box", pulled, *BODY, *MODULI, *NETWORK))
    with pytest.raises(UserError, match="Korn's constant is known where w is given on all of the boundary alone"):
        built.bound(built.theta)
