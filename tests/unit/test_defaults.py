"""Each default that a page states is that of conf/.

Pages state one as `group.key` (default CLAUSES), as `group.key=VALUE` (the default), or of `NAME`, and in the column
"default" of a table whose column "key" or "set" has the key. CLAUSES are separated by semicolons:

    [`NAME`, ...: |others ]VALUE[, in N-D[ below ε = NUMBER] VALUE]...[ with `key=VALUE`, ...]

A NAME is a method, an experiment, or an option of the key's group; without one a clause is about the methods that have
the key, those that are not named elsewhere, or if none has it about the options. After `null:` follows what it
means.
"""

import re
from functools import cache
from typing import Any, NamedTuple

import pytest
from yaml import safe_load

from hpms.cli.compose import composed
from hpms.formula import FormulaError, number
from tests.pages import FENCED, ROOT, WRITTEN

PAGES = [
    page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *WRITTEN) if page.stem not in ("keys", "commands")
]
METHODS = ("fast", "small", "paper")
OTHER = (  # sentences about defaults that are none of conf/
    "dataclass has no defaults",
    "where the default will not do",
    "Defaults are those of `+method=fast`, `small` and `paper`",
    "the default of JAX's and Optax's",
    "JAX's own default",
)
_KEY = r"[a-z]\w*(?:\.\w+)*"
_STATED = re.compile(
    rf"`(?P<key>{_KEY})`\s\(default\s(?P<clauses>[^()]+)\)"
    rf"|`(?P<set>{_KEY})=(?P<value>[^`\s]+)`\s\(the\sdefault(?:\sof\s(?P<names>[^()]+))?\)"
)
_CLAUSE = re.compile(r"(?:(`[^`]+`(?:, `[^`]+`)*): |(others) )?(.+?)(?: with (.+))?")
_CASE = re.compile(r"in (\d)-D(?: below ε = ([\d.]+))? (\S+)")
_BARE = re.compile(r"`[a-z]\w*\.[\w.]+` \((?:null|\d)[^)]*\)")


class Claim(NamedTuple):
    """That a key has a value under an override, in these dimensions and at an ε (None: its own)."""

    key: str
    override: str
    dims: tuple[int, ...]
    eps: float | None
    value: str


@cache
def values(verb: str, *overrides: str) -> dict[str, Any]:
    return composed(verb, *overrides)


def default(key: str, override: str = "") -> Any:
    """The text of a key in conf/; KeyError where there is no such key."""
    if key.startswith("hydra.launcher."):
        return safe_load((ROOT / "conf/hydra/launcher/slurm.yaml").read_text())[key.rpartition(".")[2]]
    found: Any = values("consistency" if key.startswith("sweep.") else "train", *filter(None, [override]))
    for name in key.split("."):
        found = found[name]
    return found["name"] if isinstance(found, dict) and "name" in found else found


def has(key: str, override: str) -> bool:
    try:
        default(key, override)
    except KeyError:
        return False
    return True


def owners(key: str, names: list[str], others: bool, named: set[str]) -> list[str]:
    """The overrides that a clause is about."""
    group = key.split(".")[0]
    options = [file.stem for file in sorted((ROOT / "conf" / group).glob("*.yaml"))]
    if names:
        return [n if n[0] == "+" else f"+method={n}" if n in METHODS else f"{group}={n}" for n in names]
    methods = [f"+method={name}" for name in METHODS if name not in named and has(key, f"+method={name}")]
    rest = [f"{group}={name}" for name in options if name not in named and has(key, f"{group}={name}")]
    return rest if others else methods or rest or [""]


