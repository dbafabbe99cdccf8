"""The plugins of examples/plugins, by the command line and from Python."""

import importlib
import sys

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

import hpms as package
from hpms.coupling.upscaling.tensor import Tensor
from hpms.errors import UserError
from hpms.jet import Jet
from hpms.problem.law.diffusion import Medium
from tests.cli.conftest import PLANE, PLUGINS

OURS = ("--config-dir", "conf")
SMALL = ("problem.dim=2", "problem.eps=0.5", "collocation.interior_points=100", "collocation.boundary_points=40")
SHORT = ("training.bound_points=0", "reference.h=0.1", "reference.baseline_h=0.1")


def rows(result, name):
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        return np.asarray(file[f"metrics/{name}"])


def summary(result, name):
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        return np.asarray(file["summary"].attrs[name])


def test_a_coefficient_of_ones_own(hpms, tiny, plugins, monkeypatch):
    chosen = ("train", *OURS, "coefficient=bump", *tiny)
    code, _, err = hpms(*chosen)
    assert code == 1 and "coefficient=bump is not an option" in err
    result = hpms(*chosen, "plugins=[bump]", "coefficient.height=3")
    assert result.code == 0
    with h5py.File(result.last_line) as file:
        config = file["config"][()].decode()
    assert "name: bump" in config and "plugins" not in config
    monkeypatch.setattr("bump.Bump.value", lambda self, x: 2 + self.height * x[0])
    code, _, err = hpms(*chosen, "plugins=[bump]", "coefficient.height=3")
    assert code == 1 and "another coefficient or source of the same name" in err
    code, _, err = hpms(*chosen, "plugins=[bump]", "coefficient.height=-1")
    assert code == 1 and "coefficient.height=-1" in err


def test_an_edited_plugin_has_another_reference(hpms, tiny, plugins):
    code = (plugins / "bump.py").read_text()

    def mean(code):
        (plugins / "bump.py").write_text(code)
        importlib.invalidate_caches()
        sys.modules.pop("bump", None)
        result = hpms("reference", *OURS, "coefficient=bump", *tiny, "plugins=[bump]")
        return float(np.squeeze(summary(result, "upscaled_coefficient"))), bool(summary(result, "cached"))

    (first, fresh), (again, cached) = mean(code), mean(f"# a remark\n{code}")
    assert (fresh, cached) == (False, True) and again == first
    changed, fresh = mean(code.replace("x - 0.5", "x - 0.5005"))
    assert not fresh and changed != first


def test_an_experiment_with_a_source_a_network_a_method_and_an_optimizer_of_ones_own(hpms, plugins):
    tiny = ("network.features=16", "network.width=8", "training.iterations=20", "training.log_every=20")
    result = hpms("train", *OURS, "+experiment=mine", *tiny, *SHORT)
    first, last = rows(result, "loss")[[0, -1]]
    assert last < 0.9 * first  # Lion
    with h5py.File(result.last_line) as file:
        assert "conf" not in file["config"][()].decode()
        assert file["network/0"].shape == (2, 16)  # what the network does not train
    config = package.configure("+experiment=mine", config_dir="conf")
    source = config.source.build(2, 0.25)
    assert float(source.value(jnp.array([0.25, 0.35]))) == pytest.approx(10 * np.exp(-0.5), rel=1e-6)
    code, _, err = hpms("train", *OURS, "+experiment=mine", "source.centre=[0.5]")
    assert code == 1 and "source.centre=[0.5]" in err and "give 2 coordinates" in err


def test_the_modules_that_an_experiment_names_are_imported_from_python(plugins):
    config = package.configure("+experiment=mine", config_dir="conf")
    assert (config.names["source"], config.names["optimizer"]) == ("well", "lion")
    with pytest.raises(UserError, match=r"plugins=bump is not allowed: give a list"):
        package.configure("plugins=bump")


