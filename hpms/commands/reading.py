"""What the commands that read runs have in common: places to look in, and how to print a table."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hpms.config import aliases
from hpms.errors import UserError
from hpms.machine import files
from hpms.results.collection import Run, load_runs, newest
from hpms.results.formats import FORMATS
from hpms.results.narrow import narrow


def parser(verb: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser for `hpms VERB PLACE ...`."""
    found = argparse.ArgumentParser(
        prog=f"hpms {verb}",
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument(
        "places", nargs="+", metavar="PLACE", help="a folder (searched at any depth), a run.h5 or a glob"
    )
    return found


def add_format(found: argparse.ArgumentParser) -> None:
    """The flags --format and --output of a table."""
    found.add_argument("--format", choices=list(FORMATS), default="text", help="text is for the terminal")
    found.add_argument("--wide", action="store_true", help="the text in full, however wide")
    found.add_argument("--output", type=Path, metavar="FILE", help="write the table there instead of printing it")


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]], count: int, options: argparse.Namespace) -> None:
    """Prints or writes a table whose first `count` columns are keys, as its flags say."""
    is_narrow = options.format == "text" and not options.wide
    text = narrow(header, rows, count) if is_narrow else FORMATS[options.format](header, rows)
    show(text, options.output)


def keys(text: str) -> list[str]:
    """A list of keys separated by commas, by today's names."""
    return [aliases.current(key) for key in text.split(",") if key]


def read_runs(places: list[str]) -> list[Run]:
    """The runs that can be read; says on standard error which cannot."""
    runs, complaints = load_runs(places)
    leave_out(complaints)
    return runs


def latest_runs(places: list[str]) -> list[Run]:
    """Of these the last attempt at each configuration and seed."""
    return latest(read_runs(places))


def latest(runs: Sequence[Run]) -> list[Run]:
    """The last attempt at each configuration and seed; names the others on standard error."""
    kept, earlier = newest(runs)
    leave_out([f"{run.directory}: a later run has the same configuration and seed." for run in earlier])
    return kept


def leave_out(complaints: Sequence[str]) -> None:
    """Names what is not shown."""
    for complaint in complaints:
        print(f"left out: {complaint}", file=sys.stderr)


def shared_folder(runs: Sequence[Run]) -> Path:
    """The folder that all runs lie in, relative to the working directory where it lies in it."""
    folder, here = Path(os.path.commonpath([run.directory.absolute() for run in runs])), Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def show(text: str, output: Path | None) -> None:
    """Prints a table, or writes it and prints where."""
    if output is None:
        print(text)
        return
    if not output.parent.is_dir():
        raise UserError(f"--output {output}: there is no folder {output.parent}.")
    files.replace(output, f"{text}\n".encode())
    print(output)
