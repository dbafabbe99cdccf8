from dataclasses import replace

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.api import build, configure
from hpms.coupling.base import CouplingContext
from hpms.coupling.upscaling.isotropic import Isotropic
from hpms.coupling.upscaling.tensor import Tensor
from hpms.errors import ConfigError, UserError
from hpms.fem.p1 import P1Space
from hpms.options.coupling import ConsistentOptions
from hpms.results.hdf5 import read_record, write_record
from tests.problems import found, small_problem

POINTS = np.random.default_rng(0).random((80, 2))
ISOTROPIC, TENSOR = Isotropic(2), Tensor(counts=(1, 1), measured=False, symmetrise=False)


def built(dtype="float64", update="lazy", spacing=None, upscaling=ISOTROPIC):
    option = ConsistentOptions(1.0, None, 0.45, 1, spacing, 4, "box", update, 100, 0.01, "constant", 0.1)
    return option.build(CouplingContext(upscaling, P1Space(2, 0.14), small_problem(2), POINTS, 16, jnp.dtype(dtype)))


def some_means(solver, seed=1):
    return np.random.default_rng(seed).normal(size=(len(solver.nodes), 1))


def residual(coupling, solver, means, record):
    view = solver.view(record)
    return coupling.residual(means, view.kappa, view)


def test_an_update_solves_the_coarse_problem_with_the_means_as_boundary_data():
    coupling, solver = built()
    means, space = some_means(solver), solver.problem.space
    record = solver.update(solver.initial(), found(2, means))
    matrix = 2 * (space.stiffness[0][0] + space.stiffness[1][1])
    np.testing.assert_allclose(record.y[space.boundary], means[space.boundary], rtol=1e-14)
    np.testing.assert_allclose(
        (matrix @ record.y)[space.interior], solver.problem.load[space.interior, None], rtol=1e-10
    )
    expected = 2 * solver.weight * (means - record.y)[space.interior]
    np.testing.assert_allclose((matrix @ record.p)[space.interior], expected, rtol=1e-10)
    view, z = solver.view(record), jnp.asarray(means)
    residual = coupling.residual(z, view.kappa, view)
    np.testing.assert_allclose(residual, solver.weight**0.5 * (means - record.y)[space.interior, 0], rtol=1e-10)
    assert coupling.count == len(residual)
    assert solver.weight == pytest.approx(np.prod(space.size) / len(space.nodes))
    assert coupling.adjoint(z, view) == pytest.approx(record.contraction, rel=1e-10)


def test_the_nodes_of_the_means_are_some_of_a_finer_mesh():
    coupling, solver = built(spacing=0.3)
    nested, means = solver.nested, some_means(solver)
    assert (nested.wide.n, nested.fine.n) == (2, 4)
    np.testing.assert_allclose(nested.fine.nodes[nested.places], nested.wide.nodes, atol=1e-15)
    record = solver.update(solver.initial(), found(2, means))
    data = nested.wide.interpolation(nested.fine.nodes) @ means
    problem = solver.problem.factorise(np.asarray(record.kappa))
    np.testing.assert_allclose(record.y, problem.state(data)[nested.places], rtol=1e-12)
    expected = solver.weight**0.5 * (means - record.y)[nested.wide.interior, 0]
    np.testing.assert_allclose(residual(coupling, solver, jnp.asarray(means), record), expected, rtol=1e-10)
    assert coupling.count == 1 and len(solver.nodes) == 9


@pytest.mark.parametrize("spacing", [None, 0.3])
def test_the_state_follows_the_boundary_data_between_updates(spacing):
    coupling, solver = built(spacing=spacing)
    record = solver.update(solver.initial(), found(2, some_means(solver)))
    later = some_means(solver, seed=2)
    again = solver.update(solver.initial(), found(2, later))
    np.testing.assert_allclose(
        residual(coupling, solver, jnp.asarray(later), record),
        residual(coupling, solver, jnp.asarray(later), again),
        rtol=1e-10,
    )


