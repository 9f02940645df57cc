"""One clock for code that waits: threads wait for an instant of a manual clock, and their waiting moves it.

A `Drive` is one `with clock.drives_sleep():` block. It works like a discrete-event simulation: the clock moves to
the earliest instant that anybody waits for, and only when every other thread of the drive waits as well, or stands
still (in a socket, in `Thread.join`). What is due for the fake on the way happens in its order.

A drive is about the thread that opened it and about the threads that were started since. Threads that were there
before, such as servers and those of pytest-xdist, keep the machine's time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Protocol

from .. import machine_time
from ..emulator.clock import LONGEST, ManualClock, spell

Look = Callable[[float], bool]
"""Wait up to so many real seconds; whether what is waited for has come."""

GRACE = 0.002
"""Real seconds that other threads get before a wait for a signal lets the clock move."""
_LOOKS, _PAUSE = 5, 0.0004
"""A thread stands still when it is seen at the same instruction so often, so many real seconds apart."""
_BUSY_LIMIT, _ANSWER_LIMIT = 2.0, 0.1
"""Real seconds after which a thread no longer holds the clock that never waits, or awaits an answer from a socket."""
_IDLE = 0.02
_FOR_EVER = 2 * LONGEST
"""A time of the clock beyond every limit."""


class SleptTooLong(BaseException):
    """The code under test waits for something that never comes.

    Not an `Exception`, so that a client's `except Exception: try again` does not swallow it (pytest's own outcomes
    are made the same way, for the same reason).
    """


class Happenings(Protocol):
    """What goes on while the clock moves."""

    def next_due(self) -> float | None:
        """Seconds from now until `happen` has something to do, None if it has nothing."""
        ...

    def happen(self) -> None:
        """Let everything happen that is due."""
        ...

    def state(self) -> str:
        """Where the jobs are, for a complaint; empty if there are none."""
        ...


@dataclass(eq=False)
class Drive:
    """One block in which waiting moves `clock`; `limit` is in seconds of the clock, from now on."""

    clock: ManualClock
    move: Callable[[float], None]
    happenings: Happenings
    limit: float
    outer: Drive | None = None
    opener: threading.Thread = field(default_factory=threading.current_thread)
    sleeps: int = 0
    failure: SleptTooLong | None = None
    before: frozenset[threading.Thread] = field(default_factory=lambda: frozenset(threading.enumerate()))
    _waiting: dict[threading.Thread, float] = field(default_factory=dict)
    _moving: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._began = self.clock.elapsed
        # Whole numbers, so that sums of them with whole seconds stay exact; rounded up, so that none runs backwards.
        self._monotonic = float(ceil(machine_time.monotonic())) - self._began
        self._perf_counter = float(ceil(machine_time.perf_counter())) - self._began

    # -- the clocks of the time module ------------------------------------------------------------------

    def time(self) -> float:
        """Seconds since 1970, as the fake dates its answers."""
        return self.clock.now()

    def monotonic(self) -> float:
        """Seconds since no particular instant."""
        return self._monotonic + self.clock.elapsed

    def perf_counter(self) -> float:
        """Seconds since no particular instant."""
        return self._perf_counter + self.clock.elapsed

    # -- waiting ----------------------------------------------------------------------------------------

    def covers(self, thread: threading.Thread) -> bool:
        """Whether this thread's waiting moves the clock."""
        return thread is self.opener or (
            thread not in self.before
            and not isinstance(thread, threading._DummyThread)  # not started by the threading module
            and not thread.name.startswith("ocbulk-")  # our own servers
        )

    def sleep(self, seconds: float) -> None:
        """Return when the clock has moved by `seconds`; to sleep for ever is longer than any limit."""
        self.sleeps += 1
        self.wait(min(seconds, _FOR_EVER))

    def wait(self, seconds: float, look: Look | None = None) -> bool:
        """Return False when the clock has moved by `seconds`, or True as soon as `look` says so.

        Raises `SleptTooLong` beyond the limit.
        """
        me = threading.current_thread()
        deadline = self.clock.elapsed + seconds
        self._waiting[me] = deadline
        since = machine_time.monotonic()
        try:
            while True:
                if look is not None and look(0.0):
                    return True
                if self.clock.elapsed >= deadline:
                    return False
                if self._others_are_busy(me, machine_time.monotonic() - since):
                    continue
                if look is not None:
                    if look(GRACE):
                        return True
                    if self._somebody_may_signal(me, machine_time.monotonic() - since):
                        continue
                if not self._step(single=look is not None):
                    machine_time.sleep(
                        _IDLE
                    )  # nothing is going to happen in the fake; the real world may still call
                since = machine_time.monotonic()
        finally:
            del self._waiting[me]

    def _step(self, *, single: bool) -> bool:
        """Move to the earliest instant that a thread waits for, if there is one.

        With `single`, and when there is none, move to the next happening.
        """
        with self._moving:
            now = self.clock.elapsed
            target = min(tuple(self._waiting.values()))
            if (single or target == inf) and (due := self.happenings.next_due()) is not None:
                target = min(target, now + due)
            if target == inf:
                return False
            if target - self._began > self.limit:
                raise self._stop(target)
            self.move(max(target - now, 0.0))
            return True

    def _stop(self, target: float) -> SleptTooLong:
        length = target - self._began
        until = (
            f"until {spell(round(length, 3))} after drives_sleep() began" if length <= LONGEST else "for ever"
        )
        often = f"{self.sleeps} sleep{'' if self.sleeps == 1 else 's'} so far"
        stop = SleptTooLong(
            f"The code under test waits {until} ({often}), longer than {spell(self.limit)}: it seems to wait for"
            f" something that never comes.{self.happenings.state()}"
            " If it may take so long, allow it: drives_sleep(at_most='24h')"
        )
        if threading.current_thread() is not self.opener:
            self.failure = stop  # to be raised where the author of the test sees it
        return stop

    # -- threads ----------------------------------------------------------------------------------------

    def _others_are_busy(self, me: threading.Thread, since: float) -> bool:
        """Whether another thread of this drive is doing something, which takes some real milliseconds to see.

        `since` is the number of real seconds for which it has held the clock.
        """
        others = [thread for thread in threading.enumerate() if thread is not me and self.covers(thread)]
        if not others or since > _BUSY_LIMIT:
            return False
        places = self._places(others)
        for _ in range(_LOOKS if places else 0):
            machine_time.sleep(_PAUSE)
            if self._places(others) != places:
                return True
        return any(busy and since < limit for busy, limit in map(_business, places.values()))

    def _somebody_may_signal(self, me: threading.Thread, since: float) -> bool:
        """Whether a thread of the machine's time is running, which may be about to say what is waited for."""
        return since < _ANSWER_LIMIT and any(
            _wants_to_run(thread)
            for thread in threading.enumerate()
            if thread is not me and not self.covers(thread)
        )

    def _places(self, threads: list[threading.Thread]) -> dict[threading.Thread, _Place]:
        """Where the threads are that do not wait for a later instant."""
        frames = sys._current_frames()
        places: dict[threading.Thread, _Place] = {}
        for thread in threads:
            deadline = self._waiting.get(thread)
            if deadline is not None:
                if deadline <= self.clock.elapsed:
                    places[thread] = _ABOUT_TO_RUN
            elif thread.ident is None:
                places[thread] = _ABOUT_TO_RUN
            elif frame := frames.get(thread.ident):
                place = (frame.f_code.co_qualname, id(frame), frame.f_lasti)
                places[thread] = _ABOUT_TO_RUN if _wants_to_run(thread) else place
        return places


_Place = tuple[str, int, int]
_ABOUT_TO_RUN: _Place = ("", 0, 0)


def _wants_to_run(thread: threading.Thread) -> bool:
    """Whether the operating system says that a thread runs or waits for a processor; False where it does not tell.

    On a busy machine a thread may stand still for many milliseconds only because others have the processors.
    """
    try:
        with open(f"/proc/self/task/{thread.native_id}/stat", "rb") as file:  # noqa: PTH123  # a third of the time
            return file.read().rpartition(b")")[2].split()[0] == b"R"
    except OSError:
        return False


def _business(place: _Place) -> tuple[bool, float]:
    """Whether a thread that stands there is busy all the same, and for how many real seconds that counts."""
    if place is _ABOUT_TO_RUN:
        return True, _BUSY_LIMIT
    return place[0] == "SocketIO.readinto", _ANSWER_LIMIT


drives: list[Drive] = []
"""The drives that are on, the latest last."""


def here() -> Drive | None:
    """The drive that moves for the running thread, None where time is the machine's."""
    if not drives:
        return None
    thread = threading.current_thread()
    return next((drive for drive in reversed(drives) if drive.covers(thread)), None)
