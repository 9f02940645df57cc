"""Callbacks as they arrive: a small receiver for the cases about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Self

from pytest_ocbulk.emulator.messages import Request, Response
from pytest_ocbulk.http1.site import AnswersAtOnce
from pytest_ocbulk.server import Server


@dataclass(frozen=True, slots=True)
class Delivered:
    """One callback: lower-case header names and the raw bytes."""

    method: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def job(self) -> str:
        """The id of the job that it is about; empty when that cannot be read."""
        try:
            body = json.loads(self.body)
        except ValueError:
            return ""
        return str(body.get("id", "")) if isinstance(body, dict) else ""


@dataclass(slots=True)
class Mailbox:
    """What has arrived at a receiver. `url` is the address to hand out; `settle` lets due callbacks be posted."""

    url: str
    settle: Callable[[], None] = lambda: None
    arrived: list[Delivered] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def put(self, delivered: Delivered) -> None:
        """A callback has arrived."""
        with self._lock:
            self.arrived.append(delivered)

    def about(self, job: str) -> list[Delivered]:
        """What has arrived so far about a job."""
        self.settle()
        with self._lock:
            return [
                each for each in self.arrived if f'"{job}"'.encode() in each.body or job.encode() in each.body
            ]


class Receiver(AnswersAtOnce):
    """Listens at `host:port`, answers 200 to everything and keeps it."""

    def __init__(self, listen: str, url: str = "") -> None:
        host, _, port = listen.rpartition(":")
        self._server = Server(self, host, int(port))
        self.mailbox = Mailbox(url)

    def __enter__(self) -> Self:
        self._server.start()
        self.mailbox.url = self.mailbox.url or f"{self._server.url}/ocbulk-contract"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def handle(self, request: Request) -> Response:
        """Keep what came."""
        self.mailbox.put(Delivered(request.method, request.headers, request.body.read()))
        return Response(200, {"Content-Length": "0"})
