"""`hpms table`: Table 1 and its like, from finished runs."""

from hpms.commands.reading import add_format, keys, latest_runs, parser, show, show_table
from hpms.errors import UserError
from hpms.results.findings import findings
from hpms.results.formats import FORMATS
from hpms.results.summary_table import TITLES, long_table, summary_table

_DESCRIPTION = """Means and standard deviations over the seeds, a row for each coupling and network, and for each value
of any other key in which these runs differ. Errors and iteration are those of the smallest residual loss in the
history, as in the paper's Table 1; "failed" counts runs that did not finish or whose relative L2 error exceeds 0.9
(trapped); trapped runs count in the means. The seconds are those until that iteration, with compilation. The fine
finite element method stands below."""
_EXAMPLES = """  hpms table outputs/train/osc2d
  hpms table 'outputs/train/osc1d/*' --by coupling,problem.eps --format latex --output table.tex"""


def main(arguments: list[str]) -> int:
    """Prints the table, or writes it."""
    found = parser("table", _DESCRIPTION, _EXAMPLES)
    found.add_argument("--by", type=keys, metavar="KEY,KEY", help="group by these keys instead, such as optimizer,seed")
    found.add_argument(
        "--columns", type=keys, default=[], metavar="NAME,NAME", help="more numbers, such as relative_error_bound"
    )
    found.add_argument("--accuracy", type=float, help="count runs as failed without a bound as small as this")
    found.add_argument("--findings", action="store_true", help="instead, what the paper says in words against the runs")
    add_format(found)
    options = found.parse_args(arguments)
    runs = latest_runs(options.places)
    if options.accuracy is not None and not options.accuracy > 0:
        raise UserError(f"--accuracy={options.accuracy:g} is not allowed: it must be greater than 0.")
    if options.findings and options.by:
        raise UserError("--findings has groups of its own: leave out --by.")
    if options.findings:
        rows = [[found.claim, found.verdict, found.numbers] for found in findings(runs)]
        show(FORMATS[options.format](["the paper says", "these runs", "numbers"], rows), options.output)
        return 0
    make = long_table if options.format == "csv" else summary_table
    header, rows = make(runs, options.by, options.columns, options.accuracy)
    show_table(header, rows, len(header) - len(TITLES) - len(options.columns) - 1, options)
    return 0
