"""The run that another one started from, as its provenance names it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

PARENT = "parent_"


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
