"""What all connections of one server share: the app, the limits, the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .. import machine_time
from ..emulator.messages import OPEN_RECEPTION, Disconnect, Reception, Request, Response
from .limits import Limits
from .reception import Incoming
from .transmission import server_refusal

if TYPE_CHECKING:
    from .connection import Connection
    from .sender import Sender

log = logging.getLogger("pytest_ocbulk.server")

Answer = Response | Disconnect


class App(Protocol):
    """What a server serves; `Emulator` is one."""

    def handle(self, request: Request, /) -> Answer:
        """Answer one request whose body has arrived in full."""
        ...

    def receive(self, head: Request, /) -> Reception:
        """Say how a body is to be received; called when a head that promises one has arrived."""
        ...

    @property
    def has_work(self) -> bool:
        """Whether `work` has something to do; asked after every few exchanges."""
        ...

    def work(self) -> bool:
        """Do one slice of background work; true when there is more."""
        ...

    def next_due(self) -> float | None:
        """Seconds until `tick` has something to do; None when that is not before the next call."""
        ...

    def tick(self) -> None:
        """Let everything happen that is due."""
        ...


class AnswersAtOnce:
    """What an app is beside its `handle` when bodies come as they like and nothing is left to do afterwards."""

    has_work = False

    def receive(self, head: Request, /) -> Reception:  # noqa: ARG002  # everything is welcome
        """Bodies are taken as they come."""
        return OPEN_RECEPTION

    def work(self) -> bool:
        """There is none."""
        return False

    def next_due(self) -> float | None:
        """Nothing."""
        return None

    def tick(self) -> None:
        """Nothing is due."""


@dataclass(slots=True)
class Site:
    """One running server, as its connections see it.

    `in_thread` runs a call away from the loop, `settle` is called after each exchange, `on_exchange` with the
    request, its answer and the seconds from the arrival of the head until the answer was known.
    """

    app: App
    limits: Limits
    loop: asyncio.AbstractEventLoop
    in_thread: Callable[[Callable[[], None]], None]
    settle: Callable[[], None]
    on_exchange: Callable[[Request, Answer, float], None] | None = None
    connections: set[Connection] = field(default_factory=set)
    _unsent: list[Sender] = field(default_factory=list)

    def ask(self, incoming: Incoming) -> Answer:
        """The app's answer, or 500 when it raises."""
        try:
            return self.app.handle(incoming.request())
        except Exception:
            log.exception("%s %s could not be answered", incoming.head.method, incoming.head.path)
            return server_refusal(500, "The fake failed while answering this call; its log says why.")

    def how_to_receive(self, incoming: Incoming) -> Reception | None:
        """The app's wish for a body; None when it raises."""
        try:
            return self.app.receive(incoming.head)
        except Exception:
            log.exception("%s %s could not be received", incoming.head.method, incoming.head.path)
            return None

    def report(self, incoming: Incoming, answer: Answer) -> None:
        """Tell whoever keeps the access log."""
        if self.on_exchange is None:
            return
        try:
            self.on_exchange(incoming.head, answer, machine_time.monotonic() - incoming.started)
        except Exception:
            log.exception("an exchange could not be reported")

    def flush_soon(self, sender: Sender) -> None:
        """Let `sender` send what it has at the end of this turn of the loop.

        Answers to many clients then leave one after the other, and a load generator or proxy is woken once for
        all of them: a quarter more requests per second with 16 connections.
        """
        if not self._unsent:
            self.loop.call_soon(self._flush)
        self._unsent.append(sender)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        for sender in unsent:
            sender.flush()
