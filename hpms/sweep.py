"""The jobs of a sweep: a note of each on disk, and one table at the end, whatever launched them."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from hpms.machine import files

_FOLDER = "jobs"


@dataclass(frozen=True)
class Job:
    """One job that ended: its number and overrides, its exit code, why it ended so, and the files it wrote."""

    number: int
    overrides: tuple[str, ...]
    code: int
    message: str
    paths: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Leaves the note in the sweep's folder, where the launching process finds it."""
        files.replace(folder / _FOLDER / f"{self.number}.json", json.dumps(asdict(self)).encode())


class Plan(Callback):
    """Hydra's callback: before the first job it notes in `current` where the sweep lies and which jobs it has."""

    current: ClassVar["Plan | None"] = None
    folder: Path
    jobs: list[tuple[str, ...]]

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        hydra = config.hydra
        defaults = [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]
        self.folder, self.jobs = Path(hydra.sweep.dir), combinations([*defaults, *hydra.overrides.task])
        for old in (self.folder / _FOLDER).glob("*.json"):  # of another sweep in the same folder
            old.unlink()
        Plan.current = self

    def ended(self) -> list[Job | None]:
        """The note of each job, None for one that has not ended."""
        return [self._read(number) for number in range(len(self.jobs))]

    def _read(self, number: int) -> Job | None:
        try:
            values = json.loads((self.folder / _FOLDER / f"{number}.json").read_text())
        except FileNotFoundError:
            return None
        return Job(**values | {key: tuple(values[key]) for key in ("overrides", "paths")})


def combinations(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """The overrides of each job, in the order in which Hydra's sweeper numbers them; a later value of a key wins."""
    choices: dict[str, list[str]] = {}
    for override in OverridesParser.create(_config_loader()).parse_overrides(list(overrides)):
        key = override.get_key_element()
        swept = override.is_sweep_override()
        values = override.sweep_string_iterator() if swept else [override.get_value_element_as_str()]
        choices[key] = [f"{key}={value}" for value in values]
    return list(itertools.product(*choices.values()))


def _config_loader() -> ConfigLoader | None:
    """Hydra's, which `glob(...)` asks for the options there are."""
    return GlobalHydra.instance().config_loader() if GlobalHydra.instance().is_initialized() else None
