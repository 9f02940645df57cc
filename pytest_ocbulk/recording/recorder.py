"""The proxy that records: an app for our server whose `handle` asks the real service.

Calls are passed on one after the other, as they come, but for those with large bodies, which other calls do not wait
for. What is written down went through the redactor first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

import requests

from pytest_ocbulk.client.breakage import reason_of
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.messages import BASE, Request, Response
from pytest_ocbulk.http1.site import AnswersAtOnce
from pytest_ocbulk.http1.transmission import Pause, server_refusal

from .ending import Breakable, RecordingEnded
from .exchange import RecordedExchange, begin, write
from .forms import redacted_form
from .redaction import Redactor

log = logging.getLogger("pytest_ocbulk.recording")

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes of a body that are kept. What is larger is passed on all the same, and written down without its body."""

PATIENCE = 3600.0
"""Seconds: as long as the service itself takes for one transfer (protocol.md 6)."""

_HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "content-length", "accept-encoding", "content-encoding", "expect",
})  # fmt: skip


@dataclass(slots=True)
class Recorder(AnswersAtOnce):
    """Passes calls on to `upstream` (a base URL up to /elements/api-v2) and writes them to `folder`.

    `fields` are further fields to redact. Raises `OcBulkError` when the folder holds a recording already.
    """

    upstream: str
    folder: Path
    fields: Collection[str] = ()
    clock: Callable[[], float] = time.monotonic
    written: int = 0
    waits: Breakable = field(default_factory=Breakable)
    _began: float = 0.0
    _number: int = 0
    _session: requests.Session = field(default_factory=requests.Session)
    _redactor: Redactor = field(init=False)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        if not self.upstream.startswith(("http://", "https://")):
            raise OcBulkError(
                f"--upstream is a base URL like https://.../elements/api-v2, got {self.upstream!r}"
            )
        begin(self.folder)
        self._redactor = Redactor(self.fields)
        self._began = self.clock()
        self._session.trust_env = False  # no .netrc in the place of the client's own secrets

    def close(self) -> None:
        """Close the connections to the service."""
        self._session.close()

    # -- what a server asks of its app ------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Pass a call on; 502 in the service's error shape when the service cannot be reached or breaks off."""
        at = self.clock() - self._began
        try:
            target = _target(request)
            with self.waits.waiting():
                answer = self._session.request(
                    request.method,
                    self.upstream.rstrip("/") + target,
                    headers={**_passed_on(request.headers), "Accept-Encoding": "identity"},
                    data=_data(request),
                    timeout=PATIENCE,
                    allow_redirects=False,
                    stream=True,
                )
                with self._lock:
                    self._number += 1
                    kept = _Kept(self, request, target, self._number, at, answer)
                return Response(answer.status_code, _passed_on(answer.headers), kept.body())
        except OcBulkError as error:
            return server_refusal(502, str(error))
        except requests.RequestException as error:
            return server_refusal(502, f"The upstream service cannot be reached: {reason_of(error)}")
        except RecordingEnded:
            return server_refusal(502, "The recording was ended before the upstream service had answered")

    # -- writing down -----------------------------------------------------------------------------------

    def write(self, kept: _Kept, answer: bytes, cut: bool) -> None:
        """Redact an exchange and write it; a mistake here must not disturb the call that it is about."""
        try:
            with self._lock:
                write(self.folder, self._redacted(kept, answer, cut))
                self.written += 1
        except Exception:
            log.exception("exchange %d could not be written down", kept.number)

    def _redacted(self, kept: _Kept, answer: bytes, cut: bool) -> RecordedExchange:
        request, redactor = kept.request, self._redactor
        # The header first: the secrets in it are then known wherever else they stand.
        headers = redactor.headers(request.headers)
        content_type = request.header("content-type")
        sent = b"" if request.size > LARGEST_BODY else _content(request)
        if content_type.startswith("multipart/form-data"):
            headers["content-type"], sent = redacted_form(redactor, content_type, sent)
        else:
            sent = redactor.body(content_type, sent)
        return RecordedExchange(
            number=kept.number,
            at=round(kept.at, 3),
            took=round(self.clock() - self._began - kept.at, 3),
            method=request.method,
            target=redactor.target(kept.target),
            headers=headers,
            body=sent,
            status=kept.answer.status_code,
            answer_headers=redactor.headers(kept.answer.headers),
            answer=redactor.body(kept.answer.headers.get("content-type", ""), answer),
            cut=cut or request.size > LARGEST_BODY,
        )


@dataclass(slots=True)
class _Kept:
    """One call on its way: the answer is kept while it is passed on."""

    recorder: Recorder
    request: Request
    target: str
    number: int
    at: float
    answer: requests.Response

    def body(self) -> bytes | Iterator[bytes]:
        """The answer's body: whole when its length is known and small, else in pieces as they come."""
        length = self.answer.headers.get("content-length", "")
        if length.isdigit() and int(length) <= LARGEST_BODY:
            content = self.answer.content
            self.recorder.write(self, content, cut=False)
            return content
        return self._pieces()

    def _pieces(self) -> Iterator[Any]:
        kept, size, cut = BytesIO(), 0, False
        try:
            pieces = self.answer.iter_content(64 * 1024)
            while piece := self._next(pieces):
                size += len(piece)
                if size <= LARGEST_BODY:
                    kept.write(piece)
                yield piece
        except RecordingEnded:
            cut = True
            yield Pause(PATIENCE)  # until the server, which is to stop, breaks off the connection
        finally:
            cut = cut or size > LARGEST_BODY
            self.recorder.write(self, b"" if cut else kept.getvalue(), cut)
            self.answer.close()

    def _next(self, pieces: Iterator[bytes]) -> bytes:
        with self.recorder.waits.waiting():
            return next(pieces, b"")


def _target(request: Request) -> str:
    """The call below the base URL, encoded again."""
    if request.segments[:2] != BASE:
        raise OcBulkError(f"the recorder answers below /{'/'.join(BASE)}, got {request.path}")
    path = "".join(f"/{quote(part, safe='')}" for part in request.segments[2:])
    return f"{path}?{urlencode(request.query)}" if request.query else path


def _data(request: Request) -> Any:
    request.body.seek(0)
    return request.body if request.size else None


def _content(request: Request) -> bytes:
    if request.body.closed or not request.size:
        return b""
    request.body.seek(0)
    return request.body.read()


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
