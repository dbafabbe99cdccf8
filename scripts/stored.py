"""The stored tables of `results.sh`, and their copies on the pages.

    python scripts/stored.py runs FILE TITLE PLACE ...      a table of finished runs
    python scripts/stored.py bounds FILE TITLE PLACE ...    the bounds of the errors of finished runs
    python scripts/stored.py output FILE TITLE COMMAND ... [-- COMMAND ...] ...
                                                            what commands print (`hpms ...`, or `python FILE ...`)
    python scripts/stored.py copy PAGE ...                  tables below <!-- copied: FILE --> become the first of FILE,
                                                            and code below <!-- code: FILE --> all of it

Each file says with what command, commit, versions and machine its numbers were made. `output` keeps what FILE already
has, so that the same command goes on where it was stopped; of `hpms` the lines of seconds are left out, and the gaps of
all commands are a table of their own, the first one.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stored_runs import bounds, origin, runs

import hpms
from hpms.machine.runtime import provenance
from hpms.results.formats import markdown

_COPIED = re.compile(r"(<!-- copied: (\S+) -->\n)(?:\|.*\n)*")
_CODE = re.compile(r"(<!-- code: (\S+\.(\w+)) -->\n)(?:```\w+\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
_LANGUAGES = {"py": "python"}
_ROOT = Path(hpms.__file__).parent.parent
_BLOCK = re.compile(r"^## `([^\n]+)`\n\n(.+?^```text\n.*?^```\n)", re.MULTILINE | re.DOTALL)
_GAPS = {  # what `hpms reference coupling=consistent` prints
    "paper's, balls": re.compile(r"^gap .*balls.*? {2,}([\d.]+)", re.MULTILINE),
    "inside": re.compile(r"^  interior, boundary frame +([\d.]+)", re.MULTILINE),
    "consistent, inside": re.compile(r"^gap .*boxes.*? {2,}([\d.]+)", re.MULTILINE),
    "as trained": re.compile(r"^  as trained.*? {2,}([\d.]+)", re.MULTILINE),
}
_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def output(path: Path, title: str, words: Sequence[str]) -> None:
    """Each command's output in a block of its own, without the last line of `hpms`, a path."""
    text = path.read_text() if path.exists() else ""
    blocks = dict(_BLOCK.findall(text))
    ends = [i for i, word in enumerate(words) if word == "--"]
    for start, end in zip([0, *(i + 1 for i in ends)], [*ends, len(words)], strict=True):
        command = shlex.join(words[start:end])
        if command in blocks:
            continue
        print(command, flush=True)
        ours = words[start] == "hpms"
        called = [sys.executable, "-m", *words[start:end]] if ours else [sys.executable, *words[start + 1 : end]]
        said = subprocess.run(called, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        said = [line.rstrip() for line in said[:-1] if not line.startswith("seconds")] if ours else said
        blocks[command] = f"{origin([provenance()])}\n\n```text\n" + "\n".join(said).strip("\n") + "\n```\n"
        _write(path, _blocks(title, blocks))
    _write(path, _blocks(title, blocks))


def _blocks(title: str, blocks: Mapping[str, str]) -> str:
    found = {name: [pattern.search(body) for pattern in _GAPS.values()] for name, body in blocks.items()}
    gaps = [[f"`{name}`", *(match[1] for match in row if match)] for name, row in found.items() if all(row)]
    table = [markdown(["command", *_GAPS], gaps) + "\n"] if gaps else []
    return "\n".join([f"# {title}\n", *table, *(f"## `{name}`\n\n{body}" for name, body in blocks.items())])


def copy(page: Path) -> None:
    """The first table of each file that a page names, where the file is there, and the code of others."""

    def table(match: re.Match[str]) -> str:
        stored = _ROOT / match[2]
        found = _TABLE.search(stored.read_text() if stored.exists() else "")
        return match[1] + found[0] if found else match[0]

    def code(match: re.Match[str]) -> str:
        return f"{match[1]}```{_LANGUAGES.get(match[3], match[3])}\n{(_ROOT / match[2]).read_text()}```\n"

    _write(page, _CODE.sub(code, _COPIED.sub(table, page.read_text())))


def _write(path: Path, text: str) -> None:
    """As a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text)
    partial.replace(path)


def main() -> None:
    match sys.argv[1:]:
        case ["runs" | "bounds" as kind, path, title, *places] if places:
            _write(Path(path), {"runs": runs, "bounds": bounds}[kind](title, places))
            print(path)
        case ["output", path, title, *words] if words:
            output(Path(path), title, words)
        case ["copy", *pages] if pages:
            for page in pages:
                copy(Path(page))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
