"""hpms: a hybrid physics-informed neural network / finite element multiscale solver."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpms.api import build, configure, load, solve, train
    from hpms.posed.box import Box
    from hpms.posed.conditions import Dirichlet, Neumann, Periodic, Robin
    from hpms.posed.mesh import Mesh
    from hpms.posed.polygon import Circle, Polygon
    from hpms.posed.problem import Problem

__version__ = "0.1.0.dev0"
__all__ = [
    "Box",
    "Circle",
    "Dirichlet",
    "Mesh",
    "Neumann",
    "Periodic",
    "Polygon",
    "Problem",
    "Robin",
    "build",
    "configure",
    "load",
    "solve",
    "train",
]
_CONDITIONS = "hpms.posed.conditions"
_HOMES = {"Box": "hpms.posed.box", "Problem": "hpms.posed.problem"}
_HOMES |= {"Mesh": "hpms.posed.mesh"}
_HOMES |= dict.fromkeys(("Circle", "Polygon"), "hpms.posed.polygon")
_HOMES |= dict.fromkeys(("Dirichlet", "Neumann", "Periodic", "Robin"), _CONDITIONS)


def __getattr__(name: str) -> Any:
    """What stands in `__all__` brings JAX, and is imported when it is first used."""
    if name in __all__:
        return getattr(importlib.import_module(_HOMES.get(name, "hpms.api")), name)
    raise AttributeError(f"module 'hpms' has no attribute '{name}'")
