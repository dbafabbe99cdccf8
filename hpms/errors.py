"""What a user can get wrong, said in one sentence."""

import difflib
from collections.abc import Iterable

_MOST = 80


class UserError(Exception):
    """A mistake in what the user asked for; its message is the one sentence that the user sees."""


class ConfigError(UserError):
    """A key whose value is not allowed.

    **Arguments:** `key` as the user types it, the `value` found, `allowed`, a phrase that says what is, and a `hint` of
    `suggestion`.
    """

    def __init__(self, key: str, value: object, allowed: str, hint: str = ""):
        super().__init__(f"{key}={brief(value)} is not allowed: {allowed}.{hint}")
        self.key = key


def printable(text: str) -> str:
    """A text without what steers a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def brief(value: object) -> str:
    """A value as it stands in a message: printable, and at most 80 characters of it."""
    text = printable(str(value))
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def suggestion(word: str, known: Iterable[str]) -> str:
    """The sentence " Did you mean 'x'?" for the known word closest to `word`, or an empty string."""
    close = difflib.get_close_matches(word[:_MOST], list(known), n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
