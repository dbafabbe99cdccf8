"""The weak form on a simplicial mesh: what it leaves of a solution that is known."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skfem

from hpms.coupling.weak_box import BoxWeakForm
from hpms.coupling.weak_mesh import MeshWeakForm
from hpms.errors import UserError
from hpms.fem.faces import faces
from hpms.fem.mesh.polygon import Polygon, circle
from hpms.fem.mesh.simplices import Simplices, outer_facets
from hpms.jet import Jet
from hpms.problem.box import Box
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.conditions import BoxFaces, Conditions, FaceCondition
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.lift import AbstractLift
from hpms.problem.lifted import LiftedProblem
from hpms.problem.meshed import Facets, MeshFile
from hpms.problem.polygon import PolygonDomain
from hpms.problem.source.base import AbstractSource

EPS = 0.2
L_SHAPE = Polygon(((0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)))
PLATE = Polygon(((-1, -1), (2, -1), (2, 1), (-1, 1)), (circle((0.0, 0.0), 0.4, 5), ((1, 0), (1.5, 0), (1.2, 0.5))))
SQUARE = Polygon(((0, 0), (1, 0), (1, 1), (0, 1)))


class Medium(AbstractCoefficient):
    value_of: Callable = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True, default=None)
    is_tensor = False
    forms = None

    def value(self, x):
        return self.value_of(x)

    def gradient(self, x):
        return autodiff_gradient(self, x)


class Values(AbstractSource):
    value_of: Callable = eqx.field(static=True)

    def value(self, x):
        return self.value_of(x)


class Zero(AbstractLift):
    def jet(self, x, forms=None):
        zero = jnp.zeros((len(x), 1))
        return Jet(zero, (zero,) * x.shape[1], (), forms)


def waves(x):
    return 2 + jnp.sin(2 * jnp.pi * x[0] / EPS) * jnp.cos(2 * jnp.pi * x[1] / EPS)


def w(x):
    return jnp.sin(x[0] + 0.5) * (1 + x[1] ** 2) + x[-1]


def flux(x):
    return waves(x) * jax.grad(w)(x)


def posed(domain, parts, held, normals, reaction=None, rate=None, places=None):
    """The problem whose solution is w: with its fluxes K∇w·n + a w on parts that are not `held`, and ℓ = 0 beside."""

    def source(x):
        return -jnp.trace(jax.jacfwd(flux)(x)) + (0 if reaction is None else reaction(x) * w(x))

    def given(normal):
        return Values(lambda x: jnp.dot(flux(x), normal) + (0 if rate is None else rate(x) * w(x)))

    every = []
    for part, normal in zip(parts, normals, strict=True):
        a = Values(rate or (lambda x: 0 * x[0]))
        every.append(FaceCondition(part, Values(w)) if part in held else FaceCondition(part, given(normal), a))
    law = Diffusion(Medium(waves), None if reaction is None else Values(reaction))
    return LiftedProblem(domain, law, Values(source), 1, Zero(), Conditions(tuple(every), places))


def on_mesh(domain, held, **more):
    """The parts are named after their normals."""
    mesh = domain.mesh
    normals = [mesh.normals[mesh.on(part)][0] for part in mesh.parts]
    return posed(domain, mesh.parts, held, normals, places=Facets(mesh), **more)


def left_over(form) -> float:
    """‖r(w)‖/‖r(0)‖ in the norm of B^{-1}."""
    dim = form.space.dim
    x = jnp.asarray(form.points)
    value, slope = np.asarray(jax.vmap(w)(x))[:, None], np.asarray(jax.vmap(jax.grad(w))(x))[:, None]
    solver, sizes = form.norm(np.zeros((0, 1, dim, dim)), (1,) * dim).factorise(np.zeros(0)), []
    for residual in (form.assembled(value, slope) + form.forcing, form.forcing):
        everywhere = np.zeros((len(form.space.nodes), 1))
        everywhere[form.space.interior] = residual
        sizes.append(np.vdot(everywhere, solver.adjoint(everywhere)) ** 0.5)
    return sizes[0] / sizes[1]


def polygon(shape):
    """Each edge of a hole is a part of its own, so that it has one normal."""
    domain = PolygonDomain(2, EPS, shape, shape.parts)
    mesh = domain.meshed(0.3)
    kinds = np.unique(mesh.normals.round(9), axis=0, return_inverse=True)[1].ravel()
    pairs, labels = np.unique(np.stack([mesh.labels, kinds]), axis=1, return_inverse=True)
    names = tuple(f"{mesh.parts[part]}_{kind}" for part, kind in pairs.T)
    return MeshFile(2, EPS, Simplices(mesh.nodes, mesh.cells, mesh.facets, labels.ravel(), names))


def cube():
    mesh = skfem.MeshTet().refined(1)
    facets = outer_facets(mesh.t.T)
    corners = mesh.p.T[facets]
    parts = ("left", "right", "bottom", "top", "front", "back")
    labels = np.zeros(len(facets), int)
    for number, (axis, end) in enumerate(faces(3)):
        labels[np.abs(corners[..., axis] - end).max(axis=1) < 1e-12] = number
    return MeshFile(3, EPS, Simplices(mesh.p.T, mesh.t.T, facets, labels, parts))


def rate(x):
    return 1 + x[0] ** 2


CASES = {
    "an l-shape, fluxes on an edge": (lambda: polygon(L_SHAPE), ("edge1", "edge3", "edge4", "edge6"), {}),
    "a plate, fluxes on holes": (lambda: polygon(PLATE), ("edge",), {}),
    "a plate, rates": (lambda: polygon(PLATE), ("edge2",), {"rate": rate}),
    "a plate, a reaction": (lambda: polygon(PLATE), ("edge", "hole1"), {"reaction": rate}),
    "a cube, rates": (cube, ("left", "top"), {"rate": rate}),
}
LONG = ("a plate, rates", "a plate, fluxes on holes", "a cube, rates")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.thorough if n in LONG else ()) for n in CASES])
def test_the_exact_solution_fulfils_it(name):
    build, held, more = CASES[name]
    domain = build()
    problem = on_mesh(domain, [part for part in domain.mesh.parts if part.startswith(held)], **more)
    form = MeshWeakForm(problem, domain.meshed(0.3 if domain.dim == 2 else 0.5), None)
    assert form.has_rate == bool(more)
    assert left_over(form) < 1e-2


def test_a_wrong_one_does_not():
    domain = polygon(L_SHAPE)
    problem = on_mesh(domain, [part for part in domain.mesh.parts if not part.startswith("edge2")])
    wrong = replace(problem, source=Values(lambda x: 30 + problem.source.value(x)))
    assert left_over(MeshWeakForm(wrong, domain.meshed(0.3), None)) > 0.05


def test_on_a_square_both_weak_forms_leave_little():
    held = ("edge4", "edge1")
    domain = polygon(SQUARE)
    on_triangles = on_mesh(domain, [part for part in domain.mesh.parts if part.startswith(held)], rate=rate)
    found = left_over(MeshWeakForm(on_triangles, domain.meshed(0.25), None))
    normals = [(2 * end - 1) * np.eye(2)[axis] for axis, end in faces(2)]
    sides = (1.0, 1.0)
    on_boxes = posed(Box(2, EPS, sides), faces(2), [(0, 0), (1, 0)], normals, rate=rate, places=BoxFaces(sides))
    assert max(found, left_over(BoxWeakForm(on_boxes, 0.25, None, None))) < 1e-2


def test_more_points_leave_less():
    domain = polygon(L_SHAPE)
    problem = on_mesh(domain, [part for part in domain.mesh.parts if not part.startswith("edge2")])
    few, many = (left_over(MeshWeakForm(problem, domain.meshed(0.3), count)) for count in (2, 16))
    assert many < few / 4 and many < 2e-3


def test_too_many_points_are_refused():
    domain = polygon(L_SHAPE)
    problem = on_mesh(domain, domain.mesh.parts)
    with pytest.raises(UserError, match=r"coupling\.points=900 is not allowed: on a mesh of the width"):
        MeshWeakForm(problem, domain.meshed(0.3), 900)
