"""How a command ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """The exit `code`, the `text` for standard output, whose last line is the path of what was written, the files
    (`paths`), a `message` for the table of a sweep, and whether anything was computed (`news`).
    """

    code: int
    text: str
    paths: tuple[Path, ...]
    message: str = ""
    news: bool = True


def together(results: Sequence[Result]) -> Result:
    """One result of several: the largest code, with the message of the first that has it."""
    worst = max(results, key=lambda result: result.code)
    text, paths = "\n".join(result.text for result in results), [path for result in results for path in result.paths]
    return Result(worst.code, text, tuple(paths), worst.message, any(result.news for result in results))
