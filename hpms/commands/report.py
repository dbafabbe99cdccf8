"""`hpms report`: one HTML page for a set of runs, to read, print or send."""

from datetime import UTC, datetime
from pathlib import Path

from hpms.commands.reading import keys, latest, leave_out, parser, shared_folder
from hpms.errors import UserError
from hpms.figures.embedded import of_group, overview
from hpms.machine import files
from hpms.results.collection import group, load_runs
from hpms.results.page import Asked, report_page

FILE = "report.html"
_DESCRIPTION = """One HTML page that carries everything in itself: means over the seeds, the best network of each group
beside the fine finite element method, what failed and why, figures, all runs, what their configurations have in common
and where they differ, and on which machines, with which versions and command lines they ran. The figures need
Matplotlib; without it the page comes without them."""
_EXAMPLES = """  hpms report outputs/train/osc2d
  hpms report 'outputs/train/osc1d/*' --by coupling,problem.eps --output osc1d.html"""


def main(arguments: list[str]) -> int:
    """Writes the page and prints where."""
    found = parser("report", _DESCRIPTION, _EXAMPLES)
    found.add_argument("--by", type=keys, metavar="KEY,KEY", help="group by these keys instead, such as optimizer,seed")
    found.add_argument("--output", type=Path, metavar="FILE", help=f"instead of {FILE} in the folder the runs share")
    options = found.parse_args(arguments)
    if options.output is not None:
        _check(options.output)
    runs, complaints = load_runs(options.places)
    leave_out(complaints)
    runs = latest(runs)
    names, groups = group(runs, options.by)
    folder = shared_folder(runs)
    asked = Asked(options.places, folder, options.by, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))
    single = [of_group(names, g) for g in groups]
    page = report_page(asked, runs, complaints, overview(runs, options.by), single)
    output = options.output or folder / FILE
    files.replace(output, page.encode("utf-8", "xmlcharrefreplace"))
    print(output)
    return 0


def _check(output: Path) -> None:
    """Before the figures are drawn."""
    if output.is_dir():
        raise UserError(f"--output {output}: this is a folder, name a file such as {output / FILE}.")
    if not output.parent.is_dir():
        raise UserError(f"--output {output}: there is no folder {output.parent}.")
