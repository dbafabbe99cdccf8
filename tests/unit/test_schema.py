from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest

from hpms.config.schema import Bound, Count, Fraction, NonNegative, Positive, read
from hpms.errors import ConfigError, UserError


@dataclass(frozen=True)
class Schema:
    size: Count = 1
    rate: Positive = 1.0
    weight: NonNegative = 0.0
    share: Fraction = 1.0
    limit: Positive | None = None
    dim: Literal[1, 2, 3] = 1
    kind: Literal["lazy", "every_step"] = "lazy"
    on: bool = False
    text: str = ""
    scales: tuple[Positive, ...] = ()
    constants: dict[str, float] = None  # type: ignore[assignment]
    held: ClassVar[int] = 3


@dataclass(frozen=True)
class Required:
    value: int


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("size", 3, 3),
        ("size", 3.0, 3),
        ("size", "where(eps < 0.2, 5, 7)", 5),
        ("rate", 2, 2.0),
        ("rate", "1/eps", 10.0),
        ("rate", "1e-3", 1e-3),
        ("weight", 0, 0.0),
        ("share", 1, 1.0),
        ("limit", None, None),
        ("limit", "2*eps", 0.2),
        ("dim", 2, 2),
        ("kind", "every_step", "every_step"),
        ("on", True, True),
        ("text", 2, "2"),
        ("scales", [1, "1/eps"], (1.0, 10.0)),
        ("constants", {"k": "2*eps"}, {"k": 0.2}),
        ("name", "anything", None),
    ],
)
def test_a_value_becomes_its_type(key, value, expected):
    found = read(Schema, {key: value}, "group", {"eps": 0.1})
    if key != "name":
        assert getattr(found, key) == expected
        assert type(getattr(found, key)) is type(expected)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("size", 0, "at least 1"),
        ("size", 1.5, "a whole number"),
        ("size", "1.5", "a whole number"),
        ("size", True, "a whole number"),
        ("size", None, "a whole number"),
        ("size", [1], "a whole number"),
        ("rate", 0, "greater than 0"),
        ("rate", "abc", "'abc' in 'abc' is unknown"),
        ("rate", "1/0", "has no value"),
        ("rate", float("nan"), "a number"),
        ("rate", float("inf"), "a number"),
        ("rate", 10**400, "a number"),
        ("weight", -1, "at least 0"),
        ("share", 1.1, "at most 1"),
        ("limit", -1, "greater than 0"),
        ("dim", 4, "choose 1 or 2 or 3"),
        ("dim", True, "choose 1 or 2 or 3"),
        ("dim", 1.0, "choose 1 or 2 or 3"),
        ("kind", "laz", "choose lazy or every_step"),
        ("on", "yes", "true or false"),
        ("on", 1, "true or false"),
        ("text", None, "text"),
        ("text", {"a": 1}, "text"),
        ("scales", 1, "a list"),
        ("constants", 3, "names and numbers"),
    ],
)
def test_a_bad_value_names_its_key_and_what_is_allowed(key, value, allowed):
    with pytest.raises(ConfigError, match=rf"^group\.{key}=.*{allowed}") as caught:
        read(Schema, {key: value}, "group")
    assert caught.value.key == f"group.{key}"


def test_a_bad_entry_names_its_place():
    with pytest.raises(ConfigError, match=r"group\.scales\[1\]=-1"):
        read(Schema, {"scales": [1, -1]}, "group")
    with pytest.raises(ConfigError, match=r"group\.constants\.k=abc"):
        read(Schema, {"constants": {"k": "abc"}}, "group")


def test_an_unknown_key_suggests_a_known_one():
    with pytest.raises(UserError, match=r"'group\.sizes' is not a key\. Did you mean 'group\.size'\?"):
        read(Schema, {"sizes": 1}, "group")
    with pytest.raises(UserError, match="'held' is not a key"):
        read(Schema, {"held": 1}, "")


def test_a_missing_key_and_a_group_that_is_none():
    with pytest.raises(UserError, match=r"group\.value has no value"):
        read(Required, {}, "group")
    with pytest.raises(ConfigError, match="group of keys"):
        read(Required, 3, "group")


@pytest.mark.parametrize(
    ("bound", "text"), [(Bound(above=0.0, most=1.0), "greater than 0 and at most 1"), (Bound(), "")]
)
def test_a_bound_reads_as_a_phrase(bound, text):
    assert str(bound) == text


def test_several_bounds_all_hold():
    @dataclass(frozen=True)
    class Twice:
        x: Annotated[float, Bound(least=0.0), Bound(most=1.0)]

    assert read(Twice, {"x": 0.5}, "").x == 0.5
    for value in (-1, 2):
        with pytest.raises(ConfigError):
            read(Twice, {"x": value}, "")
