"""`coarse=p1` and `reference=default` as they are read and checked."""

import logging
from types import SimpleNamespace

import pytest

from hpms.config.registry import option
from hpms.config.schema import read
from hpms.errors import ConfigError, UserError
from hpms.options.coarse import P1Options
from hpms.options.coupling import BallOptions, NoneOptions
from hpms.options.reference import DefaultOptions

REFERENCE = {"method": "auto", "h": None, "baseline_h": "eps/40", "delta": "eps", "cache": "outputs"}


BALL = BallOptions(1.0, None, 0.1, False, "lazy", "present", 100, 0.01, "constant", 0.1)


def config(dim=2, eps=0.1, coupling=BALL):
    problem = SimpleNamespace(dim=dim, eps=eps, lengths=(1.0,) * dim)
    return SimpleNamespace(
        problem=problem, coupling=coupling, law=SimpleNamespace(is_the_papers=True, components=lambda dim: 1)
    )


def test_options_are_registered():
    assert option("coarse", "p1") is P1Options
    assert option("reference", "default") is DefaultOptions


def test_coarse_space_is_built():
    space = read(P1Options, {"name": "p1", "h": "1/25"}, "coarse").build(2, 1)
    assert space.dim == 2 and space.h == 0.04
    assert P1Options(0.04).build(2, 4).n == 28


@pytest.mark.parametrize("h", [0, -0.1, 0.6, "nan", "abc", None])
def test_coarse_width_is_checked(h):
    with pytest.raises(ConfigError, match=r"coarse\.h"):
        read(P1Options, {"h": h}, "coarse")


def test_a_coarse_mesh_wider_than_eps_is_a_warning_for_averages_over_balls(caplog):
    with caplog.at_level(logging.WARNING):
        P1Options(0.04).check(config(eps=0.1))
        P1Options(0.2).check(config(eps=0.1, coupling=NoneOptions()))
        assert not caplog.records
        P1Options(0.2).check(config(eps=0.1))
    assert "coarse.h=0.2 is larger than problem.eps=0.1" in caplog.text


def test_reference_is_read():
    assert read(DefaultOptions, REFERENCE, "reference", {"eps": 0.1}) == DefaultOptions(
        "auto", None, 0.0025, 0.1, "outputs"
    )


@pytest.mark.parametrize(
    ("key", "bad"), [("method", "p3"), ("h", 0), ("baseline_h", 0), ("baseline_h", None), ("cache", None)]
)
def test_reference_keys_are_checked(key, bad):
    with pytest.raises(ConfigError, match=rf"reference\.{key}"):
        read(DefaultOptions, {**REFERENCE, key: bad}, "reference", {"eps": 0.1})


def test_there_are_no_defaults():
    for key in REFERENCE:
        with pytest.raises(UserError, match=f"reference.{key} has no value"):
            read(DefaultOptions, {k: v for k, v in REFERENCE.items() if k != key}, "reference", {"eps": 0.1})


def test_exact_needs_one_dimension():
    DefaultOptions("exact", None, 0.01, 0.1, "outputs").check(config(dim=1))
    with pytest.raises(ConfigError, match=r"reference\.method=exact"):
        DefaultOptions("exact", None, 0.01, 0.1, "outputs").check(config(dim=2))
