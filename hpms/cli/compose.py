"""Configurations from the files of `conf/` and overrides, without a command line around them."""

from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.singleton import Singleton
from omegaconf import OmegaConf

from hpms.cli.main import typed

# Hydra 1.4 deprecates version_base; 1.3 needs it to leave the working directory alone.
VERSION_BASE = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


def config_dir() -> str:
    """conf/ inside the package (a wheel) or beside it (a checkout)."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "conf", package.parent / "conf"):
        if (candidate / "train.yaml").is_file():
            return str(candidate)
    raise FileNotFoundError(f"conf/ is neither in {package} nor in {package.parent}")


def composed(verb: str, *overrides: str, resolve: bool = True) -> dict[str, Any]:
    """The values of a verb with overrides as they are typed behind it; formulas need no quotes of their own.

    Within a Hydra program its own configuration stays as it is. Raises Hydra's or OmegaConf's errors for what cannot be
    composed.
    """
    around = Singleton.get_state()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir(), **VERSION_BASE):
            found: Any = OmegaConf.to_container(compose(verb, [typed(each) for each in overrides]), resolve=resolve)
        return found
    finally:
        Singleton.set_state(around)
