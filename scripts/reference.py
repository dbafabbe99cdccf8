"""docs/keys.md and docs/commands.md, from schemas, YAML and the commands' own help.

    python scripts/reference.py

Of an option the page has its docstring, its keys with defaults (those of conf/) and what is allowed (its schema), and
what other files of conf/ make of it.
"""

import contextlib
import dataclasses
import importlib
import inspect
import io
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import yaml

from hpms.cli.main import READERS, VERBS
from hpms.config.config import GROUPS
from hpms.config.registry import options
from hpms.config.schema import Bound, Place
from hpms.results.formats import markdown

_ROOT = Path(__file__).resolve().parents[1]
_CONF = _ROOT / "conf"
_PACKAGED = ("function",)  # what Python problems have, and no file of conf/
_KEYS = """# Groups, options and keys

A configuration has a group for each part of a run, `group=option` chooses one of its options, and `group.key=value`
sets a key. Numbers may be arithmetic: `problem.eps=1/15`, `coupling.delta=2*eps`; `eps` and `dim` are known to all keys
but those of `problem`. Names that were [changed](changes.md) are still read. This page is made from the schemas and
files that the program reads.
"""
_COMMANDS = """# Commands

`hpms VERB --help` prints what is here, and for the first six the groups and keys, too. `-m` makes a [sweep](sweeps.md)
of lists of values, `-v` prints a line for each logged iteration, `--quiet` nothing but the path of what was written,
`--cfg job` prints the configuration.
"""


def comment(path: Path) -> str:
    """The first lines of a file of conf/ that say what it is."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("# @package")]
    said = []
    for line in lines:
        if not line.startswith("#"):
            break
        said.append(line.lstrip("# "))
    return " ".join(said)


def loaded(path: Path) -> dict[str, Any]:
    """A file of a group with those of the same group that its `defaults` name."""
    own = yaml.safe_load(path.read_text()) or {}
    found: dict[str, Any] = {}
    for base in own.pop("defaults", []):
        if isinstance(base, str) and base != "_self_":
            found |= loaded(path.with_name(f"{base}.yaml"))
    return found | own


def value(given: Any) -> str:
    """A value as it is typed."""
    if isinstance(given, bool) or given is None:
        return {True: "true", False: "false", None: "null"}[given]
    if isinstance(given, list):
        return "[" + ",".join(map(value, given)) + "]"
    if isinstance(given, dict):
        return "{" + ",".join(f"{k}:{value(v)}" for k, v in given.items()) + "}"
    return str(given)


def allowed(hint: Any) -> str:
    """What a key may be."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        bounds = [str(bound) for bound in inner[1:] if isinstance(bound, Bound | Place)]
        if any(isinstance(bound, Place) for bound in inner[1:]):
            return bounds[0]
        return " ".join([allowed(inner[0]), *bounds]).strip()
    if origin in (typing.Union, types.UnionType):
        some = [allowed(each) for each in inner if each is not type(None)]
        return " or ".join([*some, *(["null"] if type(None) in inner else [])])
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in inner)
    if origin is tuple:
        return f"a list; each {allowed(inner[0])}"
    if origin is dict:
        return "names and numbers"
    kinds = {int: "a whole number", float: "a number", bool: "`true`, `false`", str: "text", Any: "see above"}
    return kinds[hint]


def keys(schema: type) -> dict[str, Any]:
    """The types of its keys."""
    hints = get_type_hints(schema, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(schema) if field.init}  # type: ignore[arg-type]


