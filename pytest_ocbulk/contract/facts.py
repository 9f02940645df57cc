"""What a case saw: named facts, each with what the evidence lets one expect. Values are JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .case import Case


@dataclass(frozen=True, slots=True)
class OneOf:
    """An expectation that several values meet, because the evidence names them all."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return " or ".join(map(shown, self.values))


def one_of(*values: Any) -> OneOf:
    """Any of these values is in keeping with the evidence."""
    return OneOf(values)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing seen, and the value, or `OneOf` values, that the evidence lets one expect."""

    name: str
    seen: Any
    expected: Any

    @property
    def holds(self) -> bool:
        """Whether it is as expected; True and 1 are two values."""
        values = self.expected.values if isinstance(self.expected, OneOf) else (self.expected,)
        return any(shown(self.seen) == shown(each) for each in values)

    def __str__(self) -> str:
        wanted = str(self.expected) if isinstance(self.expected, OneOf) else shown(self.expected)
        return f"{self.name}: expected {wanted}, got {shown(self.seen)}"


@dataclass(frozen=True, slots=True)
class Observation:
    """A case, run once: what it saw, why it was skipped, or what stopped it before its end."""

    case: Case
    facts: tuple[Fact, ...] = ()
    skipped: str = ""
    stopped: str = ""

    @property
    def complaints(self) -> list[str]:
        """What is not as the evidence has it, one line each."""
        return [str(fact) for fact in self.facts if not fact.holds] + ([self.stopped] if self.stopped else [])


def shown(value: Any) -> str:
    """A value on one line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def kinds(values: Iterable[Any]) -> list[str]:
    """The kinds of JSON values that occur."""
    return sorted({kind(value) for value in values})


def kind(value: Any) -> str:
    """The kind of a JSON value: text, number, boolean, null, array or object."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "text", int: "number", float: "number", list: "array", dict: "object", type(None): "null"}
    return names[type(value)]
