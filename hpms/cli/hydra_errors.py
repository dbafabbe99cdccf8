"""What Hydra and OmegaConf complain about, in one sentence that says what to type."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException

from hpms.cli.compose import composed
from hpms.config.choices import EXAMPLES, not_chosen
from hpms.config.config import GROUPS
from hpms.errors import brief, suggestion

_OWN = (
    " One of your own is found with --config-dir FOLDER (in Python config_dir=FOLDER), and with plugins=[my_module] "
    "where it has code."
)


def sentence(error: Exception, verb: str) -> str:
    """The error as one sentence, with the closest existing key or option where one is missing."""
    text = " ".join(str(error).split())
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        options = [o for o in error.options or () if not o.endswith(".yaml")]
        sign = "+" if group == "experiment" else ""
        hint = suggestion(name, options) or ("" if _looks_elsewhere() else _OWN)
        return f"{sign}{group}={name} is not an option: choose {' or '.join(options)}.{hint}"
    if isinstance(error, OverrideParseException) and "=" not in str(error.override):
        return (
            f"{brief(error.override)} cannot be read: write key=value, and put single quotes around the whole of it "
            f"where it has blanks, braces or brackets, which the shell takes apart: 'key=value'."
        )
    if isinstance(error, OverrideParseException):
        return (
            f"{brief(error.override)} cannot be read: write key=value, and put quotes inside quotes around a value "
            f"with blanks, brackets or commas: \"key='value'\"."
        )
    if match := re.search(r"Could not override '([^']+)'", text):
        return _unknown(match.group(1), text, verb, _keys(verb))
    if match := re.search(r"Multiple values for (\w+)", text):
        return f"{match.group(1)} is given more than once: keep one of them."
    if "Ambiguous value" in text or "requires --multirun" in text:
        key = re.search(r"[\w.+]+=[^\s']+", text)
        return f"{key.group(0) if key else 'a value'} is several values: add -m to run each of them."
    return text if text.endswith(".") else f"{text}."


def _looks_elsewhere() -> bool:
    """Whether options of one's own were asked for."""
    return any(word.startswith(("plugins=", "--config-dir", "-cd")) for word in sys.argv)


def _unknown(key: str, text: str, verb: str, known: list[str]) -> str:
    if key.startswith("experiment") and verb != "evaluate":
        return "an experiment is added with a plus: +experiment=NAME."
    groups = sorted({k.split(".")[0] for k in known})
    if "No match in the defaults list" in text:
        return f"'{key}' is not a group.{suggestion(key, groups) or ' The groups are ' + ', '.join(groups) + '.'}"
    group = key.split(".")[0]
    if group in EXAMPLES and group not in groups:
        return str(not_chosen(group))
    if "." in key and group in groups:
        siblings = [k for k in known if k.startswith(f"{group}.") and not k.endswith(".name")]
        hint = suggestion(key.removeprefix(f"{group}."), [k.removeprefix(f"{group}.") for k in siblings])
        hint = hint or (f" The keys are {', '.join(siblings)}." if siblings else " It has no keys.")
        return f"'{key}' is not a key{_of_option(group)}.{hint}"
    return f"'{key}' is not a key.{suggestion(group, groups) or ' The groups and keys are ' + ', '.join(groups) + '.'}"


def _of_option(group: str) -> str:
    """The option of a group that was typed, if one was."""
    typed = [argument for argument in sys.argv if argument.startswith(f"{group}=")]
    return f" of {typed[-1]}" if typed else ""


def _keys(verb: str) -> list[str]:
    """The keys of the options that were typed, or else of those that are chosen by default."""
    typed = [argument for argument in sys.argv[1:] if re.fullmatch(r"\+?\w+=\w+", argument)]
    chosen = [argument for argument in typed if argument.lstrip("+").split("=")[0] in (*GROUPS, "experiment")]
    try:
        values = composed(verb, *chosen, resolve=False)
    except HydraException:
        values = composed(verb, resolve=False)
    return list(_flatten(values, ""))


def _flatten(values: Any, prefix: str) -> Iterator[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
