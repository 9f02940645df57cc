"""The thread beside the event loop: it takes what would keep the loop from answering."""

from __future__ import annotations

import contextlib
import gc
import logging
import queue
import sys
import threading
from collections.abc import Callable, Iterator

from .. import machine_time

log = logging.getLogger("pytest_ocbulk.server")

_BREATH = 0.0002
"""Seconds between two slices of work, so that the loop gets the app's lock in between."""
_SWITCH = 0.0005
"""Seconds after which a busy worker hands the interpreter to the loop. Python's 5 ms are due at each of the loop's
system calls: measured, a status call beside a busy worker took 5.3 ms with them and 0.7 ms with this."""
_GRACE = 5.0
"""Seconds that `stop` waits for a call or a slice that is being worked on."""


class Worker:
    """The thread beside the loop: calls in order, and slices of `work` in between for as long as there is some."""

    def __init__(self, work: Callable[[], bool]) -> None:
        self._work = work
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._woken = self._stopping = False

    def submit(self, call: Callable[[], None]) -> None:
        """Run `call` when its turn comes. An error of it is logged."""
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._run, name="ocbulk-worker", daemon=True)
            self._thread.start()
        self._calls.put(call)

    def wake(self) -> None:
        """See whether there is work, unless that is about to happen anyway."""
        if not self._woken:
            self._woken = True
            self.submit(self._slice)

    def stop(self) -> None:
        """Finish the call or slice at hand, drop the others. From any thread but its own."""
        self._stopping = True
        self._calls.put(None)
        if self._thread is not None:
            self._thread.join(_GRACE)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None and not self._stopping:
            with _short_turns():
                self._make(call)

    def _make(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            log.exception("background work failed")

    def _slice(self) -> None:
        self._woken = False
        with _collector_at_rest():
            more = self._work()
        if more:
            machine_time.sleep(_BREATH)
            self.wake()


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads take turns more often. Whoever has shortened the turns restores them; a second worker leaves them."""
    before = sys.getswitchinterval()
    if before <= _SWITCH:
        yield
        return
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Do not look for cyclic garbage within a slice: thousands of rows come and go, none of them in a cycle.

    Measured, the collector takes an eighth of the time of a large upload. Whoever has stopped it starts it again.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
