"""What the standalone server serves: the imitated API, and the control API below `/__ocbulk__/`, behind one port."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.ledger import DataFileLost
from pytest_ocbulk.emulator.messages import BASE, OPEN_RECEPTION, Disconnect, Reception, Request, Response

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
        self.control = control
        self._on_lost = on_lost

    def handle(self, request: Request) -> Response | Disconnect:
        """Answer one call."""
        answer = self._of(request).handle(request)
        if request.segments[:1] not in (BASE[:1], (SEGMENT,)):
            answer = _with_control(answer)
        if self.emulator.ledger.failure:
            self._on_lost()
        return answer

    def receive(self, head: Request) -> Reception:
        """How the body of a request is to be received."""
        return self._unless_lost(lambda: self._of(head).receive(head), OPEN_RECEPTION)

    def _of(self, request: Request) -> Emulator | ControlApi:
        return self.control if request.segments[:1] == (SEGMENT,) else self.emulator

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


def _with_control(answer: Response | Disconnect) -> Response | Disconnect:
    """A refusal of a path outside of the imitated API, which names the control API as well."""
    if not isinstance(answer, Response) or answer.status != 404 or not isinstance(answer.body, bytes):
        return answer
    body = json.loads(answer.body or "{}")
    if "message" not in body:  # HEAD
        return answer
    body["message"] += f", the control API below /{SEGMENT}/"
    content = json.dumps(body, ensure_ascii=False).encode()
    return replace(answer, headers={**answer.headers, "Content-Length": str(len(content))}, body=content)
