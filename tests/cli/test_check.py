from itertools import product

import jax
import pytest

from hpms.coupling.ball import BallCoupling

QUICK = ("network.width=8", "network.features=4", "collocation.interior_points=300", "coarse.h=0.1", "problem.eps=0.25")
EVERY = list(
    product(("osc1d", "osc2d"), ("mlp", "ms_pinn"), ("hard", "soft"), ("compress_state=false", "compress_state=true"))
)


@pytest.mark.thorough
@pytest.mark.parametrize(("boundary", "count"), [pytest.param("hard", 15, marks=pytest.mark.slow), ("soft", 16)])
def test_the_gradient_passes(hpms, boundary, count):
    code, out, _ = result = hpms("check", "+experiment=osc1d", *QUICK, f"boundary={boundary}")
    assert code == 0, out
    assert f"All {count} checks passed." in out
    assert result.last_line.endswith("check.h5")


@pytest.mark.thorough
def test_a_gradient_without_its_adjoint_part_fails(hpms, monkeypatch):
    jax.clear_caches()
    monkeypatch.setattr(BallCoupling, "adjoint", lambda self, means, view: 0 * view.contraction)
    code, out, _ = hpms("check", "+experiment=osc1d", *QUICK)
    jax.clear_caches()
    assert code == 1
    failed = [line for line in out.splitlines() if line.endswith("FAILED")]
    assert any(line.startswith("coupling term alone: Taylor rate with the gradient") for line in failed)
    assert not any("without the gradient" in line for line in failed)


@pytest.mark.slow
def test_the_rows_of_least_squares_pass(hpms):
    small = ("network.slow_width=4", "network.width=8", "coarse.h=0.1", "collocation.interior_points=20")
    options = ("coupling=ball", "coupling.delta=0.4", "problem.eps=0.25")
    code, out, _ = hpms("check", "+experiment=osc1d_fast", *small, *options)
    assert code == 0, out
    assert "assembled (JᵀJ + μD)x = Jᵀz" in out


@pytest.mark.thorough
def test_subdomains_pass_with_the_rows_of_least_squares(hpms):
    small = ("network.subdomains=[3]", "network.width=3", "network.depth=1", "coarse.h=0.1")
    options = ("coupling=ball", "coupling.delta=0.4", "problem.eps=0.25", "collocation.interior_points=20")
    code, out, _ = hpms("check", "+experiment=osc1d_fast", "network=fbpinn", *small, *options)
    assert code == 0, out
    assert "assembled (JᵀJ + μD)x = Jᵀz" in out


@pytest.mark.slow
@pytest.mark.parametrize("average", ["box", "hat"])
@pytest.mark.parametrize("boundary", ["hard", "soft"])
@pytest.mark.parametrize("network", ["mlp", "ms_pinn"])
@pytest.mark.parametrize("experiment", ["osc1d", "osc2d"])
def test_the_consistent_coupling_passes(hpms, experiment, network, boundary, average):
    options = (f"network={network}", f"boundary={boundary}", "coupling=consistent")
    code, out, _ = hpms("check", f"+experiment={experiment}", *options, f"coupling.average={average}")
    assert code == 0, out


@pytest.mark.slow
@pytest.mark.parametrize(("experiment", "network", "boundary", "compress"), EVERY)
def test_the_papers_experiments_pass(hpms, experiment, network, boundary, compress):
    code, out, _ = hpms(
        "check", f"+experiment={experiment}", f"network={network}", f"boundary={boundary}", f"coupling.{compress}"
    )
    assert code == 0, out
