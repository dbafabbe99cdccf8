"""Plain text tables."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart, with a rule under the header."""
    lines = [header, *rows]
    widths = [max(width(line[i]) for line in lines) for i in range(len(header))]

    def text(line: Sequence[str]) -> str:
        cells = (cell + " " * (most - width(cell)) for cell, most in zip(line, widths, strict=True))
        return "  ".join(cells).rstrip()

    return "\n".join([text(header), "  ".join("-" * most for most in widths), *map(text, rows)])


def width(text: str) -> int:
    """Characters that take a place; the tilde of K̃ takes none."""
    return sum(not unicodedata.combining(character) for character in text)


def scientific(value: float) -> str:
    """Three digits of an error."""
    return f"{value:.2e}"


def matrix(values: Float[np.ndarray, "k d"]) -> str:
    """A tensor in one line, or its one number in 1-D."""
    if values.size == 1:
        return f"{values.item():.7f}"
    return "[" + "; ".join(", ".join(f"{v:.7f}" for v in row) for row in values) + "]"
