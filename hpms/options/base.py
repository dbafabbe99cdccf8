"""What every option has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpms.config.config import Config


class AbstractOptions:
    """The keys of an option: a frozen dataclass that `hpms.config.schema` reads."""

    def check(self, config: Config) -> None:
        """Raises `UserError` where the values do not go with those of other groups."""
