"""What the standalone server serves: the imitated API, and the control API below `/__ocbulk__/`, behind one port."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.ledger import DataFileLost
from pytest_ocbulk.emulator.messages import OPEN_RECEPTION, Disconnect, Reception, Request, Response

from .control import SEGMENT, ControlApi

_Value = TypeVar("_Value")


class FakeServerApp:
    """An `Emulator` with a `ControlApi` beside it; the same methods, so that the same `Server` serves it.

    `on_lost` is called when the data file can no longer be written, from whatever thread has found out.
    """

    def __init__(
        self, emulator: Emulator, control: ControlApi, on_lost: Callable[[], None] = lambda: None
    ) -> None:
        self.emulator = emulator
        self.emulator.beside = f", the control API below /{SEGMENT}/"
        self.control = control
        self._on_lost = on_lost

    def handle(self, request: Request) -> Response | Disconnect:
        """Answer one call."""
        answer = self._of(request).handle(request)
        if self.emulator.ledger.failure:
            self._on_lost()
        return answer

    def receive(self, head: Request) -> Reception:
        """How the body of a request is to be received."""
        return self._unless_lost(lambda: self._of(head).receive(head), OPEN_RECEPTION)

    def _of(self, request: Request) -> Emulator | ControlApi:
        return self.control if request.segments[:1] == (SEGMENT,) else self.emulator

    @property
    def has_work(self) -> bool:
        """Whether `work` has something to do."""
        return self.emulator.has_work

    def work(self) -> bool:
        """Do one slice of background work; whether there is more."""
        return self._unless_lost(self.emulator.work, False)

    def tick(self) -> None:
        """Let everything happen that is due."""
        self._unless_lost(self.emulator.tick, None)

    def next_due(self) -> float | None:
        """Seconds from now until `tick` has something to do."""
        return self._unless_lost(self.emulator.next_due, None)

    def _unless_lost(self, call: Callable[[], _Value], instead: _Value) -> _Value:
        try:
            return call()
        except DataFileLost:
            self._on_lost()
            return instead
