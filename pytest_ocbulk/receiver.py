"""A small webhook receiver for tests: collects what is posted to it, verifies it, answers as it is told.

    with Receiver(key="secret") as receiver:
        upload(..., headers={"Elements-Async-Callback-Url": receiver.url})
        callback = receiver.wait_for()
        assert callback.verified and callback.json()["status"] == "COMPLETE"

It is a plain HTTP server of the standard library on a free port of this machine, so it starts and stops in
milliseconds. What the code under test would do with a callback it does not do.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any

from .emulator.callbacks import SIGNATURE_HEADER, verify
from .emulator.clock import seconds
from .emulator.errors import OcBulkError
from .headers import Headers

PATH = "/callback"

_POLL = 0.005
"""Seconds between two looks at whether to stop."""
_PATIENCE = 5.0
"""Seconds that a half-sent request is waited for."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request: `body` as it came, `headers` by names in any case, `at` in seconds since 1970 by our machine.

    `verified` tells whether the signature belongs to the body, None if the receiver has no key; `answered` is the
    status of its answer.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    answered: int
    verified: bool | None

    def json(self) -> Any:
        """The body as JSON; raises `ValueError` when it is none."""
        return json.loads(self.body)

    @property
    def signature(self) -> str:
        """The header `Elements-Webhook-Signature`, empty if there is none."""
        return self.headers.get(SIGNATURE_HEADER, "")


class Receiver:
    """Collects what is posted to `url`.

    With a `key` each request is verified. `answers` are the statuses of the first requests, one each; later ones are
    answered 200. With `strict` a request that is not signed with the key is answered 401, whatever its turn. `hurry`
    is called before anybody waits: it lets be posted what is due.
    """

    def __init__(
        self,
        key: str | None = None,
        *,
        answers: Iterable[int] = (),
        strict: bool = False,
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        if strict and key is None:
            raise OcBulkError(
                "Receiver(strict=True) needs the key that callbacks are signed with: Receiver(key=...)"
            )
        self.key = key
        self.strict = strict
        self._hurry = hurry
        self._answers = deque(answers)
        self._received: list[Received] = []
        self._arrival = threading.Condition()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        where = f"at {self.url}" if self._server is not None else "that does not listen"
        return f"<Receiver {where}, {len(self)} received>"

    # -- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen on a free port of this machine; does nothing when it listens already."""
        if self._server is None:
            self._server = _Server(self)
            self._thread = threading.Thread(
                target=self._server.serve_forever, args=(_POLL,), name="ocbulk-receiver", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Close the port; what was received stays."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Receiver:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where callbacks are to be posted: `http://127.0.0.1:40123/callback`; raises `OcBulkError` before `start`."""
        if self._server is None:
            raise OcBulkError("the receiver does not listen; write: with Receiver() as receiver: ...")
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    # -- what came --------------------------------------------------------------------------------------

    @property
    def received(self) -> tuple[Received, ...]:
        """All that came so far, in its order."""
        with self._arrival:
            return tuple(self._received)

    def __len__(self) -> int:
        return len(self._received)

    def wait_for(self, n: int = 1, timeout: float | str = 5.0) -> Received:
        """The n-th request, from 1, waited for up to `timeout`, real time; raises `OcBulkError` if it does not come."""
        patience = seconds(timeout)
        self._hurry()
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self._received) >= n, patience):
                came = "1 came" if len(self._received) == 1 else f"{len(self._received)} came"
                wanted = "a callback" if n == 1 else f"{n} callbacks"
                raise OcBulkError(
                    f"waited {patience:g} s for {wanted} at {self.url}, {came}; a callback comes when its job has"
                    " ended: end it, ocbulk.jobs[-1].finish(), or let the fake's time go on,"
                    " ocbulk.clock.advance('10m')"
                )
            return self._received[n - 1]

    def answer_with(self, *statuses: int) -> None:
        """Answer the next requests with these statuses, one each, behind those that are planned already."""
        with self._arrival:
            self._answers.extend(statuses)

    def clear(self) -> None:
        """Forget what came and what was to be answered."""
        with self._arrival:
            self._received.clear()
            self._answers.clear()

    def _take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        verified = None
        if self.key is not None:
            verified = verify(self.key, body, headers.get(SIGNATURE_HEADER, ""))
        with self._arrival:
            status = 401 if self.strict and not verified else self._next_answer()
            self._received.append(Received(path, headers, body, time.time(), status, verified))
            self._arrival.notify_all()
        return status

    def _next_answer(self) -> int:
        return self._answers.popleft() if self._answers else 200


class _Server(HTTPServer):
    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name, which can take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE

    def do_POST(self) -> None:
        """Take one request."""
        try:
            body = self._body()
        except ValueError:
            self.send_error(400)
            return
        headers = Headers(dict(self.headers.items()))
        self.send_response(self.server.receiver._take(self.path, headers, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        """The whole body, by its length or in chunks (RFC 9112, 6); raises `ValueError` when it did not come whole."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self._exactly(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self._exactly(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _exactly(self, size: int) -> bytes:
        """So many bytes: of a sender who breaks off nothing has arrived."""
        if size < 0 or len(data := self.rfile.read(size)) < size:
            raise ValueError(size)
        return data

    do_PUT = do_POST  # noqa: N815  # the name is the library's

    def log_message(self, format: str, *args: object) -> None:
        """Tests have no use for lines on standard error."""
