"""`hpms plot`: figures of stored runs, also of those that are still at work."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hpms.commands.reading import keys, latest_runs, parser, shared_folder
from hpms.config.registry import load_plugins
from hpms.errors import ConfigError, UserError
from hpms.figures import paraview
from hpms.figures.comparison import plot_comparison
from hpms.figures.record import Record, record
from hpms.figures.run import write_run_figure
from hpms.figures.style import require_matplotlib
from hpms.results.collection import Run

_DESCRIPTION = """Draws one run (figure.png beside it), or compares several (errors.png in the folder they share): a
line and a band for runs that differ in the seed alone, a column for each problem. Works on runs that are still at
work too. hpms plot coefficient [+experiment=NAME] [key=value] draws the medium of a configuration, before any training:
hpms plot coefficient --help."""
_EXAMPLES = """  hpms plot outputs/train/osc1d/*/seed=0
  hpms plot outputs/train/osc2d --format pdf"""
_PICTURES = ("pdf", "png")  # the path that is printed last is that of the png


def main(arguments: list[str]) -> int:
    """Draws one run or compares several, and prints what was written."""
    options = _parser().parse_args(arguments)
    formats = _formats(options.format)
    if pictures := [f for f in _PICTURES if f in formats]:
        require_matplotlib()
    load_plugins(options.plugins)
    runs = latest_runs(options.places)
    output = Path(options.output) if options.output else None
    if len(runs) == 1:
        paths = _plot_one(runs[0], output or runs[0].directory, formats, pictures)
    else:
        paths = _compare(runs, options.by, output or shared_folder(runs), formats)
    for path in paths:
        print(path)
    return 0


def _plot_one(run: Run, folder: Path, formats: Sequence[str], pictures: Sequence[str]) -> list[Path]:
    found = _with_fields(record(run.stored))
    if not found.fields and not found.iterations.size:
        raise UserError(f"{run.stored.path} has nothing to draw yet: let the run log an iteration.")
    paths = [paraview.write_mesh(found, folder, f) for f in formats if f in paraview.FORMATS]
    return [*paths, *(write_run_figure(found, folder, pictures) if pictures else [])]


def _compare(runs: Sequence[Run], by: list[str] | None, folder: Path, formats: Sequence[str]) -> list[Path]:
    if meshes := [f for f in formats if f in paraview.FORMATS]:
        allowed = f"it writes the fields of one run, and here are {len(runs)}"
        raise ConfigError("--format", meshes[0], allowed)
    if not any(run.stored.history() for run in runs):
        raise UserError("these runs have nothing to draw yet: let them log an iteration.")
    return plot_comparison(runs, by, folder, formats)


def _with_fields(run: Record) -> Record:
    """The fields of the best checkpoint where the run has not written them yet; as it was where they cannot be had."""
    if run.fields or "iteration" not in run.summary:
        return run
    from hpms.reload import config_here, reload

    try:
        config = config_here(run.stored)
        config.runtime.setup("auto")
        fields = reload(run.stored, "best", config).fields()
    except UserError as error:
        print(f"hpms plot: the history alone is drawn, as {error}", file=sys.stderr)
        return run
    return record(run.stored, fields)


def _formats(text: str) -> list[str]:
    found, known = [part.strip() for part in text.split(",") if part.strip()], (*_PICTURES, *paraview.FORMATS)
    for name in found or [text]:
        if name not in known:
            raise ConfigError("--format", name, f"choose from {', '.join(known)}, separated by commas")
    return sorted(dict.fromkeys(found), key=known.index)


def _parser() -> argparse.ArgumentParser:
    found = parser("plot", _DESCRIPTION, _EXAMPLES)
    found.add_argument("--output", metavar="FOLDER", help="where to write instead")
    found.add_argument(
        "--format", default="png,pdf", help="of png, pdf, and for the fields of one run vtu, xdmf (default png,pdf)"
    )
    found.add_argument("--by", type=keys, metavar="KEY,KEY", help="what tells lines apart, such as coupling,network")
    found.add_argument("--plugins", nargs="+", default=[], metavar="MODULE", help="your modules that a run needs")
    return found
