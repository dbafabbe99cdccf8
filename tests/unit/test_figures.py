from pathlib import Path

import numpy as np
import pytest

from hpms.errors import UserError
from hpms.fem.p1 import P1Space
from hpms.fem.validation import validation_points
from hpms.figures.comparison import Column, Curve, _needed, comparison_figure
from hpms.figures.grid import TensorGrid, meshes
from hpms.figures.paraview import write_mesh
from hpms.figures.record import Record
from hpms.figures.run import run_figure
from hpms.figures.style import draw_positive, drawing, epsilon, new_figure, require_matplotlib
from hpms.results.collection import Group
from hpms.results.run import StoredRun

MESHIO_CELLS = {1: "line", 2: "quad", 3: "hexahedron"}
VALUES = {"coupling": {"name": "ball"}, "network": {"name": "mlp"}, "optimizer": {"name": "adam"}, "seed": 3}


def some_record(dim=1, coupling=True, fields=True, references=True, iterations=(0, 10, 20), scale=1.0):
    """A made-up run, without a file."""
    summary = {"fem_relative_l2": 1e-3, "fem_relative_h1": 1e-2, "fem_seconds": 0.005, "iteration": iterations[-1]}
    summary |= {"reference_upscaled_coefficient": 1.7 * np.eye(dim)}
    stored = StoredRun.__new__(StoredRun)
    stored.values, stored.summary = VALUES | {"problem": {"dim": dim, "eps": 0.25}}, summary | {"status": "running"}
    stored.experiment, stored.path = "some", Path("run.h5")
    x = np.array(iterations, float)
    history = {"iteration": x, "elapsed_seconds": x / 10, "compile_seconds": np.full(len(x), 2.0)}
    history |= {"residual": scale / (1 + x), "weighted_residual": scale / (1 + x), "loss": 2 * scale / (1 + x)}
    history |= {"relative_l2": scale / (1 + x), "relative_h1": 2 * scale / (1 + x)}
    history["upscaled_coefficient"] = (1 + x)[:, None, None] * np.eye(dim)
    if coupling:
        history |= {"coupling": x / 100, "weighted_coupling": 3 * x / 100, "coupling_stage": np.zeros(len(x))}
    return Record(stored, history, some_fields(dim, coupling, references) if fields else {})


def some_fields(dim, coupling, references):
    points, weights = validation_points(dim, 1.0, 8)
    u = np.sin(3 * points).prod(axis=1)
    found = {"points": points, "weights": weights, "value": 1.5 * u - 0.1, "reference_value": u}
    found |= {"gradient": points, "reference_gradient": 2 * points}
    if coupling:
        nodes = P1Space(dim, 0.25).nodes
        found |= {"nodes": nodes, "averages": nodes[:, 0], "coarse_state": -nodes[:, 0]}
    if coupling and references:
        found |= {"reference_averages": 2 * nodes[:, 0], "reference_coarse_state": np.full(len(nodes), np.nan)}
    return found


def figure_of(run):
    with drawing():
        return run_figure(run)


def panel(figure, title):
    (found,) = [axes for axes in figure.axes if axes.get_title("left").endswith(title)]
    return found


def labels(axes):
    return [line.get_label() for line in axes.get_lines() if not line.get_label().startswith("_")]


def test_a_1d_run_has_its_fields_beside_the_reference_and_its_history():
    run = some_record()
    figure = figure_of(run)
    assert len(figure.axes) == 8
    u, v = panel(figure, "solution").get_lines()
    np.testing.assert_array_equal(u.get_ydata(), run.fields["reference_value"])
    np.testing.assert_array_equal(v.get_ydata(), run.fields["value"])
    np.testing.assert_array_equal(v.get_xdata(), run.fields["points"][:, 0])
    (error,) = panel(figure, "pointwise error").get_lines()
    np.testing.assert_allclose(error.get_ydata(), np.abs(run.fields["value"] - run.fields["reference_value"]))
    assert labels(panel(figure, "averages")) == ["$y_h$", r"reference $\bar Q_\delta u$", r"$\bar Q_\delta v$"]
    assert labels(panel(figure, "loss terms")) == ["residual", "coupling", "weighted sum"]
    residual, coupling = panel(figure, "weights").get_lines()
    np.testing.assert_allclose(residual.get_ydata(), 1)
    np.testing.assert_allclose(coupling.get_ydata(), [np.nan, 3, 3])  # a term of 0 has no weight to show
    network, reference = panel(figure, "upscaled coefficient").get_lines()
    assert network.get_ydata().tolist() == [1, 11, 21] and reference.get_ydata() == [1.7, 1.7]


