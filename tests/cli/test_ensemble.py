import csv
import io
from dataclasses import replace
from pathlib import Path

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

from hpms import runs as members


def runs(folder):
    return sorted(Path(folder).glob("train/*/*/seed=*/run.h5"))


def content(path):
    with h5py.File(path) as file:
        timed = ("elapsed_seconds", "compile_seconds")
        metrics = {name: np.asarray(column) for name, column in file["metrics"].items() if name not in timed}
        return dict(file["summary"].attrs), np.asarray(file["checkpoint/latest/theta"]), metrics


@pytest.mark.thorough
def test_an_ensemble_is_its_runs(hpms, tiny):
    share = "coupling.share=0.5"  # a weight that differs between the members
    result = hpms("train", *tiny, share, "ensemble=2", "output=all")
    assert result.code == 0
    for seed in range(2):
        assert hpms("train", *tiny, share, f"seed={seed}", "output=one").code == 0
    together, apart = runs("all"), runs("one")
    assert len({content(path)[0]["tau2"] for path in apart}) == 2
    assert result.last_line == str(together[-1])
    assert [path.relative_to("all") for path in together] == [path.relative_to("one") for path in apart]
    table = hpms("table", "all", "--format", "csv").out
    (row,) = [row for row in csv.DictReader(io.StringIO(table)) if row["method"] == "network"]
    wall = [content(path)[0]["wall_seconds"] for path in together]
    assert float(row["seconds_mean"]) == pytest.approx(np.mean(wall) / 2)
    for a, b in zip(together, apart, strict=True):
        (summary, theta, metrics), (single, expected, expected_metrics) = content(a), content(b)
        assert summary["tau2"] == single["tau2"] > 1
        np.testing.assert_allclose(theta, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(metrics["coarse_updates"], expected_metrics["coarse_updates"])
        np.testing.assert_allclose(metrics["loss"], expected_metrics["loss"], rtol=1e-4)


def test_a_member_that_is_there_already_is_left_alone(hpms, tiny):
    path = Path(hpms("train", *tiny, "seed=1").last_line)
    before = path.read_bytes()
    result = hpms("train", *tiny, "ensemble=2")
    assert result.code == 0 and "finished already" in result.out
    assert path.read_bytes() == before
    assert len(runs("outputs")) == 2


@pytest.mark.slow
def test_an_interrupted_ensemble_goes_on(hpms, tiny, monkeypatch):
    hpms("train", *tiny, "ensemble=2", "output=whole")
    monkeypatch.setattr("hpms.training.loop._RESPONSE_SECONDS", 0)
    assert hpms("train", *tiny, "ensemble=2", "training.wall_limit=1e-9", "output=part").code == 0
    assert [content(path)[0]["status"] for path in runs("part")] == ["interrupted"] * 2
    assert hpms("train", *tiny, "ensemble=2", "output=part").code == 0
    for a, b in zip(runs("whole"), runs("part"), strict=True):
        np.testing.assert_array_equal(content(a)[1], content(b)[1])


@pytest.mark.thorough
def test_a_member_that_breaks_does_not_stop_the_others(hpms, tiny, monkeypatch):
    def poisoned(config, *arguments, **more):
        built = build(config, *arguments, **more)
        return replace(built, theta=jnp.full_like(built.theta, jnp.nan)) if config.seed == 1 else built

    build = members.build
    monkeypatch.setattr(members, "build", poisoned)
    assert hpms("train", *tiny, "ensemble=3").code == 1
    assert [content(path)[0]["status"] for path in runs("outputs")] == ["finished", "nan", "finished"]
