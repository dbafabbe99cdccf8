"""`hpms list` and `hpms table` over the runs of one sweep."""

import csv
import io
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.stored import edited


@pytest.fixture
def runs(trained_once):
    """Two seeds with and without a coupling, one of them with another network too; the folder."""
    return trained_once(train)


def train(hpms, tiny):
    few = [key for key in tiny if not key.startswith("coupling.")]
    assert hpms("train", "-m", *few, "coupling=none,hybrid", "seed=0,1", "problem.eps=0.25").code == 0
    assert hpms("train", *few, "coupling=none", "network=mlp", "network.features=4").code == 1
    few = [key for key in few if key != "network.features=4"]
    assert hpms("train", *few, "coupling=none", "network=mlp").code == 0


def seeds(folder, coupling):
    """The files of the seeds with a coupling and network=ms_pinn."""
    found = []
    for path in sorted(folder.rglob("run.h5")):
        with h5py.File(path) as file:
            text = file["config"][()].decode()
            if f"coupling:\n  name: {coupling}" in text and "network:\n  name: ms_pinn" in text:
                found.append(path)
    return found


def errors(folder, coupling):
    found = []
    for path in seeds(folder, coupling):
        with h5py.File(path) as file:
            found.append(file["summary"].attrs["relative_l2"])
    return np.array(found)


def test_the_table_has_means_deviations_and_what_is_missing(hpms, runs):
    code, out, _ = hpms("table", str(runs))
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in lines[2:6]] == [
        ["ball", "mlp"],
        ["ball", "ms_pinn"],
        ["none", "mlp"],
        ["none", "ms_pinn"],
    ]
    assert lines[2].split()[2:6] == ["missing"] * 4
    assert lines[6].startswith("fine FEM  P1, h = 0.02")
    found = errors(runs, "none")
    assert f"{found.mean():.2e} ± {found.std(ddof=1):.2e}" in lines[5]


def test_a_trapped_run_counts_as_failed_and_is_in_the_mean(hpms, runs):
    for path, error in zip(seeds(runs, "none"), (0.9, 0.95), strict=True):
        with edited(path) as file:
            file["summary"].attrs["relative_l2"] = error
    line = hpms("table", str(runs)).out.splitlines()[5]
    assert "9.25e-01 ± 3.54e-02" in line and line.rstrip().endswith("1 of 2")


def test_csv_has_all_digits(hpms, runs):
    _, out, _ = hpms("table", str(runs), "--format", "csv")
    (row,) = [r for r in csv.DictReader(io.StringIO(out)) if (r["coupling"], r["network"]) == ("ball", "ms_pinn")]
    assert float(row["relative_l2_mean"]) == errors(runs, "ball").mean()
    assert row["runs"] == "2"


def test_latex_and_markdown(hpms, runs, tmp_path):
    _, out, _ = hpms("table", str(runs), "--format", "latex", "--by", "network")
    assert out.startswith("\\begin{tabular}{llllll}") and r"ms\_pinn" in out and r"$\pm$" in out
    code, out, _ = hpms("table", str(runs), "--format", "markdown", "--output", "t.md")
    assert code == 0 and out.strip() == "t.md" and (tmp_path / "t.md").read_text().startswith("| coupling | network |")


def test_the_list_has_a_row_for_each_run(hpms, runs):
    _, out, _ = hpms("list", str(runs), "--wide")
    assert len(out.splitlines()) == 2 + 5
    assert out.count("finished") == 5
    _, out, _ = hpms("list", f"{runs}/*/seed=0", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(out)))
    assert len(found) == 3 and {row["seed"] for row in found} == {"0"}
    assert {row["problem.eps"] for row in found} == {"0.25"}


def test_a_broken_file_is_left_out_and_said_so(hpms, runs):
    (runs / "broken").mkdir()
    (runs / "broken/run.h5").write_bytes(b"not HDF5")
    code, out, err = hpms("list", str(runs), "--wide")
    assert code == 0 and len(out.splitlines()) == 2 + 5
    assert "left out: " in err and "broken/run.h5 cannot be read as a run" in err
    shutil.rmtree(runs / "broken")


def test_what_is_wrong_is_one_sentence(hpms, tmp_path):
    code, _, err = hpms("table", "nowhere")
    assert code == 1 and err == "hpms table: nowhere: there are no runs, no folder with a run.h5 in it.\n"
    code, _, err = hpms("list")
    assert code == 2 and "PLACE" in err


def test_an_unknown_key_is_named(hpms, runs):
    code, _, err = hpms("table", str(runs), "--by", "netwrok")
    assert code == 1 and "--by=netwrok is not allowed" in err and "Did you mean 'network'" in err


@pytest.mark.thorough
def test_an_attempt_counts_once_however_often_it_is_named(hpms, tiny):
    for more in ((), ("force=true",)):
        assert hpms("train", *tiny, *more).code == 0
    _, out, err = hpms("table", "outputs", str(Path("outputs/train").absolute()), "--format", "csv")
    assert [row["runs"] for row in csv.DictReader(io.StringIO(out)) if row["method"] == "network"] == ["1"]
    assert err.count("left out") == 1 and "seed=0: a later run has the same configuration and seed" in err
    assert len(hpms("list", "outputs", "--wide").out.splitlines()) == 4
    assert "leave out --by" in hpms("table", "outputs", "--findings", "--by", "seed").err
