"""`hpms list`: which runs there are, and how they ended."""

from hpms.commands.reading import add_format, parser, read_runs, show_table
from hpms.results.run_list import OUTCOME, long_list, run_list

_DESCRIPTION = """One row per run, finished or not, with the keys in which the runs differ. --format csv has every key
of the configurations and all digits, for your own analysis."""
_EXAMPLES = """  hpms list outputs/train
  hpms list outputs/train/osc2d --format csv --output runs.csv"""


def main(arguments: list[str]) -> int:
    """Prints the list, or writes it."""
    found = parser("list", _DESCRIPTION, _EXAMPLES)
    add_format(found)
    options = found.parse_args(arguments)
    runs = read_runs(options.places)
    header, rows = long_list(runs) if options.format == "csv" else run_list(runs)
    show_table(header, rows, header.index(OUTCOME[0]), options)
    return 0
