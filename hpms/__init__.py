"""hpms: a hybrid physics-informed neural network / finite element multiscale solver."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpms.api import build, configure, load, train

__version__ = "0.1.0.dev0"
__all__ = ["build", "configure", "load", "train"]


def __getattr__(name: str) -> Any:
    """The functions of `hpms.api`, which brings JAX, are imported when they are first used."""
    if name in __all__:
        import hpms.api

        return getattr(hpms.api, name)
    raise AttributeError(f"module 'hpms' has no attribute '{name}'")
