"""What the standalone server serves: the imitated API, and the control API below `/__ocbulk__/`, behind one port."""

from __future__ import annotations

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import Disconnect, Reception, Request, Response

from .control import SEGMENT, ControlApi


class FakeServerApp:
    """An `Emulator` with a `ControlApi` beside it; the same methods, so that the same `Server` serves it."""

    def __init__(self, emulator: Emulator, control: ControlApi) -> None:
        self.emulator = emulator
        self.control = control

    def handle(self, request: Request) -> Response | Disconnect:
        """Answer one call."""
        return self._of(request).handle(request)

    def receive(self, head: Request) -> Reception:
        """How the body of a request is to be received."""
        return self._of(head).receive(head)

    def _of(self, request: Request) -> Emulator | ControlApi:
        return self.control if request.segments[:1] == (SEGMENT,) else self.emulator

    def work(self) -> bool:
        """Do one slice of background work; whether there is more."""
        return self.emulator.work()

    def tick(self) -> None:
        """Let everything happen that is due."""
        self.emulator.tick()

    def next_due(self) -> float | None:
        """Seconds from now until `tick` has something to do."""
        return self.emulator.next_due()
