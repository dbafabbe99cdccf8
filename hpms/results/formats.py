"""One table as text, Markdown, CSV or LaTeX."""

import csv
import io
from collections.abc import Callable, Sequence

from hpms.results.table import table

Rows = Sequence[Sequence[str]]
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "±": r"$\pm$",
    "²": "$^2$",
    "¹": "$^1$",
    "ε": r"$\varepsilon$",
}


def markdown(header: Sequence[str], rows: Rows) -> str:
    """A table of pipes."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def comma_separated(header: Sequence[str], rows: Rows) -> str:
    """CSV, with quotes where they are needed; a text that a spreadsheet would take for a formula gets an apostrophe."""
    buffer = io.StringIO()
    safe = [[f"'{cell}" if cell[:1] in ("=", "+", "@") else cell for cell in line] for line in [header, *rows]]
    csv.writer(buffer, lineterminator="\n").writerows(safe)
    return buffer.getvalue().rstrip("\n")


def latex(header: Sequence[str], rows: Rows) -> str:
    """A `tabular` with the rules of booktabs."""

    def line(cells: Sequence[str]) -> str:
        return "  " + " & ".join("".join(_SPECIAL.get(c, c) for c in cell) for cell in cells) + r" \\"

    begin, end = rf"\begin{{tabular}}{{{'l' * len(header)}}}", r"\end{tabular}"
    return "\n".join([begin, r"  \toprule", line(header), r"  \midrule", *map(line, rows), r"  \bottomrule", end])


FORMATS: dict[str, Callable[[Sequence[str], Rows], str]] = {
    "text": table,
    "markdown": markdown,
    "csv": comma_separated,
    "latex": latex,
}
