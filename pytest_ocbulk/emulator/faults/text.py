"""A planned fault as one line of text: `upload:reset:after`, `status:503:x2`, `download:stall:100:30s`.

    OPERATION:KIND[:VALUE...][:NAME=VALUE...][:before|:after][:xTIMES|:forever][:after_calls=N]

A number in place of the kind is the status that is answered. What is printed can be read back and is the same
fault; in a message `:` is written as `%3A` and `%` as `%25`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple, cast

from ..errors import OcBulkError, nearest
from .answers import Status
from .base import FOREVER, Fault, Phase
from .kinds import KINDS
from .words import NUMBER, Word

_TIMES = re.compile(r"x(\d+)", re.ASCII)
_MORE = {"times": NUMBER, "after_calls": NUMBER}


class Written(NamedTuple):
    """What one line says; without a phase the kind's usual one holds."""

    operation: str
    fault: Fault
    phase: Phase | None


def parse(text: str, operations: Collection[str]) -> Written:
    """Read one line; raise `OcBulkError` naming the wrong word and the nearest right one."""
    operation, _, rest = text.partition(":")
    if not rest:
        raise OcBulkError(
            f"fault {text!r}: write OPERATION:KIND and what more there is to say,"
            " like 'upload:reset:after' or 'status:503:x2'"
        )
    if operation not in operations:
        raise OcBulkError(f"fault {text!r}: unknown operation {operation!r}{nearest(operation, operations)}")
    fault, phase = parse_fault(rest, text)
    return Written(operation, fault, phase)


def parse_fault(text: str, whole: str = "") -> tuple[Fault, Phase | None]:
    """Read a line without its operation: `503:x2`; `whole` is what error texts quote."""
    whole = whole or text
    kind, *words = text.split(":")
    if kind.isdigit():
        kind, words = Status.kind, [kind, *words]
    if kind not in KINDS:
        raise OcBulkError(f"fault {whole!r}: unknown kind {kind!r}{nearest(kind, KINDS)}")
    return _Reading(KINDS[kind], whole).read(words)


def spelled(operation: str, fault: Fault, phase: Phase | None = None) -> str:
    """Print a line that `parse` reads back; the phase is left out where it is the usual one."""
    words = [operation, *_kind_and_values(fault)]
    if phase is not None and phase != fault.phases[0]:
        words.append(phase)
    if fault.times != 1:
        words.append(FOREVER if fault.times == FOREVER else f"x{fault.times}")
    if fault.after_calls:
        words.append(f"after_calls={fault.after_calls}")
    return ":".join(words)


def arguments(kind: type[Fault]) -> dict[str, Field[Any]]:
    """The arguments of a kind by name, in the order in which they may stand without it."""
    return {each.name: each for each in fields(kind) if "word" in each.metadata}


def _word(argument: Field[Any]) -> Word:
    return cast("Word", argument.metadata["word"])


def _kind_and_values(fault: Fault) -> list[str]:
    words: list[str] = []
    in_order = True
    for name, argument in arguments(type(fault)).items():
        value, kind = getattr(fault, name), _word(argument)
        if value == argument.default:
            in_order = False
        elif in_order and kind.bare:
            words.append(kind.write(value))
        else:
            words.append(f"{name}={kind.write(value)}")
    if isinstance(fault, Status):
        return words
    return [fault.kind, *words]


class _Reading:
    """The words of one line, one after the other."""

    def __init__(self, kind: type[Fault], whole: str) -> None:
        self.kind = kind
        self.whole = whole
        self.arguments = arguments(kind)
        self.values: dict[str, Any] = {}
        self.phase: Phase | None = None

    def read(self, words: list[str]) -> tuple[Fault, Phase | None]:
        """The fault that the words describe."""
        for each in words:
            self._take(each)
        missing = [
            name
            for name, each in self.arguments.items()
            if each.default is MISSING and name not in self.values
        ]
        if missing:
            raise self._error(
                f"{self.kind.kind} needs {missing[0]}, {_word(self.arguments[missing[0]]).says}"
            )
        try:
            return self.kind(**self.values), self.phase
        except OcBulkError as error:
            raise self._error(str(error)) from None

    def _take(self, text: str) -> None:
        if text in ("before", "after"):
            self.phase = cast("Phase", text)
        elif text == FOREVER:
            self.values["times"] = FOREVER
        elif times := _TIMES.fullmatch(text):
            self.values["times"] = int(times[1])
        elif "=" in text:
            name, _, value = text.partition("=")
            self._put(name, value)
        else:
            self._put(self._next(text), text)

    def _next(self, text: str) -> str:
        for name, each in self.arguments.items():
            if name not in self.values and _word(each).bare:
                return name
        names = " and ".join(self.arguments) or "nothing"
        raise self._error(f"{self.kind.kind} takes {names}, got {text!r} as well")

    def _put(self, name: str, text: str) -> None:
        known = {each: _word(argument) for each, argument in self.arguments.items()} | _MORE
        if name not in known:
            raise self._error(f"{self.kind.kind} has no {name!r}{nearest(name, known)}")
        try:
            self.values[name] = known[name].read(text)
        except (ValueError, OcBulkError):
            raise self._error(f"{name} is {known[name].says}, got {text!r}") from None

    def _error(self, reason: str) -> OcBulkError:
        return OcBulkError(f"fault {self.whole!r}: {reason}")
