import sys
from dataclasses import dataclass

import pytest

from hpms.config import registry
from hpms.config.registry import load_plugins, option, options, register
from hpms.errors import UserError
from hpms.options.network import NetworkOptions


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    options("network")  # what is registered below is taken back, so the built-in ones have to be there already
    monkeypatch.setattr(registry, "_options", {group: dict(known) for group, known in registry._options.items()})
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def only_networks(monkeypatch):
    monkeypatch.setattr(registry, "_BUILT_IN", ("hpms.options.network",))


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("network", {"mlp", "ms_pinn"}),
        ("boundary", {"hard", "soft"}),
        ("coefficient", {"expression", "layered"}),
        ("coupling", {"ball", "none"}),
        ("balancing", {"gradient_norm", "none"}),
        ("optimizer", {"adam"}),
    ],
)
def test_built_in_options_are_found(group, names):
    assert names <= set(options(group))


@pytest.mark.usefixtures("only_networks")
def test_an_unknown_option_lists_those_there_are():
    with pytest.raises(UserError, match=r"network=mpl is not an option: choose fbpinn or mlp or .*Did you mean 'mlp'"):
        option("network", "mpl")
    with pytest.raises(UserError, match="network=None"):
        option("network", None)


@pytest.mark.usefixtures("only_networks")
def test_where_options_of_ones_own_are_is_told_until_one_is_named(monkeypatch):
    for modules, told in ((set(), True), ({"mine"}, False)):
        monkeypatch.setattr(registry, "_plugins", modules)
        with pytest.raises(UserError, match="source=zzz is not an option") as refused:
            registry.option("source", "zzz")
        assert ("plugins=[my_module]" in str(refused.value)) == told


def test_a_plugin_registers_from_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "own_network.py").write_text(
        "from hpms.options.network import NetworkOptions\nfrom hpms.config.registry import register\n\n"
        "@register('network', 'own')\nclass Own(NetworkOptions):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    load_plugins(["own_network"])
    assert option("network", "own").__name__ == "Own"
    del sys.modules["own_network"]


def test_a_missing_plugin_is_named():
    with pytest.raises(UserError, match=r"plugins=\[no_such_module\]"):
        load_plugins(["no_such_module"])


@pytest.mark.usefixtures("only_networks")
def test_a_name_is_taken_once():
    options("network")

    with pytest.raises(UserError, match="network=mlp is registered twice"):

        @register("network", "mlp")
        @dataclass(frozen=True)
        class Mine(NetworkOptions):
            pass


def test_an_option_is_of_the_right_kind():
    with pytest.raises(UserError, match=r"coefficient=mine is not an option.*CoefficientOptions"):
        register("coefficient", "mine")(object)
