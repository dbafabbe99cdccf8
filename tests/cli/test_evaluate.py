from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.stored import edited


@pytest.fixture
def run(finished):
    return finished


def summary(path):
    with h5py.File(path) as file:
        return dict(file["summary"].attrs)


def test_a_run_is_reloaded_with_nothing_else_to_give(hpms, run):
    result = hpms("evaluate", f"run={run.parent}")
    assert result.code == 0 and result.err.startswith("-∇·(K∇w) = q in (0,1), eps = 0.25, K = 2 + sin(2*pi*x1/eps), q")
    found, expected = summary(result.last_line), summary(run)
    for name in ("relative_l2", "relative_h1", "upscaled_coefficient", "iteration"):
        assert np.allclose(found[name], expected[name], rtol=1e-5), name


def test_another_reference_and_the_latest_checkpoint(hpms, run):
    result = hpms("evaluate", f"run={run}", "checkpoint=latest", "reference.method=p1", "reference.h=1/400")
    found = summary(result.last_line)
    assert found["reference_method"].startswith("p1, h = 0.0025")
    assert found["iteration"] == summary(run)["iterations_done"]
    assert found["relative_l2"] == pytest.approx(summary(run)["relative_l2"], rel=0.2)


def test_a_wrong_checkpoint_or_reference_is_one_sentence(hpms, run):
    for wrong in ("checkpoint=worst", "reference.method=p3", "reference.hh=1"):
        code, _, err = hpms("evaluate", f"run={run.parent}", wrong)
        assert code == 1 and wrong.split("=")[0] in err and "Traceback" not in err


def test_a_file_that_is_not_a_run_is_one_sentence(hpms, tmp_path):
    (tmp_path / "run.h5").write_text("not HDF5")
    code, _, err = hpms("evaluate", "run=.")
    assert code == 1 and "cannot be read as a run" in err and "Traceback" not in err


def test_nothing_in_a_run_file_is_executed(hpms, run, tmp_path):
    with edited(Path(run)) as file:
        text = file["config"][()].decode()
        del file["config"]
        file["config"] = text.replace("name: expression", "name: !!python/object/apply:os.system ['touch hacked']", 1)
    code, _, err = hpms("evaluate", f"run={run.parent}")
    assert code == 1 and "cannot be read" in err
    assert not (tmp_path / "hacked").exists()
