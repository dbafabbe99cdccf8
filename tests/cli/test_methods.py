"""`+method=...`: how a problem is solved, apart from the problem."""

from pathlib import Path

import h5py
import pytest
import yaml

from hpms.cli.compose import composed, config_dir
from hpms.config.config import GROUPS, read_config
from hpms.errors import UserError

METHODS = sorted(path.stem for path in Path(config_dir(), "method").glob("*.yaml"))
PROBLEM = ("problem", "law", "coefficient", "source", "reference")
OWN = (
    "problem=box",
    "problem.sides=[2,1]",
    "problem.conditions={left:{dirichlet:0},right:{neumann:1},all:{robin:[1,x1]}}",
    "coefficient=expression",
    "coefficient.formula=2+sin(2*pi*x1/eps)*x2",
    "source=constant",
)
IDENTITIES = {  # of the experiments
    "layered_small coupling=consistent_small": "1f7d4e680f93",
    "osc1d": "f4a7e92faed6",
    "osc1d problem.eps=0.02": "49ae25909d36",
    "osc1d_fast": "b280e4ea5e90",
    "osc2d": "ed9f25f95dab",
    "osc2d problem.dim=3 coefficient=layered": "d06a78aa6731",
    "osc2d_fast": "005a532267fe",
    "osc2d_fast problem.dim=3 coefficient=layered": "97eb17cd3556",
    "osc2d_small coupling=consistent_small": "de53b817b53b",
    "osc2d_small problem.eps=0.02 coupling=consistent_small": "aff1404e2f8f",
    "quickstart": "567d2e549b15",
}


def read(*overrides):
    return read_config(composed("train", *overrides))


@pytest.mark.parametrize("experiment", IDENTITIES)
def test_the_runs_of_every_experiment_are_those_that_they_were(experiment):
    assert read(*f"+experiment={experiment}".split()).identity() == IDENTITIES[experiment]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_says_nothing_of_the_problem(method):
    plain, chosen = composed("train", resolve=False), composed("train", f"+method={method}", resolve=False)
    assert [plain[group] for group in PROBLEM] == [chosen[group] for group in PROBLEM]
    assert plain.keys() == chosen.keys() == {*GROUPS, *plain}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_method_is_for_any_dimension(method, dim):
    config = read(f"+method={method}", f"problem.dim={dim}", "coefficient=layered", "source=constant")
    assert config.names["upscaling"] == "isotropic"


@pytest.mark.thorough
def test_fast_alone_is_enough_for_conditions_of_ones_own(hpms):
    few = (
        "collocation.interior_points=60",
        "collocation.boundary_points=40",
        "training.iterations=2",
        "reference.baseline_h=0.1",
    )
    small = ("network.width=4", "network.slow_width=4", "network.rank=1", "reference.h=0.1", "problem.eps=0.5")
    result = hpms("train", *OWN, "+method=fast", *few, *small)
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        values = yaml.safe_load(file["config"][()])
    assert [values[group]["name"] for group in ("upscaling", "coupling", "optimizer")] == [
        "none",
        "none",
        "gauss_newton",
    ]
    assert values["source"]["formula"] == "q" and values["network"]["periods"] is None
    assert "the coefficient names no periods: the network takes problem.eps=0.5" in result.err
    assert "outputs/train/custom/" in result.last_line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("+method=small", "coupling=consistent"), "coupling=consistent is not allowed"),
        (("+method=paper",), "take +method=fast, or coupling=galerkin or none, with problem=box"),
        (("+method=fast", "upscaling=isotropic"), "upscaling=isotropic is not allowed"),
        (("+method=fast", "coupling=ball", "upscaling=isotropic"), "coupling=ball is not allowed"),
    ],
)
def test_what_needs_the_papers_conditions_is_refused(options, message):
    with pytest.raises(UserError) as refused:
        read(*OWN, *options)
    assert message in str(refused.value)


def test_small_is_for_conditions_of_ones_own():
    config = read(*OWN, "+method=small")
    assert config.names["coupling"] == "galerkin" and config.names["upscaling"] == "none"


def test_an_unknown_method_is_one_sentence(hpms):
    code, _, err = hpms("train", "+method=nonsense")
    assert code == 1 and err.startswith(
        "hpms train: method=nonsense is not an option: choose fast or paper or small. One"
    )


@pytest.mark.parametrize("typed", [("+experiment=osc2d", "+method=fast"), ("method=fast", "+experiment=osc2d")])
def test_an_experiment_takes_another_method(typed):
    config = read(*typed)
    assert config.names["optimizer"] == "gauss_newton" and "sin(pi*x1/eps)" in config.plain()["coefficient"]["formula"]
    assert config.collocation.interior_points == 4000


def test_what_is_typed_stands_above_the_method():
    assert read("network=mlp", "training.iterations=7", "+method=fast").names["network"] == "mlp"
    assert read("training.iterations=7", "+method=fast").training.iterations == 7
