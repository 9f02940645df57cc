"""How the values of a fault stand in one line of text: read, written, and named in an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, field
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..clock import seconds, spell
from ..errors import OcBulkError


class Word(NamedTuple):
    """One kind of value. `says` completes "expected ..."; a `bare` one may stand without its name."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    says: str
    bare: bool = True


def word(kind: Word, default: Any = MISSING) -> Any:
    """A dataclass field whose value stands in text as `kind`."""
    return field(default=default, metadata={"word": kind})


def duration(given: float | str) -> float:
    """Seconds, to the microsecond: what is written down and read again is the same."""
    return round(seconds(given), 6)


def spell_exactly(given: float) -> str:
    """A duration as `clock.spell` prints it, or with all its digits where that would lose some."""
    text = spell(given)
    try:
        exact = duration(text) == given
    except OcBulkError:
        exact = False
    return text if exact else f"{given:.6f}s"


def _read_range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    return duration(low), duration(high)


def _write_range(value: tuple[float, float]) -> str:
    return "-".join(map(spell_exactly, value))


_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)


def _read_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _write_text(value: str) -> str:
    return value.replace("%", "%25").replace(":", "%3A")


NUMBER = Word(_read_number, str, "a whole number")
BYTES = Word(_read_number, str, "a number of bytes")
DURATION = Word(duration, spell_exactly, "a duration like 250ms or 2s")
RANGE = Word(_read_range, _write_range, "two durations like 1s-3s", bare=False)
FRACTION = Word(float, repr, "a number like 0.5", bare=False)
NAME = Word(str, str, "a word", bare=False)
TEXT = Word(unquote, _write_text, "a text with : written as %3A and % as %25", bare=False)
SEED = Word(_read_number, str, "a whole number", bare=False)
