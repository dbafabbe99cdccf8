"""Earlier names of keys and options mean what today's mean, and say them."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from hpms.api import configure, load
from hpms.cli.compose import composed, config_dir
from hpms.config import aliases
from hpms.config.registry import options
from hpms.errors import UserError
from hpms.options.sweep import Sweep
from hpms.results.run import StoredRun
from tests.stored import edited

NAMES = [old for names in aliases.RENAMED.values() for old in names]
KEYS, OPTIONS = [name for name in NAMES if "=" not in name], [name for name in NAMES if "=" in name]


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    for name in ("_seen", "_told"):
        monkeypatch.setattr(aliases, name, set())


def command(key):
    """A command whose configuration has the key, None where there is none."""
    group, _, name = key.partition(".")
    schemas = {(): Sweep} if group == "sweep" else {(f"{group}={each}",): s for each, s in options(group).items()}
    verb = "consistency" if group == "sweep" else "train"
    lines = (
        [verb, *typed] for typed, schema in schemas.items() if name in {f.name for f in dataclasses.fields(schema)}
    )
    return next(lines, None)


@pytest.mark.parametrize("old", KEYS)
def test_a_key_is_found_by_its_earlier_name(old):
    line = command(aliases.current(old))
    assert composed(*line, f"{old}=0.375") == composed(*line, f"{aliases.current(old)}=0.375")


@pytest.mark.parametrize("old", OPTIONS)
def test_an_option_is_found_by_its_earlier_name(old):
    assert composed("train", old) == composed("train", aliases.current(old))


@pytest.mark.parametrize("old", NAMES)
def test_an_earlier_name_is_no_name_of_today(old):
    assert aliases.first(aliases.current(old)) == old
    if "=" in old:
        group, _, option = old.partition("=")
        assert not Path(config_dir(), group, f"{option}.yaml").exists() and option not in options(group)
    else:
        assert command(old) is None


@pytest.mark.parametrize("old", KEYS)
def test_two_names_of_one_key_are_refused(old):
    new = aliases.current(old)
    with pytest.raises(UserError, match=f"^{old} and {new} are given, and are one key: keep {new}.$"):
        composed(*command(new), f"{new}=1", f"{old}=1")


def test_todays_name_is_said_once(hpms):
    result = hpms("check", "+method=fast", "optimizer.least_damping=0")
    said = "optimizer.least_damping is called optimizer.min_damping now: the old name is still read\n"
    assert result.err == f"{said}hpms check: optimizer.min_damping=0 is not allowed: it must be greater than 0.\n"
    assert said not in hpms("check", "+method=fast", "optimizer.least_damping=0").err


def test_two_names_on_a_command_line_are_one_sentence(hpms):
    code, _, err = hpms("check", "+method=fast", "optimizer.least_damping=1", "optimizer.min_damping=1")
    assert code == 1 and err.startswith("hpms check: optimizer.least_damping and optimizer.min_damping are given")


@pytest.fixture
def own(tmp_path):
    """`own(group, text)` -> a folder with the file mine.yaml of that group."""

    def written(group, text):
        path = tmp_path / "conf" / group / "mine.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path / "conf"

    return written


EXPERIMENT = """# @package _global_
defaults:
  - osc1d_fast
  - _self_
optimizer:
  {name}: 1e-5
  damping: ${{optimizer.{name}}}
"""


def test_files_of_ones_own_may_have_earlier_names(own):
    old, new = (
        configure("+experiment=mine", "optimizer.trials=3", config_dir=own("experiment", EXPERIMENT.format(name=name)))
        for name in ("least_damping", "min_damping")
    )
    assert old == new and old.optimizer.damping == old.optimizer.min_damping == 1e-5
    folder = own("optimizer", "defaults: [gauss_newton, _self_]\nleast_damping: 1e-6\n")
    assert configure("optimizer=mine", config_dir=folder).optimizer.min_damping == 1e-6


def test_what_is_typed_stands_above_a_file_whatever_its_names(own):
    folder = own("experiment", EXPERIMENT.format(name="least_damping"))
    for name in ("least_damping", "min_damping"):
        found = configure("+experiment=mine", f"optimizer.{name}=1e-4", config_dir=folder)
        assert found.optimizer.min_damping == found.optimizer.damping == 1e-4


def test_two_names_in_a_file_are_one_sentence(own, hpms):
    folder = own("experiment", EXPERIMENT.format(name="least_damping") + "  min_damping: 1\n")
    said = "optimizer.least_damping and optimizer.min_damping are given, and are one key: keep optimizer.min_damping."
    with pytest.raises(UserError, match=said):
        configure("+experiment=mine", config_dir=folder)
    assert hpms("check", "--config-dir", str(folder), "+experiment=mine").err == f"hpms check: {said}\n"


PLUGIN = """
from dataclasses import dataclass
from hpms.config.registry import register
from hpms.options.optimizer import GaussNewtonOptions, LeastSquaresOptions

@register("optimizer", "mine")
@dataclass(frozen=True)
class MineOptions(LeastSquaresOptions):
    least_damping: float

    def build(self, model):
        raise NotImplementedError
"""


def test_a_key_of_a_plugin_keeps_its_name(own, plugins, caplog):
    Path("mine_optimizer.py").write_text(PLUGIN)
    folder = own("optimizer", "name: mine\nleast_damping: 0.5\n")
    for typed, found in ((), 0.5), (("optimizer.least_damping=0.25",), 0.25):
        config = configure("+method=fast", "optimizer=mine", *typed, plugins=("mine_optimizer",), config_dir=folder)
        assert config.plain()["optimizer"] == {"name": "mine", "least_damping": found}
    assert "is called" not in caplog.text


def by_first_names(path):
    """The run file as an earlier version has written it."""
    with edited(path) as file:
        values = yaml.safe_load(file["config"][()])
        earlier = {g: aliases.hashed(g, v) if isinstance(v, dict) else v for g, v in values.items()}
        del file["config"]
        file["config"] = yaml.safe_dump(earlier, sort_keys=False)


def test_a_run_with_earlier_names_is_continued_loaded_and_found_again(hpms, tiny):
    begun = hpms("train", *tiny, "training.wall_limit=0.001")
    path = Path(begun.last_line)
    identity = StoredRun.at(path).identity
    by_first_names(path)
    stored = StoredRun.at(path)
    assert stored.status == "interrupted" and stored.identity == identity == stored.config().identity()
    assert load(path, "latest").iteration < 20
    ended = hpms("train", *tiny)
    assert ended.code == 0 and ended.last_line == str(path), ended.err
    assert StoredRun.at(path).status == "finished"
