"""asyncio's loops on a driven clock: a loop that has nothing to do but wait lets the clock move.

A loop reads `time.monotonic`, so its timers are on the driven clock by themselves; what has to be replaced is the
waiting, in the selector. Sockets are real: while one is open the clock moves for `asyncio.sleep` alone, not for other
timers, because a timer may be somebody's deadline for an answer that is on its way.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from ..emulator.errors import OcBulkError
from .driving import Drive

ANSWER_GRACE = 0.005
"""Real seconds that open sockets get for an answer before `asyncio.sleep` moves the clock."""

Select = Callable[[selectors.BaseSelector, float | None], list[Any]]

_sleeps: dict[asyncio.AbstractEventLoop, list[float]] = {}
"""For each loop the instants, on the clock of its drive, until which tasks sleep."""


@contextmanager
def sleeping(drive: Drive, delay: float) -> Iterator[None]:
    """Tell that a task of the running loop sleeps for `delay` seconds; raises `OcBulkError` for a foreign loop."""
    loop = asyncio.get_running_loop()
    if not isinstance(getattr(loop, "_selector", None), selectors.BaseSelector):
        kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
        raise OcBulkError(
            f"drives_sleep() cannot move the time of a {kind}; run the test on asyncio.SelectorEventLoop"
        )
    drive.sleeps += 1
    until = drive.clock.elapsed + delay
    sleeps = _sleeps.setdefault(loop, [])
    sleeps.append(until)
    try:
        yield
    finally:
        sleeps.remove(until)
        if not sleeps:
            _sleeps.pop(loop, None)


def select(
    drive: Drive, original: Select, selector: selectors.BaseSelector, timeout: float | None
) -> list[Any]:
    """What a loop's selector does in a driven thread: `original`, but the clock moves while it waits."""
    events = original(selector, 0)
    if events or (timeout is not None and timeout <= 0):
        return events
    seconds = inf if timeout is None else timeout

    def look(real: float) -> bool:
        events[:] = original(selector, real)
        return bool(events)

    if len(selector.get_map()) > 1:  # more than the loop's own pipe
        sleep = min(_sleeps.get(asyncio.get_running_loop(), ()), default=inf) - drive.clock.elapsed
        if sleep == inf:
            return _wait_for_sockets(drive, original, selector, timeout)
        if look(ANSWER_GRACE):
            return events
        seconds = min(seconds, max(sleep, 0.0))
    drive.wait(seconds, look)
    return events


def _wait_for_sockets(
    drive: Drive, original: Select, selector: selectors.BaseSelector, timeout: float | None
) -> list[Any]:
    """Wait in real time, and let that be time for the clock too, or the loop's timers would never come."""
    events = original(selector, timeout)
    if not events and timeout is not None:
        drive.move(timeout)
    return events
