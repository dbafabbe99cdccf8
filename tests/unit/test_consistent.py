from dataclasses import replace

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.fem.p1 import P1Space
from hpms.options.coupling import ConsistentOptions
from hpms.results.hdf5 import read_record, write_record
from tests.problems import small_problem

POINTS = np.random.default_rng(0).random((80, 2))


def built(schedule="constant", switch=3, level=0.1, dtype="float64", update="lazy"):
    option = ConsistentOptions(1.0, 0.45, 1, 4, "box", update, 100, 0.01, schedule, 10, level, switch)
    return option.build(P1Space(2, 0.14), small_problem(2), POINTS, 16, jnp.dtype(dtype))


def some_means(coarse, seed=1):
    return np.random.default_rng(seed).normal(size=len(coarse.nodes))


def test_an_update_solves_the_coarse_problem_with_the_means_as_boundary_data():
    coupling, coarse = built()
    means, space = some_means(coarse), coarse.problem.space
    record = coarse.update(coarse.initial(), 2 * np.eye(2), means)
    matrix = 2 * (space.stiffness[0][0] + space.stiffness[1][1])
    np.testing.assert_array_equal(record.y[space.boundary], means[space.boundary])
    np.testing.assert_allclose((matrix @ record.y)[space.interior], coarse.problem.load[space.interior], rtol=1e-10)
    expected = 2 * coarse.weight * (means - record.y)[space.interior]
    np.testing.assert_allclose((matrix @ record.p)[space.interior], expected, rtol=1e-10)
    state, z = coarse.state(record), jnp.asarray(means)
    residual = coupling.residual(z, state)
    np.testing.assert_allclose(residual, coarse.weight**0.5 * (means - record.y)[space.interior], rtol=1e-10)
    assert coupling.count == len(residual)
    assert coarse.weight == pytest.approx(np.prod(space.size) / len(space.nodes))
    assert coupling.adjoint(z, state) == pytest.approx(np.trace(record.contraction), rel=1e-10)


def test_the_state_follows_the_boundary_data_between_updates():
    coupling, coarse = built()
    record = coarse.update(coarse.initial(), 2 * np.eye(2), some_means(coarse))
    later = some_means(coarse, seed=2)
    again = coarse.update(coarse.initial(), 2 * np.eye(2), later)
    np.testing.assert_allclose(
        coupling.residual(jnp.asarray(later), coarse.state(record)),
        coupling.residual(jnp.asarray(later), coarse.state(again)),
        rtol=1e-10,
    )


def test_a_coarse_solution_has_no_residual_and_before_the_first_update_nothing_has():
    coupling, coarse = built()
    record = coarse.update(coarse.initial(), 2 * np.eye(2), some_means(coarse))
    assert np.abs(coupling.residual(jnp.asarray(record.y), coarse.state(record))).max() < 1e-15
    assert (coupling.residual(jnp.ones(len(coarse.nodes)), coarse.state(coarse.initial())) == 0).all()


@pytest.mark.parametrize("schedule", ["constant", "hybrid_first"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_spread_is_the_transpose_of_means(dtype, schedule):
    coupling, coarse = built(schedule, dtype=dtype)
    rng, dtype = np.random.default_rng(2), jnp.dtype(dtype)
    nodes, means = (jnp.asarray(rng.normal(size=n), dtype) for n in (coupling.nodes.count, len(coarse.nodes)))
    values = jnp.asarray(rng.normal(size=80), dtype) if coupling.at_points else None
    at_values, at_nodes = coupling.spread(means)
    backward = at_nodes @ nodes + (0 if values is None else at_values @ values)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    assert float(means @ coupling.means(values, nodes)) == pytest.approx(float(backward), rel=tolerance)
    assert at_nodes.dtype == dtype


@pytest.mark.parametrize(("switch", "found"), [(5, [0, 0, 1, 1]), (None, [0, 1, 1, 1])])
def test_the_hand_over_comes_with_the_iteration_or_the_residual_and_never_goes_back(switch, found):
    _, coarse = built("hybrid_first", switch)
    record, over = coarse.initial(), []
    for iteration, residual in ((0, 2.0), (4, 0.09), (5, 0.5), (6, 3.0)):
        before, record = record, coarse.scheduled(record, iteration, residual)
        over.append(record.over)
        assert (record is before) == (record.over == before.over)
    assert over == found


def test_after_the_hand_over_the_second_coupling_is_alone():
    coupling, coarse = built("hybrid_first")
    means, upscaled = some_means(coarse), 2 * np.eye(2)
    first = coarse.update(coarse.initial(), upscaled, means)
    assert not coarse.is_due(first, upscaled)
    assert (first.updates, first.second.updates) == (1, 0)
    handed = coarse.scheduled(first, 3, 1.0)
    assert coarse.is_due(handed, upscaled)
    refused = coarse.update(handed, -upscaled, means)
    before = coupling.residual(jnp.asarray(means), coarse.state(first))
    np.testing.assert_array_equal(coupling.residual(jnp.asarray(means), coarse.state(refused)), before)
    assert coarse.is_due(refused, upscaled)
    second = coarse.update(handed, upscaled, means)
    residual = np.asarray(coupling.residual(jnp.asarray(means), coarse.state(second)))
    split = coupling.first.count
    assert not residual[:split].any() and residual[split:].any()
    assert not coarse.is_due(second, upscaled)
    assert len(second.y) == len(second.p) == len(coarse.nodes) == len(means)


def test_a_record_comes_back_from_its_file(tmp_path):
    _, coarse = built("hybrid_first")
    record = coarse.update(coarse.scheduled(coarse.initial(), 3, 1.0), 2 * np.eye(2), some_means(coarse))
    record = replace(record, second=replace(record.second, rejections=3))
    with h5py.File(tmp_path / "record.h5", "w") as file:
        write_record(file.create_group("coarse"), record)
    with h5py.File(tmp_path / "record.h5") as file:
        found = read_record(file["coarse"], coarse.initial())
    assert found.over is True and found.second.active is True and found.first.active is False
    assert (found.updates, found.rejections, found.strength) == (1, 3, 1.0)
    np.testing.assert_array_equal(found.second.y, record.second.y)
    np.testing.assert_array_equal(found.first.upscaled, record.first.upscaled)


@pytest.mark.parametrize(("update", "interval"), [("lazy", 100), ("every_step", 1)])
def test_updates(update, interval):
    _, coarse = built(update=update)
    record = coarse.update(coarse.initial(), np.eye(2), some_means(coarse))
    assert coarse.interval == interval
    assert coarse.is_due(record, np.eye(2)) == (update == "every_step")
    assert coarse.update(record, -np.eye(2), some_means(coarse)).rejections == 1
