"""README and docs/: links lead somewhere, numbers are stored, README stays short and begins with its two commands."""

import re
import runpy
from decimal import Decimal

import pytest

from tests.pages import FENCED, ROOT, WRITTEN

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *WRITTEN]
RESULTS = [*sorted((ROOT / "docs/results").glob("*.md")), ROOT / "docs/upscaling.md", ROOT / "docs/coupling.md"]
COMMANDS = [
    "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[plot]' && hpms train +experiment=quickstart",
    "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[dev]' && python -m pytest",
]
_STORED = re.compile(r"<!-- (?:stored|copied): (.+?) -->")
_NUMBER = re.compile(r"(?<![\w.,/^])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?!\w|/|[.,]\d|-[A-Za-z])")
_ANY = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?")
_UNIT = re.compile(r"\s(?:s|ms|MB|GB|%|unknowns|parameters)(?!\w)")
_NO_NUMBER = re.compile(  # code, where links lead, comments, and what is counted in the paper
    r"`[^`]*`|\]\([^)]*\)|<!--.*?-->|\([1-5]\.\d\d?\)"
    r"|(?:Figs?\.|Tables?|Theorems?|Eqs?\.|Sections?|Algorithms?|Propositions?)\s[\d.]+[a-z]?"
    r"(?:(?:,| and| to)\s\d[\d.]*[a-z]?)*"
)


def prose(page):
    """The text of a page without its code."""
    return re.sub(r"`[^`\n]*`", "code", FENCED.sub("", page.read_text(encoding="utf-8")))


def anchors(page):
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_and_image_exists(page):
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if not re.match(r"\w+:", t)]
    broken = []
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def unstored(text, read, tables_alone=False):
    """What of a page is in none of the files it declares: numbers, as (line, number), and lines of program output.

    A declaration holds up to the next one or the next heading. Numbers of tables count, and in the prose those with a
    decimal point, an exponent or a unit.
    """
    found, block, stored, numbers = [], None, "", []
    lines = text.splitlines()
    for i, line in enumerate(lines, 1):
        if fence := re.match(r"```(\w*)", line):
            block = None if block is not None else fence[1]
        elif block is not None:
            if block == "text" and not tables_alone and line.strip() and line.rstrip() not in stored.splitlines():
                found.append((i, line))
        elif (declared := _STORED.search(line)) or line.startswith("#"):
            files = declared[1].split() if declared else []
            stored = "\n".join(read(name) for name in files)
            numbers = [Decimal(n.replace(",", "")) for n in _ANY.findall(stored)]
        elif not line.startswith("    "):
            for shown, measured, percent in shown_numbers(line, lines[i] if i < len(lines) else ""):
                counts = line.startswith("|") or (measured and not tables_alone)
                scales = (1, 100) if percent else (1,)
                if counts and not any(is_rounded(shown, number * scale) for number in numbers for scale in scales):
                    found.append((i, shown))
    return found


def shown_numbers(line, following):
    """The numbers of a line, whether each has a decimal point, an exponent or a unit (perhaps on the next line), and
    whether that is "%".
    """
    bare = re.sub(r"(?<=\d)[-–](?=\d)", " ", _NO_NUMBER.sub(" code ", line)) + " " + following.lstrip()[:12]
    for match in _NUMBER.finditer(bare, 0, len(bare) - len(following.lstrip()[:12])):
        unit = _UNIT.match(bare, match.end())
        yield match[0], bool(unit or re.search(r"[.e]", match[0])), bool(unit and "%" in unit[0])


def is_rounded(shown, number):
    """Whether a number is another one, rounded to its digits."""
    value = Decimal(shown.replace(",", ""))
    half = Decimal(10) ** int(value.as_tuple().exponent) / 2
    return abs(number - value) <= half


def stored_file(name):
    """A table that a script wrote; a page that says `copied` fills itself when it is there."""
    path = ROOT / name
    assert name.startswith("outputs/paper/")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_every_file_that_a_page_says_is_stored_is_there():
    named = {
        name
        for page in [ROOT / "README.md", *RESULTS]
        for name in re.findall(r"<!-- stored: (.+) -->", page.read_text())
    }
    assert [name for names in named for name in names.split() if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", [ROOT / "README.md", *RESULTS], ids=lambda page: page.stem)
def test_every_number_of_results_is_stored(page):
    assert unstored(page.read_text(encoding="utf-8"), stored_file, page.name == "README.md") == []


def test_a_number_that_is_not_stored_is_seen():
    stored = {"a.md": "| x | 1.234e-03 | 408321 |\nerror 12.34 s"}.__getitem__
    page = "<!-- stored: a.md -->\n| 1.23e-3 | 408,321 | P2 | `7` | 2-D | 1/9 |\nin 12.3 s, Fig. 1c\n"
    page += "```text\nerror 12.34 s\n```"
    assert unstored(page, stored) == []
    assert unstored(page.replace("1.23e-3", "1.24e-3"), stored) == [(2, "1.24e-3")]
    assert unstored(page.replace("12.3 s", "13 s"), stored) == [(3, "13")]
    assert unstored(page.replace("12.3 s", "0.12 %"), stored) == []
    assert unstored(page.replace("12.3 s", "0.12 s"), stored) == [(3, "0.12")]
    assert unstored(page.replace("error 12", "error 13"), stored) == [(5, "error 13.34 s")]
    assert unstored(page.replace("\n|", "\n## A section without a declaration\n|", 1), stored)[0] == (3, "1.23e-3")


@pytest.mark.parametrize("name", ["keys", "commands"])
def test_the_generated_pages_are_those_of_this_code(name):
    reference = runpy.run_path(str(ROOT / "scripts/reference.py"))
    assert (ROOT / f"docs/{name}.md").read_text(encoding="utf-8") == reference[f"{name}_page"]()


def test_the_page_of_plugins_has_each_of_their_files_as_it_is():
    page = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"<!-- code: (\S+) -->\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    files = [path for path in (ROOT / "examples/plugins").rglob("*") if path.suffix in (".py", ".yaml")]
    assert shown == {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}


def test_readme_is_short_and_begins_with_its_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 110
    shell = [body.strip() for language, body in FENCED.findall(text) if language == "sh"]
    assert shell[:2] == COMMANDS


def test_ci_finds_the_test_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^python3 -m venv .*pytest$", text, re.MULTILINE) == [COMMANDS[1]]
