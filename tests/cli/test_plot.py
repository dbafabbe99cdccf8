import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hpms.commands import plot, train
from hpms.commands.plot import _with_fields
from hpms.errors import UserError
from hpms.figures.record import record
from hpms.results.run import StoredRun
from tests.stored import edited


@pytest.fixture
def trained(hpms, tiny, kept, tmp_path):
    """The directories of a run that was trained with plot=true, and of a copy of it."""
    if not any(kept.iterdir()):
        result = hpms("train", *tiny, "plot=true")
        assert result.code == 0 and result.last_line.endswith("seed=0/run.h5") and "fontTools" not in result.err
        shutil.copytree(tmp_path / "outputs", kept / "outputs")
    shutil.copytree(kept / "outputs", tmp_path / "outputs", dirs_exist_ok=True)
    (found,) = [path.parent.relative_to(tmp_path) for path in tmp_path.rglob("run.h5")]
    shutil.copytree(found, found.with_name("seed=1"))
    with edited(found.with_name("seed=1") / "run.h5") as file:
        text = file["config"][()].decode()
        del file["config"]
        file["config"] = text.replace("seed: 0", "seed: 1")
    return found, found.with_name("seed=1")


def test_training_leaves_a_figure(trained):
    pdf = (trained[0] / "figure.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-") and b"/Type3" not in pdf  # fonts that publishers take
    assert (trained[0] / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_finished_run_gets_the_figure_that_it_misses(hpms, tiny, trained, monkeypatch):
    drawn = []
    monkeypatch.setattr(train, "plot_run", lambda stored, folder: drawn.append(folder) or [])
    assert hpms("train", *tiny, "plot=true").code == 0 and not drawn
    (trained[0] / "figure.png").unlink()
    assert hpms("train", *tiny).code == 0 and not drawn
    result = hpms("train", *tiny, "plot=true")
    assert "finished already" in result.out and result.last_line.endswith("run.h5")
    assert drawn == [trained[0]]


def test_the_reference_has_averages_and_a_coarse_state_at_the_coarse_nodes(trained):
    fields = StoredRun(trained[0]).fields()
    x, means, state = fields["nodes"][:, 0], fields["reference_averages"], fields["reference_coarse_state"]
    frame = np.minimum(x, 1 - x) <= 0.125  # δ = ε = 1/4
    points, u = fields["points"][:, 0], fields["reference_value"]
    np.testing.assert_allclose(means[frame & (x > 0) & (x < 1)], np.interp([0.1, 0.9], points, u), atol=2e-3)
    inside = np.abs(points[:, None] - x[~frame]) < 0.125
    mean = [np.average(u[near], weights=fields["weights"][near]) for near in inside.T]
    np.testing.assert_allclose(means[~frame], mean, atol=0.05 * np.abs(u).max())
    assert np.abs(state[[0, -1]]).max() < 1e-9 * np.abs(state).max() and np.isfinite(state).all()


def test_one_run_is_drawn_beside_it_or_elsewhere(trained, capsys):
    (trained[0] / "figure.png").unlink()
    assert plot.main([str(trained[0] / "run.h5"), "--format", "png"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(trained[0] / "figure.png")
    assert (trained[0] / "figure.png").exists()
    assert plot.main([str(trained[0]), "--output", "there", "--format", "vtu,xdmf"]) == 0
    assert {path.name for path in Path("there").iterdir()} == {"fields.vtu", "fields.xdmf", "fields.h5"}


def test_a_run_at_work_has_the_rows_of_its_log_and_the_fields_of_its_best_checkpoint(trained, capsys):
    directory = trained[0]
    written = StoredRun(directory).fields()
    log = directory / "metrics.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([*lines, '{"iteration": 25, "loss":']))
    with edited(directory / "run.h5") as file:
        file["summary"].attrs["status"] = "running"
        del file["fields"]
        file.create_group("fields")
        for name in list(file["metrics"]):
            short = file[f"metrics/{name}"][()][[0, -1]]
            del file[f"metrics/{name}"]
            file[f"metrics/{name}"] = short
    found = _with_fields(record(StoredRun(directory)))
    assert found.iterations.tolist() == [0, 5, 10, 15, 20]
    assert set(found.fields) == set(written)
    for name, values in written.items():
        np.testing.assert_allclose(found.fields[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
    (directory / "figure.png").unlink()
    assert plot.main([str(directory), "--format", "png"]) == 0
    assert (directory / "figure.png").exists() and not capsys.readouterr().err


def test_several_runs_are_compared_in_their_common_folder_and_broken_ones_named(trained, capsys):
    broken = trained[0].with_name("seed=7")
    broken.mkdir()
    (broken / "run.h5").write_bytes(b"no run")
    assert plot.main(["outputs", "--by", "coupling", "--format", "png"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == str(trained[0].parent / "errors.png") and os.path.getsize(out.splitlines()[-1])
    assert "seed=7" in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["nowhere"], "nowhere: there are no runs"),
        (["outputs", "--format", "png,jpg"], "--format=jpg is not allowed: choose from pdf, png, vtu, xdmf"),
        (["outputs", "--format", "vtu"], "--format=vtu is not allowed: it writes the fields of one run"),
        (["outputs", "--by", "copling"], "--by=copling is not allowed: no run has this key. Did you mean 'coupling'"),
        (["outputs", "--plugins", "no_such"], "plugins=[no_such] cannot be imported"),
    ],
)
def test_a_mistake_is_one_sentence(hpms, trained, arguments, sentence):
    code, out, err = hpms("plot", *arguments)
    assert code == 1
    assert not out and err.startswith(f"hpms plot: {sentence}") and len(err.splitlines()) == 1


def test_without_matplotlib_plot_is_refused_at_once_unless_an_experiment_asked_for_it(hpms, tiny, monkeypatch, caplog):
    def missing():
        raise UserError("figures need Matplotlib: pip install 'hpms[plot]'.")

    monkeypatch.setattr(train, "require_matplotlib", missing)
    code, out, err = hpms("train", *tiny, "plot=true")
    assert (code, err) == (1, "hpms train: figures need Matplotlib: pip install 'hpms[plot]'.\n")
    assert not Path("outputs/train").exists()
    monkeypatch.setattr("hpms.runs.fine_problem", lambda config: (_ for _ in ()).throw(UserError("far enough.")))
    code, out, err = hpms("train", "+experiment=quickstart")
    assert "plot=true is left out: figures need Matplotlib" in err + caplog.text + out and "far enough" in err


def test_a_figure_that_fails_leaves_the_run_finished(hpms, tiny, trained, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("no ink")

    monkeypatch.setattr(train, "plot_run", broken)
    (trained[0] / "figure.png").unlink()
    result = hpms("train", *tiny, "plot=true")
    assert result.code == 0 and "no ink" in result.err + caplog.text + result.out


def test_other_commands_ignore_that_the_quickstart_draws(hpms):
    assert hpms("reference", "+experiment=quickstart", "reference.h=0.1", "reference.baseline_h=0.1").code == 0
