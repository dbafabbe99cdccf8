"""pyproject.toml, CITATION.cff, scripts/oldest.txt and docs/citation.md say the same."""

import re
import tomllib
from pathlib import Path

import yaml

import hpms

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def bibtex():
    """The fields of the entry in docs/citation.md, on one line each."""
    (entry,) = re.findall(
        r"```bibtex\n(.*?)```", (ROOT / "docs" / "citation.md").read_text(encoding="utf-8"), re.DOTALL
    )
    fields = re.findall(r"^ +(\w+) += \{(.*?)\},?$", entry.replace('{\\"u}', "ü"), re.MULTILINE | re.DOTALL)
    return {name: " ".join(value.split()) for name, value in fields}


def test_the_version_is_one():
    assert PROJECT["version"] == CITATION["version"] == hpms.__version__


def test_the_citation_is_that_of_the_docs():
    assert CITATION["cff-version"] == "1.2.0" and {"message", "title", "authors"} <= CITATION.keys()
    paper, entry = CITATION["preferred-citation"], bibtex()
    names = [f"{author['family-names']}, {author['given-names']}" for author in paper["authors"]]
    assert " and ".join(names) == entry["author"]
    assert [paper["title"], paper["journal"]] == [entry["title"], entry["journal"]]
    assert (str(paper["volume"]), str(paper["start"])) == (entry["volume"], entry["pages"])
    assert str(paper["year"]) == entry["year"]
    assert [each["value"] for each in paper["identifiers"]] == [entry["note"]]
    assert paper["url"] == PROJECT["urls"]["Paper"]


def test_the_oldest_versions_are_the_lower_bounds():
    required = sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])
    bounds = sorted("==".join(found) for each in required for found in re.findall(r"^([\w-]+)>=([\d.]+)", each))
    pinned = [line for line in (ROOT / "scripts/oldest.txt").read_text().splitlines() if not line.startswith("#")]
    assert pinned == bounds
