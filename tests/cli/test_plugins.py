import importlib
import sys

import h5py
import numpy as np

PLUGIN = """
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp

from hpms.options.coefficient import CoefficientOptions
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.config.registry import register
from hpms.config.schema import Positive


class Bump(AbstractCoefficient):
    height: float = eqx.field(static=True)
    periods: None = eqx.field(static=True, default=None)

    def value(self, x):
        return 1 + self.height * jnp.exp(-jnp.sum((x - 0.5) ** 2))

    def gradient(self, x):
        return autodiff_gradient(self, x)


@register("coefficient", "bump")
@dataclass(frozen=True)
class BumpOptions(CoefficientOptions):
    height: Positive

    def build(self, dim, eps):
        return Bump(self.height)
"""


def test_a_coefficient_of_ones_own(hpms, tiny, tmp_path, monkeypatch):
    (tmp_path / "my_media.py").write_text(PLUGIN)
    (tmp_path / "mine" / "coefficient").mkdir(parents=True)
    (tmp_path / "mine" / "coefficient" / "bump.yaml").write_text("name: bump\nheight: 2\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    mine = ("--config-dir", "mine", "coefficient=bump")
    code, _, err = hpms("train", *mine, *tiny)
    assert code == 1 and "coefficient=bump is not an option" in err
    result = hpms("train", *mine, *tiny, "plugins=[my_media]", "coefficient.height=3")
    assert result.code == 0
    with h5py.File(result.last_line) as file:
        assert "name: bump" in file["config"][()].decode()
        assert "my_media" not in file["config"][()].decode()
    monkeypatch.setattr("my_media.Bump.value", lambda self, x: 2 + self.height * x[0])
    code, _, err = hpms("train", *mine, *tiny, "plugins=[my_media]", "coefficient.height=3")
    assert code == 1 and "another coefficient or source of the same name" in err
    code, _, err = hpms("train", *mine, *tiny, "plugins=[my_media]", "coefficient.height=-1")
    assert code == 1 and "coefficient.height=-1" in err


def test_an_edited_plugin_has_another_reference(hpms, tiny, tmp_path, monkeypatch):
    plugin = tmp_path / "edited_media.py"
    (tmp_path / "mine" / "coefficient").mkdir(parents=True)
    (tmp_path / "mine" / "coefficient" / "edited.yaml").write_text("name: edited\nheight: 2\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])

    def mean(code):
        plugin.write_text(code)
        importlib.invalidate_caches()
        sys.modules.pop("edited_media", None)
        result = hpms("reference", "--config-dir", "mine", "coefficient=edited", *tiny, "plugins=[edited_media]")
        with h5py.File(result.last_line) as file:
            return float(np.squeeze(file["summary"].attrs["upscaled_coefficient"])), bool(
                file["summary"].attrs["cached"]
            )

    code = PLUGIN.replace('"bump"', '"edited"')
    (first, fresh), (again, cached) = mean(code), mean(f"# a remark\n{code}")
    assert (fresh, cached) == (False, True) and again == first
    changed, fresh = mean(code.replace("x - 0.5", "x - 0.5005"))
    assert not fresh and changed != first