def test_the_fine_fem_stands_beside_the_errors_over_iterations_and_seconds():
    run = some_record()
    by_iteration, by_seconds = [axes for axes in figure_of(run).axes if axes.get_title("left").endswith(") errors")]
    for axes, x in ((by_iteration, [0, 10, 20]), (by_seconds, [2, 3, 4])):
        l2, h1, fem_l2, fem_h1 = axes.get_lines()
        assert l2.get_xdata().tolist() == h1.get_xdata().tolist() == x
        np.testing.assert_array_equal(h1.get_ydata(), run.history["relative_h1"])
        assert (fem_l2.get_ydata()[0], fem_h1.get_ydata()[0]) == (1e-3, 1e-2)
        assert "fine FEM, 0.005 s" in fem_l2.get_label()
        assert axes.get_yscale() == "log"
    assert (by_iteration.get_xlabel(), by_seconds.get_xlabel()) == ("iteration", "seconds")


@pytest.mark.parametrize("changed", [{"coupling": False}, {"references": False}, {"fields": False}])
def test_a_figure_leaves_out_what_a_run_does_not_have(changed):
    figure = figure_of(some_record(**changed))
    titles = " ".join(axes.get_title("left") for axes in figure.axes)
    assert ("averages" in titles) == ("references" in changed)
    assert ("solution" in titles) == ("fields" not in changed)
    if "references" in changed:
        assert labels(panel(figure, "averages")) == ["$y_h$", r"$\bar Q_\delta v$"]


def test_a_1d_run_has_room_for_a_bound_beside_all_else():
    run = some_record()
    figure = figure_of(
        Record(run.stored, run.history, run.fields | {"error_bound": np.ones(len(run.fields["points"]))})
    )
    assert len(figure.axes) == 9 and panel(figure, "(c) bound of the error") and panel(figure, "(i) errors")


def test_maps_share_a_scale_and_the_error_is_centred_on_zero():
    run = some_record(dim=2)
    figure = figure_of(run)

    def drawn(title):
        (mesh,) = panel(figure, title).collections
        return mesh

    u, v = run.fields["reference_value"], run.fields["value"]
    both = np.concatenate([u, v])
    assert drawn("network $v$").get_clim() == drawn("reference $u$").get_clim() == (both.min(), both.max())
    reach = np.abs(v - u).max()
    assert drawn("error $v - u$").get_clim() == (-reach, reach)
    assert drawn("$y_h$").get_clim() == drawn(r"reference $\bar Q_\delta u$").get_clim() == (-1, 2)
    shape = (8, 8)
    np.testing.assert_array_equal(drawn("network $v$").get_array(), v.reshape(shape).T)  # x₁ along the first axis
    assert drawn("network $v$").get_rasterized()


def test_a_3d_run_is_cut_near_the_middle():
    run = some_record(dim=3)
    grid = TensorGrid.of(run.fields["points"])
    z = grid.height
    assert z is not None and abs(z - 0.5) == np.abs(run.fields["points"][:, 2] - 0.5).min()
    on_plane = run.fields["points"][:, 2] == z
    np.testing.assert_array_equal(grid.plane(run.fields["value"]).ravel(), run.fields["value"][on_plane])
    assert len(panel(figure_of(run), "network $v$").collections) == 1


def test_a_grid_is_found_in_any_order_of_points():
    points = np.random.default_rng(0).permutation(P1Space(2, 0.25, np.array([0.1, 0.2]), np.array([0.9, 0.7])).nodes)
    grid = TensorGrid.of(points)
    np.testing.assert_array_equal(grid.array(points[:, 1]), np.broadcast_to(grid.axes[1], grid.shape))
    with pytest.raises(ValueError, match="no tensor grid"):
        TensorGrid.of(points[:-1])


def test_meshes_behind_each_other_are_told_apart():
    first, second = P1Space(2, 0.5).nodes, P1Space(2, 0.25, np.full(2, 0.2), np.full(2, 0.8)).nodes
    assert meshes(np.concatenate([first, second])) == [slice(0, 9), slice(9, len(first) + len(second))]
    assert meshes(first) == [slice(0, 9)]


def test_the_coarse_fields_are_those_of_the_coupling_at_work():
    run, inner = some_record(), P1Space(1, 0.25, np.array([0.2]), np.array([0.8])).nodes
    nodes = np.concatenate([run.fields["nodes"], inner])
    for stage, expected in ((0.0, run.fields["nodes"]), (1.0, inner)):
        history = run.history | {"coupling_stage": np.array([0.0, 0.0, stage])}
        found = Record(run.stored, history, run.fields | {"nodes": nodes, "averages": nodes[:, 0]}).coarse
        np.testing.assert_array_equal(found["nodes"], expected)
        np.testing.assert_array_equal(found["averages"], expected[:, 0])


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("suffix", ["vtu", "xdmf"])
def test_meshes_for_paraview_can_be_read_back(dim, suffix, tmp_path):
    meshio = pytest.importorskip("meshio")
    run = some_record(dim=dim)
    found = meshio.read(write_mesh(run, tmp_path, suffix))
    points, (cells,) = run.fields["points"], found.cells
    np.testing.assert_allclose(found.points[:, :dim], points)
    assert found.points.shape == (len(points), 3) and (found.points[:, dim:] == 0).all()
    assert cells.type == MESHIO_CELLS[dim] and len(cells.data) == 7**dim
    np.testing.assert_allclose(volumes(found.points[cells.data], dim).sum(), np.ptp(points[:, 0]) ** dim)
    assert (volumes(found.points[cells.data], dim) > 0).all()
    np.testing.assert_allclose(found.point_data["error"], run.fields["value"] - run.fields["reference_value"])
    np.testing.assert_allclose(found.point_data["gradient"][:, :dim], run.fields["gradient"])


