"""Hydra around the commands: one configuration in, one exit code out, every user error one sentence."""

import importlib
import logging
import os
import re
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

from hpms.chain import origin
from hpms.cli.compose import VERSION_BASE
from hpms.cli.hydra_errors import sentence
from hpms.cli.invocation import read_command
from hpms.cli.main import without_output
from hpms.cli.source import rename_in_files
from hpms.commands.result import Result
from hpms.config.shipped import config_dir
from hpms.errors import UserError
from hpms.job import Job
from hpms.sweep import Plan

_NO_MEMORY = (
    "there is not enough memory for this: lower runtime.block, collocation.interior_points, ensemble or the width of "
    "the network, or enlarge coarse.h."
)


def run(verb: str) -> None:
    """Composes the configuration from `sys.argv` and runs the verb; leaves by `SystemExit` if it does not succeed."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions reach us instead of being printed by Hydra
    codes: list[int] = []
    begun = False
    Plan.current = None

    def task(config: DictConfig) -> None:
        nonlocal begun
        begun = True
        hydra_config = HydraConfig.get()
        swept = hydra_config.mode == RunMode.MULTIRUN
        result = _job(verb, config, swept)
        codes.append(result.code)
        if swept:
            overrides, paths = tuple(hydra_config.overrides.task), tuple(map(str, result.paths))
            Job(hydra_config.job.num, overrides, result.code, result.message, paths).write(Path(hydra_config.sweep.dir))
        if result.code > 128:
            raise SystemExit(result.code)  # a signal ends a sweep too

    code = 1
    rename_in_files()
    try:
        hydra.main(config_path=config_dir(), config_name=verb, **VERSION_BASE)(task)()
        code = max(codes, default=0)
    except (HydraException, OmegaConfBaseException) as error:
        _complain(verb, sentence(error, verb))
        Plan.current = None  # nothing was launched
    except UserError as error:  # of the files that are composed
        _complain(verb, str(error))
        Plan.current = None
    except KeyboardInterrupt:
        _complain(verb, "interrupted. What was saved before stays, and the same command goes on from there.")
        code = 130
    except SystemExit as stop:
        if isinstance(stop.code, str):
            _complain(verb, stop.code)
        code = stop.code if isinstance(stop.code, int) else 1
    except OSError as error:
        if begun:
            raise
        without_output()
        if isinstance(error, BrokenPipeError):  # `hpms train --help | head` has read enough
            sys.exit(0)
        _complain(verb, f"standard output cannot be written ({error}).")
    except Exception as error:
        if Plan.current is None:
            if begun:
                raise
            _complain(verb, f"this cannot be composed ({' '.join(str(error).split())[:200]}).")
            sys.exit(1)
        _complain(verb, f"the launcher gave up ({type(error).__name__}: {' '.join(str(error).split())[:300]}).")
    sys.exit(_close(Plan.current, code) if Plan.current else code)


def _close(plan: Plan, code: int) -> int:
    """Prints the table of a sweep; the exit code, which is not 0 where a job failed."""
    from hpms.results.sweep_report import failed, sweep_report

    ended = plan.ended()
    if plan.folder.exists():
        print(f"\n{sweep_report(plan.jobs, ended)}\n{plan.folder}")
    return code or int(any(map(failed, ended)))


def _job(verb: str, config: DictConfig, swept: bool) -> Result:
    """Runs one job. What a user got wrong is said in one sentence; an error of the program ends a sweep's job only."""
    news = True
    try:
        experiment = _name(HydraConfig.get().runtime.choices.get("experiment", "custom"))
        if missing := sorted(OmegaConf.missing_keys(config)):
            raise UserError(f"{missing[0]} has no value: give {missing[0]}=... .")
        values: Any = OmegaConf.to_container(config, resolve=True)
        if verb == "train" and values.get("chain") is True:
            values["init_from"] = origin(HydraConfig.get()) or values["init_from"]
        invocation, chosen = read_command(verb, values)
        command = importlib.import_module(f"hpms.commands.{verb}")  # JAX comes with it
        result = command.run(invocation, chosen, experiment)
        news = result.news
    except (UserError, OmegaConfBaseException) as error:
        return _failed(verb, str(error if isinstance(error, UserError) else sentence(error, verb)))
    except MemoryError:
        return _failed(verb, _NO_MEMORY)
    except OSError as error:
        return _failed(verb, f"{error}.")
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            return _failed(verb, _NO_MEMORY)
        if not swept:
            raise
        logging.getLogger(__name__).error(traceback.format_exc())
        return Result(1, "", (), f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    finally:
        if swept and news and "jax" in sys.modules:
            sys.modules["jax"].clear_caches()  # the next job finds its programs on disk; these fill the memory
    return _shown(verb, result, swept)


def _shown(verb: str, result: Result, swept: bool) -> Result:
    quiet = not logging.getLogger(__name__).isEnabledFor(logging.INFO) or (swept and not result.news)
    if not (result.text or result.paths):
        return result  # one of several processes speaks
    try:
        print(result.paths[-1] if quiet and result.paths else result.text, flush=True)
    except OSError as error:  # what was computed is on disk
        without_output()
        _complain(verb, f"standard output cannot be written ({error}).")
    return result


def _name(experiment: object) -> str:
    """What an experiment's folder is called: one of a subfolder of conf/experiment has a dash for its slash."""
    return "-".join(re.findall(r"[\w-][\w.-]*", re.sub(r"\.{2,}", ".", str(experiment))))


def _failed(verb: str, message: str) -> Result:
    _complain(verb, message)
    return Result(1, "", (), message)


def _complain(verb: str, message: str) -> None:
    print(f"hpms {verb.replace('_', ' ')}: {message}", file=sys.stderr)
