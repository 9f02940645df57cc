"""What a literal of a query can stand for: a text, a number, a truth value, a date (`predicate.py` has the rules)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from .ocnql_tokens import Value, is_date, number


class Literal(NamedTuple):
    """A literal read in every way that the rules know: None where it cannot be read so."""

    text: str | None
    number: int | float | None
    boolean: str | None = None
    date: str | None = None

    @classmethod
    def of(cls, value: Value) -> Literal:
        """Read a literal as it stood in the query."""
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, str):
            return cls(None, _bindable(value))
        word = value.lower() if value.lower() in ("true", "false") else None
        return cls(value, number(value), word, _utc(value) if is_date(value) else None)


def _bindable(value: int | float) -> int | float:
    """An integer beyond SQLite's 64 bits becomes a float."""
    return value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)


def _utc(date: str) -> str | None:
    """An ISO date without its offset; None when it has one but is not on the calendar."""
    zoned = re.fullmatch(r"([^.]+?)(\.\d+)?([+-]\d\d:?\d\d)", date)
    if not zoned:
        return date
    local, fraction, offset = zoned.groups("")
    try:
        instant = datetime.fromisoformat(local + offset).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant.replace(tzinfo=None).isoformat() + fraction


def canonical(date: str) -> str:
    """A date in the one form in which equal instants are equal text and earlier ones are smaller text."""
    return date.replace(" ", "T").rstrip("TZ:.0")
