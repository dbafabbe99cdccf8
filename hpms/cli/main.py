"""`hpms VERB [overrides]`: picks the command and hands the rest of the line to it.

Nothing heavy is imported here: `hpms --help` and tab completion have to be quick.
"""

import importlib
import io
import os
import re
import sys

from hpms import __version__
from hpms.config import aliases
from hpms.config.choices import check_choice
from hpms.errors import UserError, suggestion

VERBS = {
    "train": "train one configuration, or a sweep with -m",
    "evaluate": "recompute the errors of a run: hpms evaluate run=DIR",
    "reference": "solve the fine-scale problem by finite elements",
    "upscale": "the classical upscaled coefficients, without a network",
    "check": "test gradient, derivatives and adjoint of a configuration",
    "consistency": "how far the exact solution is from the coupling: rates in ε, δ and h",
}
# These read runs and take places and flags instead of a configuration.
READERS = {
    "list": "one row per run: hpms list outputs/train",
    "plot": "figures of runs: hpms plot outputs/train/osc2d",
    "report": "one HTML page for a set of runs: hpms report outputs/train/osc2d",
    "table": "means over seeds, as in Table 1: hpms table outputs/train/osc2d",
}
# What takes a configuration although its verb reads runs, unless a folder has that name: its command.
_PAIRS = {"plot coefficient": "plot_coefficient"}
# Values that Hydra's grammar cannot read bare: formulas, and paths such as outputs/.../seed=0.
_QUOTED = re.compile(
    r"(\+{0,2}(?:[\w.]*\.formula|problem\.(?:conditions|parts|vertices|holes)|law\.reaction|coefficient\.entries|coefficient\.path|run|run_dir|init_from|output|reference\.cache|compilation_cache))=([^'\"].*)",
    re.DOTALL,
)
_PATH = re.compile(r"(\+{0,2}[\w.]+)=([^'\"=,()\[\]{}]*=[^'\",()\[\]{}]*)")  # such as x.path=data/seed=3.png
# Names of one's own below a key that has no such name yet: Hydra wants a ++ there.
_NAMED = re.compile(r"\w+\.constants(\.\w+)?=.*", re.DOTALL)


_PIECE = re.compile(r"(\+{0,2}[\w.]+)=\w+:.*", re.DOTALL)
_DASHED = re.compile(r"--?([\w.-]+)=.*", re.DOTALL)
_HYDRA_FLAGS = ("cfg", "package", "config-path", "config-name", "config-dir", "info", "shell-completion")
# How much is said.
_MORE, _LESS = "hydra.verbose=[hpms]", "hydra.job_logging.root.level=ERROR"
_SAID = {"-v": _MORE, "--verbose": _MORE, "-q": _LESS, "--quiet": _LESS}


def usage() -> str:
    """What `hpms` alone prints."""
    verbs = VERBS | READERS
    width = max(map(len, verbs)) + 2
    rows = [f"  {verb:<{width}}{text}" for verb, text in verbs.items()]
    return "\n".join(
        [
            "usage: hpms VERB [+experiment=NAME] [+method=NAME] [group=option] [key=value] [-m]",
            "",
            "A hybrid physics-informed neural network / finite element multiscale solver.",
            "",
            "verbs:",
            *rows,
            "",
            "hpms VERB --help shows a verb's groups, keys and examples.",
            'Tab completion: eval "$(hpms -sc install=bash)"',
        ]
    )


def typed(argument: str) -> str:
    """`argument` as Hydra wants it: a formula or a path in quotes, a constant of a formula behind ++, and a method
    without a plus, as an experiment may have one already. Raises `UserError` for a number where an option stands.
    """
    if argument.startswith("+method="):
        return argument[1:]
    check_choice(*argument.partition("=")[::2])
    if _NAMED.fullmatch(argument):
        return f"++{argument}"
    if not (match := _QUOTED.fullmatch(argument) or _PATH.fullmatch(argument)):
        return argument
    key, value = match.groups()
    if value in ("null", "???"):
        return argument
    return f"{key}='{value.replace(chr(39), chr(92) + chr(39))}'"


def without_output() -> None:
    """Standard output goes nowhere from here on, where its reader has gone or its disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """The console script."""
    try:
        _main()
        sys.stdout.flush()
    except BrokenPipeError:  # `hpms list ... | head` has read enough
        without_output()
        sys.exit(0)


def _main() -> None:
    program, arguments = sys.argv[0], sys.argv[1:]
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help", "help"):
        print(usage())
    elif verb in ("-V", "--version"):
        print(f"hpms {__version__}")
    elif verb in ("-sc", "--shell-completion"):
        _complete(program, arguments)
    elif verb in VERBS:
        _run(verb, f"hpms {verb}", arguments[1:])
    elif (pair := " ".join(arguments[:2])) in _PAIRS and not os.path.isdir(arguments[1]):
        _run(_PAIRS[pair], f"hpms {pair}", arguments[2:])
    elif verb in READERS:
        _read(verb, arguments[1:])
    else:
        verbs = [*VERBS, *READERS]
        sys.exit(f"hpms: '{verb}' is not a verb: choose {', '.join(verbs)}.{suggestion(verb, verbs)}")


def _run(verb: str, program: str, arguments: list[str]) -> None:
    flags = [argument for argument in arguments if argument in ("-m", "--multirun")]  # argparse wants them in front
    for argument in arguments:
        if (match := _DASHED.fullmatch(argument)) and match.group(1) not in _HYDRA_FLAGS:
            sys.exit(f"{program}: {argument} is not a flag: write {argument.lstrip('-')}.")
    if torn := _torn(arguments):
        sys.exit(
            f"{program}: {torn} is given in pieces, as a shell takes braces apart: write '{torn}={{...}}' in quotes."
        )
    said = [_SAID[argument] for argument in arguments if argument in _SAID]
    rest = [argument for argument in arguments if argument not in flags and argument not in _SAID]
    try:
        rest = [typed(argument) for argument in aliases.typed(rest)]
    except UserError as error:
        sys.exit(f"{program}: {error}")
    sys.argv = [program, *flags, *rest, *said[-1:]]
    importlib.import_module("hpms.cli.app").run(verb)


def _torn(arguments: list[str]) -> str | None:
    """The key of {a:...,b:...} that the shell has made key=a:... key=b:... of."""
    keys = [match.group(1) for argument in arguments if (match := _PIECE.fullmatch(argument))]
    return next((key for key in keys if keys.count(key) > 1), None)


def _read(verb: str, arguments: list[str]) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that does not know ε
    try:
        code = importlib.import_module(f"hpms.commands.{verb}").main(arguments)
        sys.stdout.flush()
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        raise
    except (UserError, OSError) as error:
        sys.exit(f"hpms {verb}: {error}")


def _complete(program: str, arguments: list[str]) -> None:
    """Hydra's completion, taught that the first word is a verb."""
    if not any(a.startswith("query=") for a in arguments):
        _run("train", program, arguments)
        return
    line = os.environ.get("COMP_LINE", "")
    line = line[: int(os.environ.get("COMP_POINT", len(line)))]
    words = line.split()
    if len(words) <= 1 or (len(words) == 2 and not line.endswith(" ")):
        print(" ".join([*VERBS, *READERS]))
    elif words[1] in VERBS:
        rest = line.split(None, 2)[2] if len(words) > 2 else ""
        os.environ["COMP_LINE"] = f"hpms {rest}"
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
        _run(words[1], program, arguments)
