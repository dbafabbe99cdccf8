"""What the bound on simplices is made of: rules, Poincaré's constants, and fluxes that carry what they are given."""

import math
from itertools import combinations_with_replacement

import numpy as np
import pytest
import skfem
from skfem.models.poisson import laplace, mass

from hpms.bound.simplicial.constants import poincare
from hpms.bound.simplicial.facets import Facets
from hpms.bound.simplicial.hybrid import FacetFlux, carried
from hpms.bound.simplicial.rules import degree_five, product
from hpms.fem.mesh.simplices import Simplices, outer_facets


def simplices(nodes, cells):
    facets = outer_facets(cells)
    return Simplices(nodes, cells, facets, np.zeros(len(facets), int), ("all",))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_rules_are_exact_inside(dim):
    for (points, weights), degree in ((degree_five(dim), 5), (product(dim, 6), 11)):
        assert points.min() > 0 and weights.min() > 0
        assert np.allclose(points.sum(axis=1), 1)
        for axes in combinations_with_replacement(range(dim), degree):
            powers = np.bincount(axes, minlength=dim)
            mean = math.factorial(dim) * math.prod(map(math.factorial, powers)) / math.factorial(dim + degree)
            assert weights @ np.prod(points[:, :dim] ** powers, axis=1) == pytest.approx(mean, rel=1e-11)


@pytest.mark.parametrize("dim", [2, 3])
def test_the_constant_of_a_simplex_is_above_its_own(dim):
    random, corners = np.random.default_rng(1), np.arange(dim + 1)[None]
    kinds = (skfem.MeshTri, skfem.ElementTriP2()) if dim == 2 else (skfem.MeshTet, skfem.ElementTetP2())
    for _ in range(4):
        nodes = random.normal(size=(dim + 1, dim))
        basis = skfem.Basis(kinds[0](nodes.T, corners.T).refined(1), kinds[1])
        stiffness, weight = (form.assemble(basis).toarray() for form in (laplace, mass))
        values = np.linalg.eigvals(np.linalg.solve(weight, stiffness)).real
        mesh = simplices(nodes, corners)
        assert np.sort(values)[1] ** -0.5 <= poincare(mesh)[0] <= mesh.h / math.pi


@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("build", [skfem.MeshTri.init_lshaped, skfem.MeshTet])
def test_a_flux_carries_what_it_is_given(build, floats):
    random, mesh = np.random.default_rng(0), simplices(build().p.T, build().t.T).refined(1)
    facets, count = Facets(mesh), len(mesh.cells)
    points, weights = degree_five(mesh.dim)
    arms = mesh.places(points)[:, :, None] - mesh.nodes[mesh.cells][:, None]
    matrix = np.einsum("q,tqix,tqjx->tij", weights, arms, arms) / (mesh.dim**2 * mesh.volumes)[:, None, None]
    here, held = np.zeros((2, facets.count), bool)
    here[facets.outer if floats else facets.outer[:3]] = True
    held[facets.outer] = ~here[facets.outer]
    value, rate = (
        here * random.normal(size=(2, facets.count)),
        (0 if floats else 1) * here * random.random(facets.count),
    )
    density, reaction = random.normal(size=(2, count)), (0 if floats else 1) * random.random(count)
    if floats:
        density -= ((density @ mesh.volumes + value @ facets.areas) / mesh.volume)[:, None]
    found = carried(facets, mesh.volumes, matrix, density, reaction, FacetFlux(here, held, value, rate))
    divergence = found.flux.sum(axis=2) / mesh.volumes
    np.testing.assert_allclose(reaction * found.pressure - divergence, density, atol=1e-8)
    assert np.abs(found.rest).max() < 1e-8
    through = np.zeros((2, facets.count))
    for flux, each in zip(found.flux, through, strict=True):
        np.add.at(each, facets.of, flux)
    inner = np.setdiff1d(np.arange(facets.count), facets.outer)
    np.testing.assert_allclose(through[:, inner], 0, atol=1e-9)
    np.testing.assert_allclose((through / facets.areas + rate * found.trace)[:, here], value[:, here], atol=1e-9)
    energy = np.einsum("lti,tij,ltj->l", found.flux, matrix, found.flux)
    work = np.einsum("lt,lt->l", density * mesh.volumes, found.pressure) + (found.trace * value) @ facets.areas
    other = reaction * mesh.volumes @ (found.pressure**2).T + (found.trace**2) @ (rate * facets.areas)
    np.testing.assert_allclose(work, energy + other, rtol=1e-7)
