"""What a value must satisfy, and the words in which a bad one is reported.

A row is reported by the first of its fields that fails, in column order. The text stands in the `status` of an
error item: the bad value, a colon, the message, as the vendor's tests see it (protocol.md 3.9, Pardot and Eloqua).
Checks work on columns: a whole column is passed by one fast test, and only a column that fails it is looked at
value by value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime

from .connectors import FieldDefinition

Value = str | int | float | bool | None | list[object] | dict[str, object]
Faults = dict[int, str]
"""Index of a row within its column -> what is wrong with its value."""

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(?:\.[^@\s,;.]+)+")
_EMAILS = re.compile(
    r"(?:[^@\s,;]++@[^@\s,;.]++(?:\.[^@\s,;.]++)++\n)*+"
)  # possessive: a bad line ends it at once
_TRUE_FALSE = {"true": True, "false": False, "1": True, "0": False}


def required(name: str) -> str:
    """The text for a missing required value."""
    return f"{name}: A value is required"


def conflict(name: str) -> str:
    """The text for a value that is taken (protocol.md 3.9, `Conflicts Found - emailAddress`)."""
    return f"Conflicts Found - {name}"


def invalid_email(value: object, name: str) -> str:
    """The text for an address that is none."""
    return f"{value}: Invalid email address in {name}"


def too_long(value: object, limit: int, name: str) -> str:
    """The text for a value beyond its length in characters."""
    return f"{value}: Longer than {limit} characters in {name}"


def not_a(kind: str, value: object, name: str) -> str:
    """The text for a value of the wrong type."""
    return f"{value}: Not a valid {kind} in {name}"


def mismatch(value: object, pattern: str, name: str) -> str:
    """The text for a value that does not match the declared pattern."""
    return f"{value}: Does not match {pattern} in {name}"


def check_column(definition: FieldDefinition, column: Sequence[Value]) -> tuple[Sequence[Value], Faults]:
    """Check a column of one field; return it with its values converted, and the faults by row index."""
    faults: Faults = {}
    if definition.required and (None in column or "" in column):
        faults = {at: required(definition.name) for at, value in enumerate(column) if not _present(value)}
    if definition.type != "string":
        column = _converted(definition, column, faults)
    elif not _all_pass(definition, column):
        for at, value in enumerate(column):
            if at not in faults and (fault := text_fault(definition, value)):
                faults[at] = fault
    return column, faults


def text_fault(definition: FieldDefinition, value: Value) -> str | None:
    """What is wrong with the value of a string field, if anything; missing values are another check's."""
    if not _present(value):
        return None
    text, name = str(value), definition.name
    if definition.max_length is not None and len(text) > definition.max_length:
        return too_long(text, definition.max_length, name)
    if definition.format == "email" and not _EMAIL.fullmatch(text):
        return invalid_email(text, name)
    if definition.pattern and not re.fullmatch(definition.pattern, text):
        return mismatch(text, definition.pattern, name)
    return None


def convert(definition: FieldDefinition, value: Value) -> Value:
    """A value in the field's type; raises `ValueError` when it is not one."""
    return value if not _present(value) else _CONVERTERS[definition.type](value)


def _present(value: Value) -> bool:
    return value is not None and value != ""


def _all_pass(definition: FieldDefinition, column: Sequence[Value]) -> bool:
    """One test for a whole column of text; False means: look closer."""
    if definition.pattern or not column:
        return not definition.pattern
    try:
        longest = max(map(len, column))  # type: ignore[arg-type]  # what has no length is looked at closer
        if definition.max_length is not None and longest > definition.max_length:
            return False
        return definition.format != "email" or _all_emails(column)  # type: ignore[arg-type]
    except TypeError:
        return False


def _all_emails(column: Sequence[str]) -> bool:
    """One match for a column written as lines; a value with a line end of its own is looked at closer."""
    lines = "\n".join(column) + "\n"
    return lines.count("\n") == len(column) and _EMAILS.fullmatch(lines) is not None


def _converted(definition: FieldDefinition, column: Sequence[Value], faults: Faults) -> list[Value]:
    converter, values = _CONVERTERS[definition.type], list(column)
    for at, value in enumerate(values):
        if at in faults:
            continue
        try:
            values[at] = converter(value) if _present(value) else None
        except (ValueError, TypeError, OverflowError):
            faults[at] = not_a(definition.type, value, definition.name)
    return values


def _plain(text: str) -> str:
    """A text that may be read as a number: Python would also take `1_000` and digits of other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError
    return text


def _integer(value: Value) -> int:
    number = int(_plain(value)) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 2**63:
        raise ValueError
    return number


def _number(value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    number = float(_plain(value) if isinstance(value, str) else value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in _TRUE_FALSE:
        raise ValueError
    return _TRUE_FALSE[text]


def _date(value: Value) -> str:
    date.fromisoformat(str(value))
    return str(value)


def _datetime(value: Value) -> str:
    datetime.fromisoformat(str(value))
    return str(value)


_CONVERTERS: dict[str, Callable[[Value], Value]] = {
    "string": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
