"""How long to wait before asking again: delays that grow to a cap, and the service's own `Retry-After`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .errors import ConfigurationError

GROWTH = 1.5
SHORTEST = 0.05
"""Seconds between two questions, whatever was asked for: a service that is never left alone gets no work done."""

LONGEST_RETRY_AFTER = 120.0
"""Seconds. Who is told to come back later than this gets the refusal instead of a silent wait."""


@dataclass(frozen=True, slots=True)
class Timekeeper:
    """The clock and the sleep in use, both in seconds.

    The defaults are looked up in `time` at each call, so a test that replaces `time.sleep` or `time.monotonic`
    is obeyed also by a client made before.
    """

    clock: Callable[[], float] | None = None
    sleep: Callable[[float], None] | None = None

    def now(self) -> float:
        """Seconds on a clock that only runs forward."""
        return (self.clock or time.monotonic)()

    def pause(self, seconds: float) -> None:
        """Sleep."""
        if seconds > 0:
            (self.sleep or time.sleep)(seconds)


def delays(first: float, longest: float) -> Iterator[float]:
    """Seconds between questions, without end: `first`, then half as long again each time, up to `longest`.

    Only the first may be shorter than `SHORTEST`.
    """
    delay = min(first, longest)
    while True:
        yield delay
        delay = max(min(delay * GROWTH, longest), SHORTEST)


def checked_seconds(**given: object) -> None:
    """Raise `ConfigurationError` for a time that is no number of seconds from 0; None means no limit."""
    for name, value in given.items():
        if value is not None and not (isinstance(value, (int, float)) and value >= 0):  # NaN is not
            raise ConfigurationError(f"{name} must be a number of seconds, 0 or more, got {value!r}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait in seconds that an answer asks for, None if it asks for none.

    `Retry-After` is seconds or a date (RFC 9110, 10.2.3). A date is measured against the answer's own `Date`, so a
    wrong local clock does no harm.
    """
    value = headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    until = http_date(value)
    if until is None:
        return None
    return max(0.0, until - (http_date(headers.get("Date", "")) or time.time()))


def http_date(text: str) -> float | None:
    """A date of HTTP in seconds since 1970, None if it is not one."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError):
        return None
