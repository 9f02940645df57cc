"""Time as the core sees it: an instant handed in, never read from the machine.

Instants are seconds since 1970-01-01 UTC, durations are seconds. `ManualClock` stands still until it is told
to move; the system's clock lives in the doors, because the core reads none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol, TypeGuard

from .errors import OcBulkError

EPOCH = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
"""Where a ManualClock starts: midnight of 1 January 2024, UTC. Fixed, so that two runs see the same times."""

LONGEST = 36_525 * 86_400.0
"""The longest duration, a hundred years: beyond the year 9999 no date can be written."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class Clock(Protocol):
    """Anything that knows the present instant."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: float = EPOCH) -> None:
        self.started = start
        self._elapsed = 0.0  # kept apart: added to an instant, each tenth of a second would be rounded
        self._moving = Lock()

    def now(self) -> float:
        """The present instant, in seconds since 1970-01-01 UTC."""
        return self.started + self._elapsed

    @property
    def elapsed(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def advance(self, by: float | str) -> None:
        """Move forward by seconds or a duration such as `"5s"`, `"10m"`, `"1h30m"`; from any thread, none is lost.

        Raises `OcBulkError` for what is no duration: time does not run backwards.
        """
        length = seconds(by)
        with self._moving:
            self._elapsed += length


def seconds(duration: float | str) -> float:
    """Read a duration: a number of seconds, or text such as `"250ms"`, `"2s"`, `"10m"`, `"1h30m"`.

    All durations that a test writes come through here. Raises `OcBulkError` for one that is negative, not a number,
    longer than `LONGEST` or no duration at all.
    """
    length: object = _read(duration) if isinstance(duration, str) else duration
    if not is_number(length):
        raise OcBulkError(f"a duration is a number of seconds or a text like '2s' or '10m', got {duration!r}")
    if length < 0:
        raise OcBulkError(f"a duration cannot be negative, got {duration!r}")
    if not length <= LONGEST:  # written so that it holds for NaN
        raise OcBulkError(f"a duration is a number of seconds up to {spell(LONGEST)}, got {duration!r}")
    return float(length)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value that a test wrote is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read(text: str) -> float:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise OcBulkError(f"{text!r} is not a duration; write it like '250ms', '2s', '10m' or '1h30m'")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def spell(duration: float) -> str:
    """Print seconds the way a timeline writes them: `2s`, `10m`, `1h30m`, `250ms`."""
    if duration != int(duration):
        return f"{duration * 1000:g}ms" if duration < 1 else f"{duration:g}s"
    rest, text = int(duration), ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text + (f"{rest}s" if rest or not text else "")


def iso(instant: float) -> str:
    """An instant as the service prints dates: `2024-01-01T00:00:00.000Z`."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(instant: float) -> int:
    """An instant as the store and the wire count it."""
    return round(instant * 1000)
