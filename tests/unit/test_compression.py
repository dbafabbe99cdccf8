import numpy as np
import pytest

from hpms.coupling.compression import compression_matrix
from hpms.errors import ConfigError, UserError
from tests.problems import lattice


def brute_force(nodes, points, delta, v):
    means = []
    for node in nodes:
        inside = np.linalg.norm(points - node, axis=1) <= delta / 2
        near = min(node.min(), 1 - node.max()) <= delta / 2 + 1e-12
        means.append(v(node[None])[0] if near else v(points[inside]).mean())
    return np.array(means)


@pytest.mark.parametrize(("dim", "delta", "count"), [(1, 0.1, 21), (1, 0.37, 11), (2, 0.3, 9), (3, 0.6, 6)])
def test_compression_matrix_are_brute_force_means(dim, delta, count):
    points, nodes = np.random.default_rng(0).random((3000, dim)), lattice(dim, count)
    v = lambda x: np.sin(3 * x).sum(axis=1) + x[:, 0] ** 2  # noqa: E731
    matrix, frame = compression_matrix(nodes, points, delta)
    means = matrix @ np.concatenate([v(points), v(nodes[frame])])
    np.testing.assert_allclose(means, brute_force(nodes, points, delta, v), rtol=0, atol=1e-13)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-13)


@pytest.mark.parametrize("dim", [1, 2])
def test_the_frame_is_where_a_ball_does_not_fit(dim):
    nodes = lattice(dim, 11)
    _, frame = compression_matrix(nodes, np.random.default_rng(0).random((4000, dim)), 0.2)
    touching = np.isclose(np.minimum(nodes, 1 - nodes).min(axis=1), [0.1]) | (nodes == 0).any(1) | (nodes == 1).any(1)
    np.testing.assert_array_equal(frame, np.flatnonzero(touching))


def test_a_point_on_a_node_is_in_its_ball():
    matrix, _ = compression_matrix(np.array([[0.5]]), np.array([[0.5], [0.9]]), 0.1)
    np.testing.assert_array_equal(matrix.toarray(), [[1, 0]])


def test_an_empty_ball_names_delta_the_node_and_the_number_of_points():
    points = np.array([[0.1], [0.2], [0.8]])
    with pytest.raises(
        UserError, match=r"coupling\.delta=0\.1 .*coarse node \(0\.5\).*collocation\.interior_points=3 points"
    ):
        compression_matrix(lattice(1, 3), points, 0.1)


def test_a_few_empty_balls_take_the_value_at_their_centre():
    nodes, points = lattice(1, 31), np.random.default_rng(0).random((4000, 1))
    points = points[np.abs(points[:, 0] - 0.5) > 0.03]
    matrix, frame = compression_matrix(nodes, points, 0.05)
    assert [x for x in nodes[frame, 0] if 0.1 < x < 0.9] == [0.5]
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-13)
    assert matrix[15].nnz == 1 and matrix[15, len(points) + list(frame).index(15)] == 1


def test_a_ball_that_fits_nowhere_is_refused():
    with pytest.raises(ConfigError, match=r"coupling\.delta=0\.99"):
        compression_matrix(lattice(1, 4), np.random.default_rng(0).random((50, 1)), 0.99)