def claims(key: str, clauses: str) -> list[Claim]:
    """What clauses say of a key."""
    found, parts = [], [_CLAUSE.fullmatch(part.strip()) for part in clauses.split(";")]
    named = {name for part in parts for name in re.findall("`([^`]+)`", part[1] or "")}
    for part in parts:
        overrides = owners(key, re.findall("`([^`]+)`", part[1] or ""), bool(part[2]), named)
        value, *rest = ["null"] if part[3].startswith("null: ") else re.split(r", (?=in \d-D)", part[3])
        cases = [_CASE.fullmatch(case).groups() for case in rest]
        free = tuple(sorted({1, 2, 3} - {int(dim) for dim, below, _ in cases if not below}))
        said = [(key, free, None, value)]
        said += [(key, (int(dim),), below and 0.99 * float(below), case) for dim, below, case in cases]
        beside = re.findall("`([^`=]+)=([^`]+)`", part[4] or "")
        said += [(f"{key.split('.')[0]}.{name}", (1, 2, 3), None, value) for name, value in beside]
        found += [Claim(k, override, dims, eps, value) for k, dims, eps, value in said for override in overrides]
    return found


def statements(text: str) -> list[Claim]:
    """What a page says outside its code blocks."""
    found, group = [], ""
    for match in _STATED.finditer(text):
        key = match["key"] or match["set"]
        group, key = (key.rpartition(".")[0], key) if "." in key or match["set"] else (group, f"{group}.{key}")
        of = f"{match['names']}: " if match["names"] else ""
        found += claims(key, (match["clauses"] or of + match["value"]).replace("\n", " "))
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *body = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines())
        if "default" in head and {"key", "set"} & set(head):
            for cells in body:
                row = dict(zip(head, cells, strict=True))
                keys = re.findall(rf"`({_KEY})[=`]", row.get("key") or row["set"])
                found += [claim for key in keys if row["default"] != "-" for claim in claims(key, row["default"])]
    return found


def read(text: Any, dim: int, eps: float) -> Any:
    """A value as a number where it is one."""
    if isinstance(text, list):
        return [read(each, dim, eps) for each in text]
    try:
        return text if text is None or isinstance(text, bool) else number(str(text), dim=dim, eps=eps)
    except FormulaError:
        return text


def is_true(claim: Claim) -> bool:
    own = number(str(default("problem.eps", claim.override)), dim=2)
    written = safe_load(claim.value.strip("`").replace("ε", "eps"))
    kept = default(claim.key, claim.override)
    return all(read(written, dim, claim.eps or own) == read(kept, dim, claim.eps or own) for dim in claim.dims)


def prose(page):
    return FENCED.sub("", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if "default" in prose(page)], ids=lambda page: page.stem)
def test_a_default_that_a_page_states_is_that_of_conf(page):
    assert [claim for claim in statements(prose(page)) if not is_true(claim)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_states_defaults_in_a_way_that_is_compared(page):
    text = _STATED.sub("", prose(page))
    for sentence in OTHER:
        text = text.replace(sentence, "")
    text = re.sub(r"^\|.*\| default \|.*\n", "", text, flags=re.MULTILINE)
    assert _BARE.findall(text) + re.findall(r"\bdefaults?\b", re.sub("`[^`]*`", "", text), re.IGNORECASE) == []


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (
            "`coarse.h` (default 0.04, in 1-D 0.004; `small`: 1/60, in 3-D 1/20)",
            "`coarse.h` (default 0.04; `small`: 1/60)",
        ),
        ("`coupling.interval` (default 100), `threshold` (default 1e-2)", "`coupling.interval` (default 10)"),
        ("`coupling=galerkin` (the default of `small`)", "`coupling=galerkin` (the default)"),
        ("`training.accuracy` (default null: all iterations)", "`training.accuracy=0.02` (the default)"),
        (
            "| key | default |\n|---|---|\n| `coupling` | `paper`: `ball` with `tau2=1`; `fast`: `none` |\n",
            "| set | default |\n|---|---|\n| `coupling=ball` | `paper`: `ball` with `tau2=2` |\n",
        ),
    ],
)
def test_a_default_that_is_wrong_is_seen(true, false):
    assert statements(true) and all(map(is_true, statements(true)))
    assert not all(map(is_true, statements(false)))