def volumes(corners, dim):
    """Signed lengths, areas by the shoelace formula, or volumes of boxes."""
    if dim == 1:
        return corners[:, 1, 0] - corners[:, 0, 0]
    x, y = corners[:, :4, 0], corners[:, :4, 1]
    area = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1) / 2
    return area if dim == 2 else area * (corners[:, 4, 2] - corners[:, 0, 2])


def test_a_comparison_draws_the_median_and_the_range_of_the_seeds_that_got_there():
    runs = [some_record(scale=s) for s in (1.0, 4.0)] + [some_record(scale=2.0, iterations=(0, 10))]
    with drawing():
        figure = comparison_figure([Column("one", [Curve(("a",), "a (3 seeds)", runs)])])
    first = figure.axes[0]
    line, fem = first.get_lines()
    assert line.get_xdata().tolist() == [0, 10, 20]
    np.testing.assert_allclose(line.get_ydata(), [2, 2 / 11, 2.5 / 21])
    assert fem.get_ydata()[0] == 1e-3
    edge = first.collections[0].get_paths()[0].vertices
    assert {1.0, 4.0} <= set(edge[:, 1])
    assert [text.get_text() for text in figure.legends[0].texts] == ["a (3 seeds)", "fine FEM, 0.005 s"]


def test_one_name_has_one_style_in_all_columns():
    a, b, c = (Curve((name,), name, [some_record()]) for name in "abc")
    with drawing():
        figure = comparison_figure([Column("one", [a, b]), Column("two", [b, c])])
    assert [axes.get_title("left") for axes in figure.axes[:2]] == ["one", "two"]
    styles = [(line.get_label(), line.get_color()) for axes in figure.axes[:2] for line in axes.get_lines()[:2]]
    assert styles[1] == styles[2] and len({color for _, color in styles}) == 3


def test_names_of_two_parts_have_a_colour_by_one_and_dashes_by_the_other():
    curves = [Curve((a, b), f"{a}, {b}", [some_record()]) for a in "pq" for b in "xyz"]
    with drawing():
        lines = comparison_figure([Column("one", curves)]).axes[0].get_lines()[:6]
    colours, dashes = ([f(line) for line in lines] for f in (lambda n: n.get_color(), lambda n: n.get_linestyle()))
    assert colours[:3] == colours[3:] and len(set(colours)) == 3
    assert dashes == ["-"] * 3 + ["--"] * 3


def test_names_have_no_more_than_what_tells_curves_apart():
    keys = ["coupling", "optimizer", "runtime.precision"]
    methods = [("adam", "float32"), ("gauss_newton", "float64")]
    groups = [Group((coupling, *method), ()) for coupling in ("ball", "none") for method in methods]
    assert _needed(keys, [(keys, groups)]) == keys[:2]
    assert _needed(keys, [(keys, [*groups, Group(("ball", "adam", "float64"), ())])]) == keys


def test_iterations_of_unlike_lengths_are_logarithmic():
    curves = [Curve((name,), name, [some_record(iterations=(0, end))]) for name, end in (("a", 40), ("b", 5000))]
    with drawing():
        both, one = (comparison_figure([Column("one", shown)]).axes[0] for shown in (curves, curves[:1]))
    assert (both.get_xscale(), one.get_xscale()) == ("log", "linear")


@pytest.mark.parametrize(("value", "text"), [(1 / 15, "1/15"), (0.1, "0.1"), (0.25, "0.25"), (1 / 15.5, "0.06452")])
def test_epsilon_is_shown_as_it_was_meant(value, text):
    assert epsilon(value) == rf"$\varepsilon$ = {text}"


def test_nothing_positive_leaves_a_panel_without_a_logarithmic_axis():
    with drawing():
        axes = new_figure(2).subplots()
        draw_positive(axes, np.arange(3), np.array([0, -1, np.nan]))
    assert not axes.get_lines() and axes.get_yscale() == "linear"


def test_without_matplotlib_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'hpms\[plot\]'"):
        require_matplotlib()
    with pytest.raises(UserError, match=r"meshio.*pip install 'hpms\[plot\]'"):
        write_mesh(some_record(), Path(), "vtu")
