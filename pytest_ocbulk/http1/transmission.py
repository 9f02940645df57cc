"""How an answer is written down for a socket: its head, its framing and the accidents on its way.

An answer becomes bytes that are written at once and, when it is long or has an accident planned, a generator
of steps that the connection takes one at a time, as fast as the client reads. Nothing here touches a socket.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import NamedTuple

from ..emulator.errors import error_body
from ..emulator.messages import JSON, PROMPT, Delivery, Disconnect, Response

BLOCK = 64 * 1024
"""Bytes of one step: small enough for a slow reader to hold little, large enough to be worth a system call."""

_PROMPT_BYTES = 4 * BLOCK
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_END = "\r\n"
_BODILESS = frozenset({204, 304})
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


class Pause(float):
    """Seconds in which nothing is written."""

    __slots__ = ()


Step = bytes | memoryview | Pause


class Outgoing(NamedTuple):
    """An answer ready to travel: `first` is written at once, then `steps`; then the connection `stays` or is closed."""

    first: bytes
    steps: Iterator[Step] | None
    stays: bool


def outgoing(response: Response, *, method: str, http10: bool, keep_alive: bool) -> Outgoing:
    """Put an answer into HTTP/1.1, or into what a client of 1.0 understands.

    Framing is decided here and only here: `Content-Length` for bytes, chunks for iterators, the end of the connection
    for iterators to 1.0; headers of these names set by the app are left out. The answer to HEAD and the
    statuses 204 and 304 have no body (RFC 9110, 9.3.2 and 15).
    """
    body, delivery = response.body, response.delivery
    bodiless = method == "HEAD" or response.status in _BODILESS
    framing = _framing(response, method=method, http10=http10)
    if http10 and not (framing or bodiless):
        keep_alive = False
    if not keep_alive:
        framing += "Connection: close\r\n"
    elif http10:
        framing += "Connection: keep-alive\r\n"
    head = _head(response, framing)
    if bodiless:
        return Outgoing(head, None, keep_alive)
    if isinstance(body, bytes) and delivery is PROMPT and len(body) <= _PROMPT_BYTES:
        return Outgoing(head + body, None, keep_alive)
    steps = _steps(body, delivery, chunked=not isinstance(body, bytes) and not http10)
    return Outgoing(head, steps, keep_alive and delivery.truncate_after is None)


def _framing(response: Response, *, method: str, http10: bool) -> str:
    """The header line that says where the body ends; empty without a body, or when the connection ends it."""
    if response.status in _BODILESS:
        return ""
    if method == "HEAD" and response.body == b"":  # the app has left out the body by itself
        lengths = [value for name, value in response.headers.items() if name.lower() == "content-length"]
        return f"Content-Length: {int(lengths[0])}\r\n" if lengths else ""
    if isinstance(response.body, bytes):
        return f"Content-Length: {len(response.body)}\r\n"
    return "" if http10 else "Transfer-Encoding: chunked\r\n"


def _head(response: Response, framing: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in response.headers.items() if name.lower() not in _FRAMING]
    text = "\r\n".join(lines)
    breaks = max(len(lines) - 1, 0)
    if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
        text = "\r\n".join(_one_line(line) for line in lines)
    status_line = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"
    text = f"{status_line}{text}{_END if lines else ''}{framing}\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _one_line(line: str) -> str:
    """A header line that stays one: whoever puts a line break into a value must not write headers of his own."""
    return line.translate({10: " ", 13: " ", 0: " "})


def _steps(body: bytes | Iterator[bytes], delivery: Delivery, *, chunked: bool) -> Iterator[Step]:
    cut = delivery.truncate_after
    pieces: Iterator[bytes | memoryview] = _slices(body) if isinstance(body, bytes) else body
    if cut is not None:
        pieces = _truncated(pieces, cut)
    steps: Iterator[Step] = pieces
    if delivery.stall_after is not None:
        steps = _stalled(pieces, delivery.stall_after, delivery.stall)
    steps = _gathered(steps)
    return _chunked(steps, ended=cut is None) if chunked else steps


def _slices(body: bytes) -> Iterator[memoryview]:
    view = memoryview(body)
    for start in range(0, len(body), BLOCK):
        yield view[start : start + BLOCK]


def _truncated(pieces: Iterator[bytes | memoryview], limit: int) -> Iterator[bytes | memoryview]:
    for piece in pieces:
        if limit <= len(piece):
            yield piece[:limit]
            return
        yield piece
        limit -= len(piece)


def _stalled(pieces: Iterator[bytes | memoryview], after: int, seconds: float) -> Iterator[Step]:
    left = after
    for piece in pieces:
        if 0 <= left <= len(piece):
            yield piece[:left]
            yield Pause(seconds)
            yield piece[left:]
            left = -1
        else:
            yield piece
            left -= len(piece)
    if left == 0:
        yield Pause(seconds)


def _gathered(steps: Iterator[Step]) -> Iterator[Step]:
    """Join small pieces to blocks, so that an iterator of single rows does not cost a system call for each."""
    waiting: list[bytes | memoryview] = []
    size = 0
    for step in steps:
        if not isinstance(step, Pause):
            waiting.append(step)
            size += len(step)
        if waiting and (size >= BLOCK or isinstance(step, Pause)):
            yield b"".join(waiting)
            waiting, size = [], 0
        if isinstance(step, Pause):
            yield step
    if size:
        yield b"".join(waiting)


def _chunked(steps: Iterator[Step], *, ended: bool) -> Iterator[Step]:
    """Chunked framing (RFC 9112, 7.1). An empty piece is left out: it would read as the end."""
    for step in steps:
        if isinstance(step, Pause):
            yield step
        elif step:
            yield b"".join((b"%x\r\n" % len(step), step, b"\r\n"))
    if ended:
        yield b"0\r\n\r\n"


def server_refusal(status: int, message: str) -> Response:
    """An answer of the server itself, in the service's shape for errors (protocol.md 2.3)."""
    request_id = os.urandom(12).hex()
    headers = {"Content-Type": JSON, "elements-request-id": request_id}
    return Response(status, headers, json.dumps(error_body(request_id, message)).encode())


def release(answer: Response | Disconnect) -> None:
    """Close the iterator of an answer that will not be read on, so that it frees what it holds."""
    close: Callable[[], None] | None = getattr(getattr(answer, "body", None), "close", None)
    if close is not None:
        close()
