"""Tables that fit a terminal."""

from collections.abc import Sequence

from hpms.results.table import table, width

WIDTH = 100
_LEAST, _LONG = 6, 24  # characters of a key that is cut, and of another column


def narrow(header: Sequence[str], rows: Sequence[Sequence[str]], keys: int) -> str:
    """The table in at most 100 columns: of the first `keys` columns those in which all rows agree go into a line above;
    where it is too wide all the same they lose their groups' names, are cut in the middle, and the last are left out.
    """
    shared = [i for i in range(keys) if len({row[i] for row in rows}) == 1]
    left = [i for i in range(len(header)) if i not in shared]
    above = ", ".join(f"{header[i]}={_middle(rows[0][i], WIDTH // 2)}" for i in shared if rows[0][i])
    lines = [[line[i] for i in left] for line in (header, *rows)]
    found, gone = _fitted(lines, keys - len(shared))
    text = table(found[0], found[1:])
    text = f"all: {above}\n\n{text}" if above else text
    return f"{text}\n\nwithout {', '.join(gone)}: --wide has all" if gone else text


def _fitted(lines: list[list[str]], keys: int) -> tuple[list[list[str]], list[str]]:
    """The lines, of which the first is the header, and what was left out."""
    widths = [max(width(line[i]) for line in lines) for i in range(len(lines[0]))]
    if _whole(widths) <= WIDTH:
        return lines, []
    lines, gone = [_short(lines[0]), *lines[1:]], []
    while True:
        widths = [max(width(line[i]) for line in lines) for i in range(len(lines[0]))]
        least = [_LEAST] * keys + [_LONG] * (len(widths) - keys)
        while _whole(widths) > WIDTH and max(spare := [a - b for a, b in zip(widths, least, strict=True)]) > 0:
            widths[spare.index(max(spare))] -= 1
        if _whole(widths) <= WIDTH or not keys:
            return [[_middle(cell, most) for cell, most in zip(line, widths, strict=True)] for line in lines], gone
        keys -= 1
        gone.insert(0, lines[0][keys])
        lines = [[*line[:keys], *line[keys + 1 :]] for line in lines]


def _short(header: Sequence[str]) -> list[str]:
    """Names without their groups, where that leaves them apart."""
    short = [name.rpartition(".")[2] for name in header]
    return [name if short.count(each) > 1 else each for name, each in zip(header, short, strict=True)]


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _middle(text: str, most: int) -> str:
    """A text of at most `most` characters, without its middle where it is longer."""
    if width(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[: most - 1 - head]}…{text[len(text) - head :]}"