def said(schema: type) -> str:
    """Its docstring, in one paragraph a paragraph."""
    paragraphs = (inspect.getdoc(schema) or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def option(group: str, name: str, schema: type) -> Iterator[str]:
    """The section of one option and of the files of conf/ that have its name within."""
    yield f"### `{group}={name}`\n"
    yield said(schema) + "\n"
    files = {path: loaded(path) for path in sorted((_CONF / group).glob("*.yaml"))}
    own = _CONF / group / f"{name}.yaml"
    base = files.get(own, {})
    if own.exists() and comment(own):
        yield f"*{comment(own).rstrip('.')}.*\n"
    if hints := keys(schema):
        rows = [
            [f"`{group}.{key}`", f"`{value(base[key])}`" if key in base else "to be given", allowed(hint)]
            for key, hint in hints.items()
        ]
        yield markdown(["key", "default", "allowed"], rows) + "\n"
    for path, values in files.items():
        if path != own and values.get("name", name) == name and (values.get("name") or len(options(group)) == 1):
            differs = [f"`{k}={value(v)}`" for k, v in values.items() if k != "name" and base.get(k) != v]
            text = f": {comment(path).rstrip('.')}" if comment(path) else ""
            yield f"* `{group}={path.stem}`{text}{' (' + ', '.join(differs) + ')' if differs else ''}."
    yield ""


def chosen(path: Path) -> Iterator[str]:
    """The section of a method or an experiment."""
    values = yaml.safe_load(path.read_text())
    yield f"### `+{path.parent.name}={path.stem}`\n"
    if comment(path):
        yield comment(path).rstrip(".") + ".\n"
    rows = []
    for each in values.pop("defaults", []):
        if isinstance(each, dict):
            rows += [f"`{k.removeprefix('override /')}={v}`" for k, v in each.items()]
        elif each != "_self_":
            rows.append(f"all of `{path.parent.name}={each}`")
    for group, inner in values.items():
        pairs = inner.items() if isinstance(inner, dict) else [(None, inner)]
        rows += [f"`{group}{'.' + k if k else ''}={value(v)}`" for k, v in pairs]
    yield ", ".join(rows) + ".\n"


def help_lines() -> dict[str, str]:
    """What `--help` says of each group."""
    template = yaml.safe_load((_CONF / "base.yaml").read_text())["hydra"]["help"]["template"]
    block = template.split("== Groups ==")[1].split("$APP_CONFIG_GROUPS")[0]
    found: dict[str, str] = {}
    for line in block.splitlines():
        if match := re.match(r"  (\w+) +(.+)", line):
            name = match[1]
            found[name] = match[2]
        elif line.strip():
            found[name] += " " + line.strip()
    return found


def plain() -> Iterator[str]:
    """The keys that belong to no group, by the comments behind them."""
    rows = []
    for file, where in (("base", "all of these"), ("train", "`hpms train`")):
        for line in (_CONF / f"{file}.yaml").read_text().splitlines():
            if match := re.match(r"(\w+): (\S+) +# (.+)", line):
                rows.append([f"`{match[1]}`", f"`{match[2]}`", where, match[3]])
    yield markdown(["key", "default", "of", "meaning"], rows) + "\n"


def keys_page() -> str:
    """docs/keys.md."""
    lines, about = [_KEYS, "## Keys of no group\n", *plain()], help_lines()
    for group in ("method", "experiment"):
        lines += [f"## `{group}`\n", about[group][:1].upper() + about[group][1:] + ".\n"]
        lines += [line for path in sorted((_CONF / group).glob("*.yaml")) for line in chosen(path)]
    for group in GROUPS:
        lines += [f"## `{group}`\n", about[group][:1].upper() + about[group][1:] + ".\n"]
        for name, schema in sorted(options(group).items(), key=lambda each: each[0] in _PACKAGED):
            if schema.__module__.startswith("hpms."):
                lines += option(group, name, schema)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def commands_page() -> str:
    """docs/commands.md."""
    lines = [_COMMANDS]
    for verb, text in (VERBS | READERS).items():
        lines += [f"## hpms {verb}\n", text[:1].upper() + text[1:] + ".\n", "```text", helped(verb).strip(), "```\n"]
    return "\n".join(lines).strip() + "\n"


def helped(verb: str) -> str:
    """Of `--help` what is the verb's own."""
    if verb in VERBS:
        found = yaml.safe_load((_CONF / f"{verb}.yaml").read_text())["hydra"]["help"]
        return found["header"] + "\n\n" + found["footer"].replace("== Examples ==", "Examples:")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        importlib.import_module(f"hpms.commands.{verb}").main(["--help"])
    return said.getvalue()


if __name__ == "__main__":
    (_ROOT / "docs/keys.md").write_text(keys_page(), encoding="utf-8")
    (_ROOT / "docs/commands.md").write_text(commands_page(), encoding="utf-8")
