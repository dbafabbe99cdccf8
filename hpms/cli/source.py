"""Files of conf/ and of the user, in which keys and options may have earlier names."""

from hydra._internal.core_plugins import file_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from hpms.config import aliases


class FileConfigSource(file_config_source.FileConfigSource):
    """A folder of YAML whose options are also found by their earlier names, and whose keys get today's.

    It has the name of Hydra's own, in whose place Hydra keeps none of another name.
    """

    def is_config(self, config_path: str) -> bool:
        return super().is_config(config_path) or super().is_config(aliases.option_of(config_path))

    def load_config(self, config_path: str) -> ConfigResult:
        there = super().is_config(config_path)
        found = super().load_config(config_path if there else aliases.option_of(config_path))
        package = found.header.get("package") or config_path.strip("/").rpartition("/")[0].replace("/", ".")
        values = OmegaConf.to_container(found.config, resolve=False)
        renamed = aliases.loaded(values, "" if package == "_global_" else package)
        if renamed != values:
            found.config = OmegaConf.create(renamed)
        return found


def rename_in_files() -> None:
    """From here on Hydra reads files so."""
    SourcesRegistry.instance().types[FileConfigSource.scheme()] = FileConfigSource
