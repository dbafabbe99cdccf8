"""Configurations from the files of `conf/` and overrides, without a command line around them."""

from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.singleton import Singleton
from omegaconf import OmegaConf

from hpms.cli.main import typed
from hpms.cli.source import rename_in_files
from hpms.config import aliases
from hpms.config.shipped import config_dir
from hpms.errors import ConfigError

# Hydra 1.4 deprecates version_base; 1.3 needs it to leave the working directory alone.
VERSION_BASE = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


def composed(verb: str, *overrides: str, resolve: bool = True, beside: str | Path | None = None) -> dict[str, Any]:
    """The values of a verb with overrides as they are typed behind it; formulas need no quotes of their own.

    Files of one's own are found in the folder `beside` conf/, as with `--config-dir`. Within a Hydra program its own
    configuration stays as it is. Raises Hydra's or OmegaConf's errors for what cannot be composed, and `ConfigError`
    where there is no such folder, `UserError` where a key is given by two names.
    """
    words = [*_searched(beside), *(typed(each) for each in aliases.typed(overrides))]
    rename_in_files()
    around = Singleton.get_state()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir(), **VERSION_BASE):
            found: Any = OmegaConf.to_container(compose(verb, words), resolve=resolve)
        return found
    finally:
        Singleton.set_state(around)


def _searched(folder: str | Path | None) -> list[str]:
    """What makes Hydra find files in a folder, too."""
    if folder is None:
        return []
    if not Path(folder).is_dir():
        raise ConfigError("config_dir", folder, "there is no such folder")
    quoted = str(Path(folder).absolute()).replace("\\", "\\\\").replace("'", "\\'")
    return [f"hydra.searchpath=['file://{quoted}']"]
