"""One line of the table that `hpms check` prints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A measured number and the interval it has to lie in."""

    name: str
    measured: float
    least: float
    most: float

    @property
    def passed(self) -> bool:
        return bool(self.least <= self.measured <= self.most)

    @property
    def allowed(self) -> str:
        if self.least > float("-inf") and self.most < float("inf"):
            return f"{self.least:g} to {self.most:g}"
        return f"at most {self.most:g}" if self.most < float("inf") else f"at least {self.least:g}"


def small(name: str, measured: float, most: float) -> Check:
    """A relative error that may be `most` at most."""
    return Check(name, measured, float("-inf"), most)
