from pathlib import Path

import h5py
import pytest

from hpms.app import config_dir

EXPERIMENTS = sorted(path.stem for path in Path(config_dir(), "experiment").rglob("*.yaml"))
OPTIONS = sorted(
    (path.parent.name, path.stem)
    for path in Path(config_dir()).glob("*/*.yaml")
    if path.parent.name not in ("experiment", "hydra") and path.stem != "expression"
)
FEW = (
    "training.iterations=3",
    "training.log_every=1",
    "collocation.interior=2000",
    "reference.method=p1",
    "reference.h=0.02",
)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs_a_few_steps(hpms, experiment):
    result = hpms("train", f"+experiment={experiment}", *FEW, "reference.fem_h=0.02", "runtime.block=500")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        assert list(file["metrics/iteration"]) == [0, 1, 2, 3]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_is_composed_and_read(hpms, group, option):
    """Read and refused only for the key that is wrong on purpose."""
    dim = 2 if option == "osc2d" else 1
    code, _, err = hpms("train", f"{group}={option}", f"problem.dim={dim}", "coefficient.periods=null", "seed=x")
    if group == "coefficient" and option == "layered":
        code, _, err = hpms("train", f"{group}={option}", f"problem.dim={dim}", "seed=x")
    assert code == 1 and "seed=x is not allowed" in err, err
