"""Parameters of another run in place of random ones, and that run as the provenance names it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from hpms.errors import ConfigError

PARENT = "parent_"
_GONE = "there is no such run any more, and one that is begun anew needs it"


@dataclass(frozen=True)
class Parent:
    """The `path` of the run as it was given, its `identity`, the `iteration` whose parameters were taken, a `digest` of
    these, and the `seed` of which the untrained arrays of the network were drawn.
    """

    path: str
    identity: str
    iteration: int
    digest: str
    seed: int

    @classmethod
    def of(cls, session: Mapping[str, Any]) -> "Parent | None":
        """The parent of a run whose first session this is, None where it has none; raises `LookupError` or `ValueError`
        where it is only partly there.
        """
        if f"{PARENT}path" not in session:
            return None
        path, identity, iteration, digest, seed = (session[f"{PARENT}{field.name}"] for field in fields(cls))
        return cls(str(path), str(identity), int(iteration), str(digest), int(seed))

    def attributes(self) -> dict[str, Any]:
        """What the provenance of the first session has of it."""
        return {f"{PARENT}{name}": value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Start:
    """The parameters of the `parent`, of its logged iteration of smallest residual loss; None where the run that
    started there goes on without it.
    """

    parent: Parent
    theta: np.ndarray | None

    def fitting(self, size: int, network: str) -> np.ndarray:
        """The parameters, for the option `network` that has so many; raises `ConfigError` where they do not fit."""
        if self.theta is None:
            raise ConfigError("init_from", self.parent.path, _GONE)
        if self.theta.size != size:
            here = f"network={network} has {size:,} here"
            raise ConfigError("init_from", self.parent.path, f"it has {self.theta.size:,} parameters, and {here}")
        return self.theta
