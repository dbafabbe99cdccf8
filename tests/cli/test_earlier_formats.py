"""Run files of earlier formats, written by the versions of their time, are still read."""

import shutil
from pathlib import Path

import h5py
import pytest

DATA = Path(__file__).parent.parent / "data"
FILES = sorted(DATA.glob("format*/*.h5"))


@pytest.fixture
def run(tmp_path):
    def copied(path):
        directory = Path("outputs/train/osc1d", path.stem, "seed=0")
        directory.mkdir(parents=True)
        shutil.copy(path, directory / "run.h5")
        return directory

    return copied


@pytest.mark.thorough
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_stored_network_is_evaluated(path, run, hpms):
    directory = run(path)
    result = hpms("evaluate", f"run={directory}", "checkpoint=best")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as found, h5py.File(path) as stored:
        for name in ("relative_l2", "relative_h1", "reference_upscaled_coefficient", "fem_relative_l2"):
            assert found["summary"].attrs[name] == pytest.approx(stored["summary"].attrs[name], rel=1e-4), name
        assert found["fields/value"][()] == pytest.approx(stored["fields/value"][()], rel=1e-3, abs=1e-6)


def test_tables_lists_and_figures_are_made(run, hpms):
    for path in FILES:
        run(path)
    assert hpms("list", "outputs/train").out.count("finished") == len(FILES)
    table = hpms("table", "outputs/train/osc1d")
    assert table.code == 0
    assert [line.split()[0] for line in table.out.splitlines()[2:5]] == ["ball", "consistent", "none"]
    assert hpms("plot", "outputs/train/osc1d").code == 0


def test_a_finished_run_of_an_earlier_format_is_left_alone_by_the_command_that_says_the_same_today(run, hpms):
    directory = run(DATA / "format1" / "none.h5")
    medium = ["+experiment=osc1d", "problem.eps=0.25", "network.width=4", "network.features=3", "coupling=none"]
    medium += ["collocation.interior_points=60", "coarse.h=0.1", "training.log_every=5", "balancing.interval=10"]
    command = [*medium, "reference.baseline_h=0.02", f"run_dir={directory}", "training.iterations=20"]
    before = (directory / "run.h5").read_bytes()
    same = hpms("train", *command, "training.divergence=null")
    assert same.code == 0 and "finished already" in same.out, same.err
    other = hpms("train", *command)
    assert other.code == 1 and "another configuration: training.divergence=None there" in other.err
    assert (directory / "run.h5").read_bytes() == before
