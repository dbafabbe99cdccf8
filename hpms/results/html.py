"""Pieces of one HTML page that needs nothing else: no script, no request, readable on paper.

Text is escaped here and nowhere else; what these functions return is HTML (`Html`) and is not escaped again.
"""

import base64
import html
import re
from collections.abc import Iterable, Sequence
from typing import NewType

from hpms.results.html_style import STYLE

Html = NewType("Html", str)
# Whatever slipped through would still neither run nor be fetched.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?( ± .*| of \d+)?|-|nan|missing|own .*", re.IGNORECASE)
_LONG = 60  # characters that a cell has in one line


def element(tag: str, inner: str, kind: str = "") -> Html:
    """An element around text, which is escaped."""
    attribute = f' class="{html.escape(kind)}"' if kind else ""
    return Html(f"<{tag}{attribute}>{html.escape(inner)}</{tag}>")


def join(parts: Iterable[Html]) -> Html:
    """One piece behind the other."""
    return Html("\n".join(parts))


def terms(pairs: Iterable[tuple[str, str]]) -> Html:
    """A list of names and what is said of each."""
    return Html(f"<dl>\n{join(join([element('dt', name), element('dd', said)]) for name, said in pairs)}\n</dl>")


def contents(sections: Iterable[tuple[str, str]]) -> Html:
    """Links to the sections of these names and titles."""
    links = [f'<a href="#{html.escape(name)}">{html.escape(title)}</a>' for name, title in sections]
    return Html(f"<nav>{' '.join(links)}</nav>")


def section(name: str, title: str, parts: Iterable[Html]) -> Html:
    """A heading that can be linked to, and what follows it."""
    return Html(f'<section id="{html.escape(name)}">\n{element("h2", title)}\n{join(parts)}\n</section>')


def details(title: str, inner: Html, shown: bool = False) -> Html:
    """Something to fold out; on paper it is."""
    return Html(f"<details{' open' if shown else ''}>{element('summary', title)}\n{inner}\n</details>")


def grid(header: Sequence[str], rows: Sequence[Sequence[str]], kinds: Sequence[str] = ()) -> Html:
    """A table, with a class for each row; columns of numbers are flush right, and `status` has the row's colour."""
    numeric = [bool(rows) and all(_NUMBER.fullmatch(row[i]) for row in rows if row[i]) for i in range(len(header))]

    def line(tag: str, cells: Sequence[str], kind: str = "") -> Html:
        places = zip(cells, header, numeric, strict=True)
        inner = [element(tag, cell, _kind(cell, title, right)) for cell, title, right in places]
        return Html(f'<tr class="{html.escape(kind)}">{"".join(inner)}</tr>' if kind else f"<tr>{''.join(inner)}</tr>")

    head = line("th", header)
    body = join(line("td", row, kind) for row, kind in zip(rows, kinds or [""] * len(rows), strict=True))
    return Html(f'<div class="wide"><table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>')


def picture(png: bytes, caption: str) -> Html:
    """A figure that the page carries in itself."""
    data, said = base64.b64encode(png).decode(), html.escape(caption)
    image = f'<img alt="{said}" src="data:image/png;base64,{data}">'
    return Html(f"<figure>{image}{element('figcaption', caption)}</figure>")


def page(title: str, body: Html) -> str:
    """The whole document."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{element('title', title)}\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _kind(cell: str, title: str, numeric: bool) -> str:
    kinds = {"n": numeric, "long": not numeric and len(cell) > _LONG, "status": title == "status"}
    return " ".join(name for name, there in kinds.items() if there)
