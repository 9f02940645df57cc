"""The clock a test holds in its hand: it says the time, is moved by hand, or by the code under test that sleeps.

    ocbulk.clock.advance("5s")
    with ocbulk.clock.drives_sleep():
        wait_for_job(timeout=600)       # ten minutes of polling in milliseconds
    assert ocbulk.clock.elapsed == 600

docs/time.md says what is covered and what is not.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ContextDecorator, contextmanager
from typing import TYPE_CHECKING, Any

from .. import machine_time
from ..emulator.clock import Clock, ManualClock, seconds, spell
from ..emulator.errors import OcBulkError
from .driving import Drive, SleptTooLong, here

if TYPE_CHECKING:
    from ..emulator.emulator import Emulator

__all__ = ["DrivenClock", "SleptTooLong"]

_WORK_LIMIT, _WORK_PAUSE = 60.0, 0.001
"""Real seconds that work is waited for, and between two looks at it; nobody may be there to do it."""

AT_MOST = "1h"
"""How long the code under test may sleep in one block, unless told otherwise."""


class DrivenClock:
    """A manual clock with a fake behind it: what is due happens in its order while the clock moves.

    `deliver` is called after each tick of the fake; it posts callbacks or wakes a server. With `wait_for_work` the
    clock stands still while a server applies a large upload; not for callers that hold the emulator's lock. Raises
    `OcBulkError` for a clock that cannot be moved.
    """

    def __init__(
        self,
        clock: Clock,
        emulator: Emulator | None = None,
        deliver: Callable[[], object] | None = None,
        *,
        wait_for_work: bool = True,
    ) -> None:
        if not isinstance(clock, ManualClock):
            raise OcBulkError(
                f"only a ManualClock can be moved, this fake runs on {type(clock).__name__};"
                " ocbulk-server keeps the machine's time, the pytest fixtures have a clock that can be moved"
            )
        self._clock = clock
        self._emulator = emulator
        self._deliver = deliver
        self._wait_for_work = wait_for_work
        self._lock = threading.RLock()

    @property
    def now(self) -> float:
        """The present instant in seconds since 1970-01-01 UTC."""
        return self._clock.now()

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return self._clock.elapsed

    def __repr__(self) -> str:
        return f"<DrivenClock: {self.elapsed:g} s elapsed>"

    def advance(self, by: float | str) -> None:
        """Move forward by seconds or a duration such as `"5s"`; what is due on the way happens at its instant.

        Raises `OcBulkError` for a negative or unreadable duration.
        """
        length = seconds(by)
        with self._lock:
            self._let_work_finish()
            target = self._clock.elapsed + length
            while (due := self.next_due()) is not None and self._clock.elapsed + due <= target:
                self._clock.advance(due)
                self.happen()
                self._let_work_finish()
                if due == 0 and self.next_due() == 0:
                    break  # nobody takes it, such as a callback without delivery
            self._clock.advance(max(target - self._clock.elapsed, 0.0))

    def _let_work_finish(self) -> None:
        """Wait until a server has applied the large uploads that it has begun: that takes no time on this clock."""
        if self._emulator is None or not self._wait_for_work:
            return
        patience = machine_time.monotonic() + _WORK_LIMIT
        while self._emulator.runner.has_work and machine_time.monotonic() < patience:
            machine_time.sleep(_WORK_PAUSE)

    def next_due(self) -> float | None:
        """Seconds from now until something is due in the fake, None if nothing is."""
        due = self._emulator.next_due() if self._emulator else None
        return None if due is None else max(due, 0.0)

    def happen(self) -> None:
        """Let everything happen in the fake that is due."""
        if self._emulator:
            self._emulator.tick()
        if self._deliver:
            self._deliver()

    def state(self) -> str:
        """Where the jobs on this clock are: ` Job 1234 is COMPLETE since +2s, for 58s.`, empty if there are none."""
        return "".join(
            f" Job {job.id} is {instance.dialect.word(job.status)} since"
            f" +{spell(round(job.events[-1].at - self._clock.started, 3))},"
            f" for {spell(round(self.now - job.events[-1].at, 3))}."
            for instance in (self._emulator.instances if self._emulator else ())
            if instance.clock is self._clock
            for job in instance.jobs.values()
        )

    def drives_sleep(self, *, at_most: float | str = AT_MOST) -> Block:
        """Within this block sleeping moves this clock, and `time.time()` and `time.monotonic()` read it.

        In the thread that enters the block and in threads started within it. Raises `SleptTooLong` when the code would
        sleep longer than `at_most`, `OcBulkError` when something else has patched `time`.
        """
        limit = seconds(at_most)
        return Block(lambda: self._driving(limit))

    @contextmanager
    def _driving(self, limit: float) -> Iterator[DrivenClock]:
        outer = here()
        if outer is not None and outer.clock is self._clock:
            yield self
            return
        from . import patches

        drive = Drive(self._clock, self._mover(outer), self, limit, outer)
        patches.install(drive)
        try:
            yield self
        finally:
            patches.remove(drive)
        if drive.failure is not None:
            raise drive.failure

    def _mover(self, outer: Drive | None) -> Callable[[float], None]:
        """Move this clock, and the one of the block around this block."""

        def move(by: float) -> None:
            self.advance(by)
            if outer is not None:
                outer.move(by)

        return move


class Block(ContextDecorator):
    """What `drives_sleep()` gives: something to enter with `with`, or to decorate a function with.

    One that is thrown away unused warns, as a coroutine does that was never awaited.
    """

    def __init__(self, driving: Callable[[], AbstractContextManager[DrivenClock]]) -> None:
        self._driving = driving
        self._entered: list[AbstractContextManager[DrivenClock]] = []
        self._used = False

    def __call__(self, function: Any) -> Any:
        self._used = True
        return super().__call__(function)

    def __enter__(self) -> DrivenClock:
        self._used = True
        self._entered.append(self._driving())
        return self._entered[-1].__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self._entered.pop().__exit__(*error)

    def __del__(self) -> None:
        if not self._used:
            warnings.warn(
                "drives_sleep() alone drives nothing; write: with ocbulk.clock.drives_sleep(): ...",
                RuntimeWarning,
                stacklevel=2,
            )
