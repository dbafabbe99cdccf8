"""The files of conf/ that come with the program."""

from functools import lru_cache
from pathlib import Path

from omegaconf import OmegaConf


def config_dir() -> str:
    """conf/ inside the package (a wheel) or beside it (a checkout)."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "conf", package.parent / "conf"):
        if (candidate / "train.yaml").is_file():
            return str(candidate)
    raise FileNotFoundError(f"conf/ is neither in {package} nor in {package.parent}")


@lru_cache
def named_formulas(group: str) -> dict[str, str]:
    """The names of the group's files that have a formula of their own, by that formula."""
    files = sorted(Path(config_dir(), group).glob("*.yaml"))
    values = {file.stem: OmegaConf.to_container(OmegaConf.load(file)) for file in files}
    formulas = {name: found.get("formula", "???") for name, found in values.items() if isinstance(found, dict)}
    return {formula: name for name, formula in formulas.items() if formula != "???"}
