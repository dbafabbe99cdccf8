"""The jobs of a sweep, as they are planned before the first, and one table at the end."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hpms.chain import link
from hpms.errors import UserError
from hpms.job import Job, forget_jobs


class Plan(Callback):
    """Hydra's callback: before the first job it notes in `current` where the sweep lies and which jobs it has, and puts
    those of a chain into their order. Ends the program where that is none.
    """

    current: ClassVar["Plan | None"] = None
    folder: Path
    jobs: list[tuple[str, ...]]

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        hydra = config.hydra
        overrides = [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]
        overrides += list(hydra.overrides.task)
        if config.get("chain") is True and "init_from" in config:  # a job of hpms train
            try:
                overrides = link(hydra, overrides, choices(overrides))
            except UserError as error:
                raise SystemExit(str(error)) from None  # Hydra makes a warning of any other exception
        self.folder, self.jobs = Path(hydra.sweep.dir), combinations(overrides)
        forget_jobs(self.folder)
        Plan.current = self

    def ended(self) -> list[Job | None]:
        """The note of each job, None for one that has not ended."""
        return [Job.read(self.folder, number) for number in range(len(self.jobs))]


def combinations(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """The overrides of each job, in the order in which Hydra's sweeper numbers them."""
    return list(itertools.product(*choices(overrides).values()))


def choices(overrides: Sequence[str]) -> dict[str, list[str]]:
    """The overrides of each key, one for each of its values; a later list of a key wins."""
    found: dict[str, list[str]] = {}
    for override in OverridesParser.create(_config_loader()).parse_overrides(list(overrides)):
        key = override.get_key_element()
        swept = override.is_sweep_override()
        values = override.sweep_string_iterator() if swept else [override.get_value_element_as_str()]
        found[key] = [f"{key}={value}" for value in values]
    return found


def _config_loader() -> ConfigLoader | None:
    """Hydra's, which `glob(...)` asks for the options there are."""
    return GlobalHydra.instance().config_loader() if GlobalHydra.instance().is_initialized() else None
