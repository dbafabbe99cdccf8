import jax.numpy as jnp
import numpy as np
import pytest

from hpms.coupling.base import CouplingContext
from hpms.coupling.upscaling.isotropic import Isotropic
from hpms.coupling.upscaling.tensor import Tensor
from hpms.errors import ConfigError
from hpms.fem.p1 import P1Space
from hpms.options.coupling import BallOptions, NoneOptions
from tests.problems import found, small_problem

POINTS = np.random.default_rng(0).random((80, 2))
ISOTROPIC, TENSOR = Isotropic(2), Tensor(counts=(1, 1), measured=False, symmetrise=False)


def built(update="lazy", compress=False, dtype="float64", adjoint="present", upscaling=ISOTROPIC):
    space = P1Space(2, 0.25)
    ball = BallOptions(1.0, None, 0.45, compress, update, adjoint, 100, 0.01, "constant", 1.0)
    return space, *ball.build(CouplingContext(upscaling, space, small_problem(2), POINTS, 64, jnp.dtype(dtype)))


def test_before_the_first_update_the_coupling_is_off():
    _, coupling, solver = built()
    record = solver.initial()
    view = solver.view(record)
    assert view.active == 0
    assert (coupling.residual(jnp.ones((25, 1)), view.kappa, view) == 0).all()
    assert coupling.adjoint(jnp.ones((25, 1)), view) == 0
    assert solver.is_due(record, np.ones(1))


def test_an_update_solves_the_coarse_problem_and_its_adjoint():
    space, coupling, solver = built()
    means = np.random.default_rng(1).normal(size=(25, 1))
    record = solver.update(solver.initial(), found(2, means))
    matrix = 2 * (space.stiffness[0][0] + space.stiffness[1][1])
    inner = space.interior
    load = space.load(small_problem(2).source_at())
    np.testing.assert_allclose((matrix @ record.y)[inner, 0], load[inner], rtol=1e-12)
    np.testing.assert_allclose((matrix @ record.p)[inner], 2 / 25 * (means - record.y)[inner], rtol=1e-11)
    assert record.active
    assert (record.updates, record.rejections) == (1, 0)
    view = solver.view(record)
    assert coupling.adjoint(jnp.asarray(means), view) == pytest.approx(
        record.p[:, 0] @ matrix @ record.y[:, 0] / 2, rel=1e-12
    )
    residual = coupling.residual(jnp.asarray(means), view.kappa, view)
    assert jnp.sum(residual**2) == pytest.approx(np.mean((means - record.y) ** 2), rel=1e-12)


def test_a_compressed_state_is_averaged_as_the_network_is():
    space, coupling, solver = built(compress=True)
    record = solver.update(solver.initial(), found(1, np.zeros((25, 1))))
    at_points, at_nodes = space.interpolation(POINTS) @ record.y, space.interpolation(np.asarray(coupling.nodes.every))
    expected = coupling.means(jnp.asarray(at_points), jnp.asarray(at_nodes @ record.y))
    np.testing.assert_allclose(record.target, expected, rtol=0, atol=1e-14)
    assert np.abs(record.target - record.y).max() > 1e-4


@pytest.mark.parametrize("compress", [False, True])
def test_the_adjoint_belongs_to_the_present_means_unless_it_is_to_be_kept(compress):
    first, second = np.random.default_rng(1).normal(size=(2, 25, 1))
    for adjoint, means in (("present", second), ("lazy", first)):
        _, coupling, solver = built(compress=compress, adjoint=adjoint)
        before = solver.update(solver.initial(), found(2, first))
        expected = solver.update(before, found(2, means)).contraction
        assert coupling.adjoint(jnp.asarray(second), solver.view(before)) == pytest.approx(expected, rel=1e-10)


def test_an_inadmissible_coefficient_keeps_the_state_and_drops_the_adjoint():
    _, coupling, solver = built()
    before = solver.update(solver.initial(), found(1, np.ones((25, 1))))
    for bad in (-1, np.nan):
        after = solver.update(before, found(bad, np.ones((25, 1))))
        np.testing.assert_array_equal(after.y, before.y)
        np.testing.assert_array_equal(after.target, before.target)
        assert not after.p.any()
        view = solver.view(after)
        misfit = coupling.residual(jnp.ones((25, 1)), 2 * view.kappa, view)
        np.testing.assert_allclose(misfit, (1 - before.y).ravel() / 5, rtol=1e-12)
        assert coupling.adjoint(jnp.ones((25, 1)), solver.view(after)) == 0
        assert (after.active, after.updates, after.rejections) == (True, 1, 1)
        assert solver.is_due(after, np.ones(1))
    assert not solver.update(solver.initial(), found(-1, np.ones((25, 1)))).active


@pytest.mark.parametrize(("update", "interval", "still"), [("lazy", 100, False), ("every_step", 1, True)])
def test_the_rule_of_when_an_update_is_due(update, interval, still):
    _, _, solver = built(update)
    record = solver.update(solver.initial(), found(1, np.ones((25, 1))))
    assert solver.interval == interval
    assert solver.is_due(record, np.ones(1)) is still
    assert solver.is_due(record, np.array([1.009])) is still
    assert solver.is_due(record, np.array([1.011]))


def test_an_update_is_due_where_one_entry_of_a_tensor_moves():
    _, _, solver = built(upscaling=TENSOR)
    record = solver.update(solver.initial(), found(np.eye(2), np.ones((25, 2))))
    for entry in range(4):
        assert solver.is_due(record, np.eye(2).ravel() + 0.011 * (np.arange(4) == entry))
    assert not solver.is_due(record, np.eye(2).ravel() + 0.009)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_is_the_transpose_of_means(dtype):
    _, coupling, solver = built(dtype=dtype)
    rng = np.random.default_rng(2)
    values, nodes, means = (
        jnp.asarray(rng.normal(size=n), dtype) for n in ((80, 1), (coupling.nodes.count, 1), (25, 1))
    )
    at_values, at_nodes = coupling.spread(means)
    backward = float(jnp.vdot(at_values, values) + jnp.vdot(at_nodes, nodes))
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    assert jnp.vdot(means, coupling.means(values, nodes)) == pytest.approx(backward, rel=tolerance)
    assert at_values.dtype == solver.view(solver.initial()).target.dtype == jnp.dtype(dtype)


def test_options():
    space, dtype = P1Space(1, 0.25), jnp.dtype("float64")
    assert NoneOptions().build(CouplingContext(Isotropic(1), space, small_problem(1), POINTS[:, :1], 64, dtype)) is None
    with pytest.raises(ConfigError, match=r"coupling\.delta=1"):
        BallOptions(1.0, None, 1.0, False, "lazy", "present", 100, 0.01, "constant", 1.0).check(None)
