"""Ending a recording while the service is silent: a signal breaks off the call that the main thread waits in.

The recorder asks the service on the server's loop, which sees that it is to stop only when it is back in its loop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM)

HEARTBEAT = 0.5
"""Seconds. A signal that comes just before a system call that blocks is heard when the call is interrupted again."""


class RecordingEnded(Exception):
    """The recording was ended while the service was being waited for."""


class Breakable:
    """Waits that a signal can break off where Python hears signals: in the main thread."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._ended = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A block that `break_off` leaves with `RecordingEnded`; none is begun after it."""
        self._here.waits = True
        try:
            if self._ended:
                raise RecordingEnded
            yield
        finally:
            self._here.waits = False

    def break_off(self) -> None:
        """Leave the block that this thread is in, if it is in one. For signal handlers."""
        self._ended = True
        if getattr(self._here, "waits", False):
            raise RecordingEnded

    def listen(self) -> None:
        """Break off at a signal that ends, after what was done at it before. Once in a process, in its main thread."""
        if hasattr(signal, "setitimer"):  # not on Windows
            signal.signal(signal.SIGALRM, lambda _number, _frame: None)
            signal.setitimer(signal.ITIMER_REAL, HEARTBEAT, HEARTBEAT)
        for number in ENDINGS:
            before = signal.getsignal(number)

            def on_signal(number: int, frame: FrameType | None, before: object = before) -> None:
                if callable(before):
                    before(number, frame)
                self.break_off()

            signal.signal(number, on_signal)