@pytest.mark.thorough
def test_derivatives_and_adjoints_of_ones_own_are_checked(hpms, plugins):
    chosen = ("coefficient=bump", "network=sines", "boundary=huber", "coupling=points", "upscaling=mean_diagonal")
    small = ("network.features=6", "network.width=4", "coarse.h=0.25", *SMALL)
    result = hpms("check", *OURS, *chosen, *small, "plugins=[bump,sines,huber,points,mean_diagonal]")
    assert result.code == 0, result.out + result.err
    assert "coupling term alone" in result.out and "forward jet = jax.hessian" in result.out


def test_a_term_a_coupling_and_an_upscaling_of_ones_own(hpms, plugins):
    chosen = ("coefficient=layered", "boundary=huber", "coupling=points", "upscaling=mean_diagonal")
    own = ("source=constant", "balancing=none", "coarse.h=0.1", "plugins=[huber,points,mean_diagonal]")
    result = hpms("train", *OURS, *(each for each in PLANE if each != "boundary=hard"), *chosen, *own)
    np.testing.assert_allclose(rows(result, "weighted_huber"), 100 * rows(result, "huber"), rtol=1e-5)
    assert rows(result, "coarse_updates")[-1] >= 1 and rows(result, "coupling")[-1] > 0
    found = rows(result, "upscaled_coefficient")[-1]
    assert (found == found[0, 0] * np.eye(2)).all() and found[0, 0] > 0


def test_the_mean_of_the_diagonal(plugins):
    random = np.random.default_rng(0)
    value, first, second, third = (jnp.asarray(random.random((5, 2))) for _ in range(4))
    jet, medium = Jet(value, (first, second), (third,)), Medium(third[:, 0], first)
    entries = Tensor(counts=(1, 1), measured=False, symmetrise=False).densities(jet, medium)
    ours = importlib.import_module("mean_diagonal").MeanDiagonal(dim=2).densities(jet, medium)
    np.testing.assert_allclose(ours[:, 0], (entries[:, 0] + entries[:, 3]) / 2, rtol=1e-6)


def test_a_law_of_ones_own(hpms, plugins):
    posed = ("problem=box", "problem.conditions={all:{dirichlet:0}}", "source=constant", "coefficient=constant")
    plain = (*PLANE, *posed, "coupling=none", "upscaling=none", "coefficient.constants.k=2")
    ours = hpms("train", *OURS, *plain, "law=screened", "law.length=0.5", "plugins=[screened]")
    same = hpms("reference", *plain, "law.reaction=8")
    assert summary(ours, "reference_norm_l2") == pytest.approx(summary(same, "norm_l2"), rel=1e-9)
    code, _, err = hpms("train", *OURS, *PLANE, "coefficient=osc2d", "law=screened", "plugins=[screened]")
    assert code == 1 and "take problem=box" in err


def test_options_of_ones_own_from_python(plugins):
    bump = {"name": "bump", "height": 3}
    posed = {"domain": package.Box(1, 1), "eps": 0.5, "coefficient": bump, "source": 1}
    problem = package.Problem(**posed, conditions={"all": package.Dirichlet(0)})
    given = {"problem": problem, "plugins": ("bump", "sines", "lion"), "config_dir": "conf"}
    config = package.configure("+method=mine", "network.band=2", **given)
    assert [config.names[group] for group in ("coefficient", "network", "optimizer")] == ["bump", "sines", "lion"]
    assert config.network.band == 2 and config.coefficient.height == 3
    with pytest.raises(UserError, match="config_dir=elsewhere is not allowed"):
        package.configure("+method=mine", config_dir="elsewhere")


def test_a_folder_of_options_may_have_any_name(plugins):
    odd = plugins / "it's = odd, [a]"
    (plugins / "conf").rename(odd)
    assert package.configure("+experiment=mine", plugins=("bump", "well", "sines", "lion"), config_dir=odd)


def test_every_plugin_has_a_file_of_options(plugins):
    assert {path.stem for path in PLUGINS.glob("*.py")} < {path.stem for path in PLUGINS.glob("conf/*/*.yaml")}
