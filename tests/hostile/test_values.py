"""Values that would take all memory, all time, or a place that nobody meant."""

from pathlib import Path

import pytest

from hpms import runs, size
from hpms.commands import train
from hpms.options.coefficient import ExpressionOptions, LayeredOptions
from hpms.problem import smoothness
from hpms.problem.smoothness import warn_of_roughness
from hpms.results.lock import locked

LARGE = [
    "collocation.interior_points=1e12",
    "collocation.interior_points=1e9",
    "collocation.boundary_points=1e12",
    "network.width=1e6",
]
LARGE += ["network.features=1e9", "ensemble=1000000"]
DEEP = ["network.depth=100000", "coarse.h=1e-9", "reference.h=1e-9", "reference.baseline_h=1e-9", "coarse.h=1e-310"]
DEEP += ["reference.h=1e-310", "reference.baseline_h=1e-310", "problem.eps=1e-310", "network.width=1e300"]


@pytest.mark.parametrize("value", LARGE)
def test_what_does_not_fit_is_refused_with_the_gigabytes(hpms, tiny, value):
    code, _, err = hpms("train", *tiny, value)
    assert code == 1 and err.startswith(f"hpms train: {value.split('=')[0]}=") and err.count("\n") == 1
    assert "GB of memory" in err and "available" in err


@pytest.mark.parametrize(
    ("network", "says", "least"),
    [
        (["width=5000", "subdomains=[8]"], "network.width=5000", 4 * 2 * 3 * (2 * 5000 + 1) * 200_000 * 4 / 1e9),
        (["width=100", "subdomains=[199999]"], "network.subdomains=[199999]", 12 * 199_999 * 100 * 100 * 4 / 1e9),
    ],
    ids=["activations", "parameters"],
)
def test_subdomains_count_and_their_networks_where_they_meet(hpms, monkeypatch, network, says, least):
    monkeypatch.setattr(size, "available", lambda: 1.0)
    many = ("collocation.interior_points=200000", "runtime.block=200000")
    code, _, err = hpms("train", "+experiment=osc1d", "network=fbpinn", *(f"network.{key}" for key in network), *many)
    assert code == 1 and err.startswith(f"hpms train: {says} is not allowed: it needs some ")
    assert least < float(err.partition("some ")[2].partition(" GB")[0].replace(",", "")) < 1.1 * least


@pytest.mark.parametrize("value", DEEP)
def test_what_would_never_end_is_refused(hpms, tiny, value):
    code, _, err = hpms("train", *tiny, value)
    assert code == 1 and err.startswith(f"hpms train: {value.split('=')[0]}=") and err.count("\n") == 1


@pytest.mark.parametrize("value", ["output=", "output=~/runs", "run_dir=~", "reference.cache=", "output=' '"])
def test_a_folder_is_written_out(hpms, tiny, tmp_path, value):
    code, _, err = hpms("train", *tiny, value)
    assert code == 1 and "is not allowed" in err and "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_a_three_dimensional_problem_has_a_reference_of_a_size_that_ends_or_meets_the_wall_limit(hpms, monkeypatch):
    monkeypatch.setattr(runs, "_PATIENCE", 0.0)
    formula = ("coefficient=expression", "coefficient.formula=2+sin(2*pi*x1/eps)", "source=constant")
    small = ("network=mlp", "network.width=4", "network.depth=1", "training.iterations=1")
    three = (
        "problem.dim=3",
        "problem.eps=0.5",
        "collocation.interior_points=100",
        "coupling=none",
        "training.wall_limit=3",
    )
    code, _, err = hpms("train", *formula, *small, *three)
    assert code == 1 and "computing the reference: 140,608 unknowns" in err and "training.wall_limit=3" in err


@pytest.fixture
def warnings(monkeypatch):
    found = []
    monkeypatch.setattr(smoothness.log, "warning", lambda text, *values: found.append(text % values))
    return found


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("where(sin(2*pi*x1/eps) > 0, 1, 1e4)", "jumps near"),
        ("1/abs(x1 - 0.5) + 1", "jumps near"),
        ("2 + floor(3*x1)", "jumps near"),
        ("2 + abs(x1 - 0.5)", "uses abs of x"),
        ("1 + exp(16*sin(2*pi*x1/eps))", "contrast"),
        ("2 + sin(2*pi*x1/eps)", ""),
        ("2 + abs(eps)", ""),
    ],
)
def test_what_the_residual_does_not_see_is_said(warnings, formula, said):
    warn_of_roughness(ExpressionOptions(formula, {}, None).build(1, 0.1), (1.0,), single=True)
    assert said in " ".join(warnings) and bool(said) == bool(warnings)


def test_a_smooth_laminate_is_not_called_rough(warnings):
    warn_of_roughness(LayeredOptions(1.0, 5.0, 1, 0.1).build(2, 0.1), (1.0, 1.0), single=True)
    assert not warnings


def test_a_device_without_memory_is_one_sentence(hpms, tiny, monkeypatch):
    def exhausted(*arguments):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 123 bytes")

    monkeypatch.setattr(runs, "measure", exhausted)
    code, _, err = hpms("train", *tiny)
    assert code == 1 and err.count("hpms train: ") == 1, err
    assert "not enough memory for this: lower runtime.block" in err.splitlines()[-1]


@pytest.mark.parametrize(("given", "said"), [((), "add force=true"), (("run_dir=mine",), "give a new run_dir")])
def test_a_run_in_use_is_said_before_anything_is_built(hpms, tiny, monkeypatch, given, said):
    monkeypatch.setattr(runs, "measure", lambda *arguments: pytest.fail("the lock comes first"))
    monkeypatch.setattr(train, "run_directory", lambda *arguments, **more: Path("mine"))
    with locked(Path("mine")):
        code, _, err = hpms("train", *tiny, *given)
    assert (
        code == 1 and err.startswith("hpms train: mine is in use by another process: wait for it, or") and said in err
    )


def test_pairs_that_do_not_fit_are_refused(hpms, tiny):
    code, _, err = hpms("train", *tiny, "optimizer=lbfgs", "optimizer.memory=1e9")
    assert code == 1 and err.startswith("hpms train: optimizer.memory=") and "GB of memory" in err


@pytest.mark.parametrize("name", ["a-b", "1"])
def test_a_constant_has_a_name(hpms, tiny, name):
    formula = ("coefficient=expression", "coefficient.formula=2", f"coefficient.constants={{{name}:1}}")
    code, _, err = hpms("train", *tiny, *formula)
    assert code == 1 and "letters, digits and underscores" in err


def test_a_wall_limit_of_centuries_and_a_coefficient_that_is_zero_at_the_edge_are_no_tracebacks(hpms, tiny):
    edge = ("coefficient=expression", "coefficient.formula=x1", "coefficient.periods=null")
    result = hpms("train", *tiny, *edge, "training.wall_limit=1e10")
    assert "Traceback" not in result.err and result.code in (0, 1)
    assert result.code == 0 or result.err.splitlines()[-1].startswith("hpms train: ")
