from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

import hpms as package
from hpms.cli.compose import composed, config_dir
from hpms.config.config import read_config
from hpms.errors import UserError

EXPERIMENTS = sorted(path.stem for path in Path(config_dir(), "experiment").rglob("*.yaml"))
OPTIONS = sorted(
    (path.parent.name, path.stem)
    for path in Path(config_dir()).glob("*/*.yaml")
    if path.parent.name not in ("experiment", "hydra", "method") and "???" not in path.read_text()
)
ELSEWHERE = ("osc1d", "quickstart", "darcy", "hooke", "hooke_strains", "layered_small", "osc2d_fast", "osc2d_small")
"""What other tests train much of, or scripts/wheel.sh; here it takes a minute each."""
FEW = (
    "training.iterations=3",
    "training.log_every=1",
    "training.bound_points=2000",
    "collocation.interior_points=1000",
    "runtime.block=250",
    "network.width=8",
    "network.depth=1",
    "coarse.h=0.05",
    "reference.method=p1",
    "reference.h=0.05",
    "reference.baseline_h=0.05",
)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "experiment", [pytest.param(e, marks=pytest.mark.slow if e in ELSEWHERE else ()) for e in EXPERIMENTS]
)
def test_every_experiment_runs_a_few_steps(hpms, experiment):
    result = hpms("train", f"+experiment={experiment}", *FEW)
    assert result.code == 0, result.err
    assert "finished: all 3 iterations are done" in result.out
    with h5py.File(result.last_line) as file:
        rows = {name: np.asarray(values) for name, values in file["metrics"].items()}
    assert list(rows["iteration"]) == [0, 1, 2, 3]
    assert all(np.isfinite(rows[name]).all() for name in ("residual", "loss", "relative_l2", "relative_h1"))
    assert rows["residual"][3] != rows["residual"][0]


@pytest.mark.thorough
@pytest.mark.parametrize("experiment", ELSEWHERE)
def test_every_experiment_is_built(experiment):
    built = package.build(package.configure(f"+experiment={experiment}", *FEW))
    assert len(built.points["interior"]) <= 1000 and np.isfinite(np.asarray(built.theta)).all()


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_is_composed_and_read(hpms, group, option):
    """Read and refused only for the key that is wrong on purpose."""
    dim = 2 if option in ("osc2d", "layered_angle") else 1
    periods = ("coefficient.periods=null",)
    if group == "coefficient" and "periods" not in Path(config_dir(), group, f"{option}.yaml").read_text():
        periods = ()
    given = ("coefficient=constant", "source=constant") if group == "problem" and option != "unit_cube" else ()
    dim = 2 if option in ("polygon", "perforated", "pulled") else dim
    code, _, err = hpms("train", f"{group}={option}", f"problem.dim={dim}", *periods, *given, "seed=x")
    wrong = "problem.path" if option == "mesh" else "seed=x is not allowed"
    assert code == 1 and wrong in err, err


@pytest.mark.thorough
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_takes_every_option(experiment):
    """No experiment sets a key that only its own options have; what is refused then is for a reason that names values.

    The reasons are those of checks that come after all keys of all groups have been read.
    """
    groups = {group: [option for g, option in OPTIONS if g == group] for group, _ in OPTIONS}
    for i in range(max(map(len, groups.values()))):
        chosen = {group: options[i % len(options)] for group, options in groups.items()}
        found = composed("train", f"+experiment={experiment}", *(f"{g}={option}" for g, option in chosen.items()))
        said = refusal(found)
        assert not any(words in said for words in ("is not a key", "has no value", "${")), (chosen, said)


def refusal(values):
    try:
        read_config(values)
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("constants", [("constants.a=2", "constants.b=1"), ("constants={a:2,b:1}",)])
def test_a_formula_has_constants_of_ones_own(hpms, tiny, constants):
    typed = [f"coefficient.{constant}" for constant in constants]
    formula = ("coefficient=expression", "coefficient.formula=a+b+x1")
    result = hpms("train", *tiny, *formula, *typed, "training.iterations=1")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        assert yaml.safe_load(file["config"][()])["coefficient"]["constants"] == {"a": 2.0, "b": 1.0}
