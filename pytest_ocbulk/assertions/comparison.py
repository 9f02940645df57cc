"""Rows that were meant to arrive beside records that did: aligned by a key, told apart value by value."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..emulator.checks import convert
from ..emulator.connectors import ObjectDefinition
from ..emulator.errors import nearest
from .causes import cause

Row = Mapping[str, Any]

_PAIRED = 200
"""Leftovers on either side that are looked at for a key that was changed on the way."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is not what it was: `row` counts from 1, `key` names the row, `why` may be empty."""

    row: int
    key: str
    column: str
    expected: str
    arrived: str
    why: str


@dataclass(slots=True)
class Difference:
    """What is not as it should be: rows by number and key, records by key, values."""

    missing: list[tuple[int, str]] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    swapped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changes or self.swapped)


def compare(expected: Sequence[Row], arrived: Sequence[Row], key: str, shape: ObjectDefinition) -> Difference:
    """How records differ from the rows that they should be, aligned by the column `key`.

    Of a record only the columns of its row are compared; an empty value and none are the same. Values are compared
    in the type of the object's field, so that `"5"` is 5 in a column of numbers.
    """
    difference = Difference()
    waiting: dict[str, deque[Row]] = defaultdict(deque)
    for record in arrived:
        waiting[_canonical(shape, key, record.get(key))].append(record)
    missing: list[tuple[int, Row]] = []
    first: dict[str, int] = {}
    for number, row in enumerate(expected, 1):
        first.setdefault(_canonical(shape, key, row.get(key)), number)
        if same := waiting.get(_canonical(shape, key, row.get(key))):
            _compare_row(difference, number, row, same.popleft(), key, shape)
        else:
            missing.append((number, row))
    extra = [record for records in waiting.values() for record in records]
    for number, row in missing:
        if (changed := _with_changed_key(row, extra, key)) is not None:
            extra.remove(changed)
            _compare_row(difference, number, row, changed, key, shape)
        else:
            holder = first[_canonical(shape, key, row.get(key))]
            repeats = f", which repeats the key of row {holder}" if holder != number else ""
            difference.missing.append((number, text(row.get(key)) + repeats))
    difference.extra = [text(record.get(key)) for record in extra]
    return difference


def text(value: object) -> str:
    """A value as CSV writes it; none is empty."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _canonical(shape: ObjectDefinition, column: str, value: Any) -> str:
    definition = shape.fields.get(column)
    if definition is not None and definition.type != "string":
        with suppress(ValueError, TypeError, OverflowError):  # then it is compared as it stands
            value = convert(definition, value)
    return text(value)


def _with_changed_key(row: Row, extra: list[Row], key: str) -> Row | None:
    """The record that is this row with a key that some accident has changed."""
    wanted = text(row.get(key))
    return next((each for each in extra[:_PAIRED] if cause(wanted, text(each.get(key)))), None)


def _compare_row(
    difference: Difference, number: int, row: Row, record: Row, key: str, shape: ObjectDefinition
) -> None:
    changed = {
        column: (text(value), text(record.get(column)))
        for column, value in row.items()
        if _canonical(shape, column, value) != _canonical(shape, column, record.get(column))
    }
    for pair in list(_swaps(changed)):
        difference.swapped[pair] += 1
        for column in pair:
            changed.pop(column)
    for column, (wanted, found) in changed.items():
        why = _no_column(column, found, shape) or cause(wanted, found) or _moved(found, column, row)
        difference.changes.append(Change(number, text(row.get(key)), column, wanted, found, why))


def _swaps(changed: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    left = dict(changed)
    for one, (wanted, found) in changed.items():
        for other, reverse in left.items():
            if one < other and one in left and wanted and found and reverse == (found, wanted):
                yield one, other
                del left[one], left[other]
                break


def _no_column(column: str, found: str, shape: ObjectDefinition) -> str:
    if found or column in shape.fields or not shape.fields:
        return ""
    hint = nearest(column, shape.fields)
    return f"{shape.name} has no column {column!r}{hint if '?' in hint else ''}"


def _moved(found: str, column: str, row: Row) -> str:
    if not found:
        return ""
    home = next((name for name, value in row.items() if name != column and text(value) == found), None)
    return f"that is the value of {home}" if home else ""
