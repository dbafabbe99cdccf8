"""Hydra around the commands: one configuration in, one exit code out, every user error one sentence."""

import importlib
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hpms.errors import UserError
from hpms.hydra_errors import sentence

# Hydra 1.4 deprecates version_base; 1.3 needs it to leave the working directory alone.
VERSION_BASE = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


class JobFailed(Exception):
    """A job of a sweep ended with this exit code, and said why."""


def config_dir() -> str:
    """conf/ inside the package (a wheel) or beside it (a checkout)."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "conf", package.parent / "conf"):
        if (candidate / "train.yaml").is_file():
            return str(candidate)
    raise FileNotFoundError(f"conf/ is neither in {package} nor in {package.parent}")


def run(verb: str) -> None:
    """Composes the configuration from `sys.argv` and runs the verb; leaves by `SystemExit` if it does not succeed."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach us instead of being printed by Hydra
    codes: list[int] = []

    def task(config: DictConfig) -> None:
        code = _job(verb, config)
        if code > 128:
            raise SystemExit(code)  # a signal ends a sweep too
        if code and HydraConfig.get().mode == RunMode.MULTIRUN:
            raise JobFailed(code)
        codes.append(code)

    try:
        hydra.main(config_path=config_dir(), config_name=verb, **VERSION_BASE)(task)()
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(f"hpms {verb}: {sentence(error, verb, config_dir(), VERSION_BASE)}")
    except JobFailed as error:
        sys.exit(error.args[0])
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(max(codes, default=0))


def _job(verb: str, config: DictConfig) -> int:
    command = importlib.import_module(f"hpms.commands.{verb}")
    experiment = HydraConfig.get().runtime.choices.get("experiment", "custom")
    try:
        if missing := sorted(OmegaConf.missing_keys(config)):
            raise UserError(f"{missing[0]} has no value: give {missing[0]}=... .")
        values: Any = OmegaConf.to_container(config, resolve=True)
        return command.run(values, str(experiment))
    except (UserError, OmegaConfBaseException) as error:
        message = error if isinstance(error, UserError) else sentence(error, verb, config_dir(), VERSION_BASE)
        print(f"hpms {verb}: {message}", file=sys.stderr)
        return 1
    except (OSError, MemoryError) as error:
        print(f"hpms {verb}: {error or 'the machine has not enough memory for this'}.", file=sys.stderr)
        return 1
    except Exception:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            logging.getLogger(__name__).error(traceback.format_exc())
        raise