def test_the_boundary_data_are_extended_with_the_tensor_of_the_last_update():
    coupling, solver = built(upscaling=TENSOR)
    means, inner = np.hstack([some_means(solver, seed) for seed in (1, 2)]), solver.problem.space.interior
    record = solver.initial()
    for tensor in (np.eye(2), np.array([[1.0, 0.8], [0.0, 1.0]])):
        record = solver.update(record, found(tensor, means))
        expected = solver.weight**0.5 * (means - record.y)[inner].ravel()
        np.testing.assert_allclose(residual(coupling, solver, jnp.asarray(means), record), expected, rtol=1e-9)


def test_a_coarse_solution_has_no_residual_and_before_the_first_update_nothing_has():
    coupling, solver = built()
    record = solver.update(solver.initial(), found(2, some_means(solver)))
    assert np.abs(residual(coupling, solver, jnp.asarray(record.y), record)).max() < 1e-15
    assert (residual(coupling, solver, jnp.ones((len(solver.nodes), 1)), solver.initial()) == 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_is_the_transpose_of_means(dtype):
    coupling, solver = built(dtype)
    rng, dtype = np.random.default_rng(2), jnp.dtype(dtype)
    nodes, means = (jnp.asarray(rng.normal(size=n), dtype) for n in ((coupling.nodes.count, 1), (len(solver.nodes), 1)))
    at_values, at_nodes = coupling.spread(means)
    assert at_values is None
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    assert float(jnp.vdot(means, coupling.means(None, nodes))) == pytest.approx(
        float(jnp.vdot(at_nodes, nodes)), rel=tolerance
    )
    assert at_nodes.dtype == dtype


def test_a_record_comes_back_from_its_file(tmp_path):
    _, solver = built()
    record = replace(solver.update(solver.initial(), found(2, some_means(solver))), rejections=3)
    with h5py.File(tmp_path / "record.h5", "w") as file:
        write_record(file.create_group("coarse"), record)
    with h5py.File(tmp_path / "record.h5") as file:
        again = read_record(file["coarse"], solver.initial())
    assert again.active is True and (again.updates, again.rejections, again.strength) == (1, 3, 1.0)
    np.testing.assert_array_equal(again.y, record.y)
    np.testing.assert_array_equal(again.kappa, record.kappa)


@pytest.mark.parametrize(("update", "interval"), [("lazy", 100), ("every_step", 1)])
def test_updates(update, interval):
    _, solver = built(update=update)
    record = solver.update(solver.initial(), found(1, some_means(solver)))
    assert solver.interval == interval
    assert solver.is_due(record, np.ones(1)) == (update == "every_step")
    assert solver.update(record, found(-1, some_means(solver))).rejections == 1


@pytest.mark.parametrize("coupling", ["ball", "consistent"])
def test_a_share_weighs_the_coupling_by_the_misfit_of_no_network(coupling):
    small = ["problem.dim=1", "problem.eps=0.25", "network=mlp", "network.width=3", "network.depth=1", "coarse.h=0.1"]
    config = configure(*small, f"coupling={coupling}", "source=constant", "coupling.share=0.5", "coupling.delta=0.2")
    experiment = build(config)
    solver, loss = experiment.solver, experiment.loss
    medium = experiment.problem.medium(jnp.asarray(experiment.points["interior"]))
    kappa = float(jnp.mean(medium.coefficient))
    y = solver.problem.factorise(np.array([kappa])).state()
    gap = solver.weight * np.sum(y**2)
    found = dict(zip(loss.names, experiment.taus, strict=True))["coupling"]
    assert found == pytest.approx(0.5 * float(jnp.mean(medium.forcing**2)) / gap, rel=1e-3)
    nothing = configure(*small, f"coupling={coupling}", "source=constant", "source.constants.q=0", "coupling.share=0.5")
    with pytest.raises(UserError, match=r"coupling\.share=null"):
        build(nothing)


def test_the_balls_refuse_points_that_are_not_spread_evenly():
    with pytest.raises(ConfigError, match="ball with collocation=boundary_layers"):
        configure("coupling=ball", "collocation=boundary_layers", "problem.eps=0.1")
    with pytest.raises(ConfigError, match=r"collocation\.layer_width=0\.6"):
        configure("coupling=none", "collocation=boundary_layers", "collocation.layer_width=0.6")
    with pytest.raises(ConfigError, match=r"collocation\.layer_share=1"):
        configure("coupling=none", "collocation=boundary_layers", "problem.eps=0.1", "collocation.layer_share=1")
