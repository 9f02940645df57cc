"""A socket that answers what it is told, byte for byte: for answers that no honest server gives."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader

RESET = "reset"
"""Instead of an answer: read the whole request, then reset the connection."""

CLOSE = "close"
"""Instead of an answer: read the whole request, then close the connection in good order."""


@dataclass
class Received:
    """One request as it came: its head in lines, its body's size and, if small, the body itself."""

    head: str = field(repr=False)
    size: int
    body: bytes = field(repr=False)


@dataclass
class RawService:
    """Answers each connection with the next of `answers`; `received` are the requests."""

    base_url: str
    answers: list[bytes | str] = field(repr=False)
    received: list[Received]


@contextmanager
def raw_service(*answers: bytes | str, keep: int = 1 << 20) -> Iterator[RawService]:
    """A server on a free port of the loopback for as long as the context is open; `keep` bytes of a body are kept."""
    listener = socket.create_server(("127.0.0.1", 0))
    service = RawService(f"http://127.0.0.1:{listener.getsockname()[1]}/api", list(answers), [])
    thread = threading.Thread(target=_serve, args=(listener, service, keep), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def answer(status: str = "200 OK", body: str = "", **headers: str) -> bytes:
    """The bytes of an answer whose connection closes after it."""
    content = body.encode()
    named = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + content


def _serve(listener: socket.socket, service: RawService, keep: int) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            _converse(connection, service, keep)


def _converse(connection: socket.socket, service: RawService, keep: int) -> None:
    with connection.makefile("rb") as stream:
        received = _read(stream, keep)
    if received is None:
        return
    service.received.append(received)
    what = service.answers.pop(0)
    if what == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif isinstance(what, bytes):
        connection.sendall(what)


def _read(stream: BufferedReader, keep: int) -> Received | None:
    """One whole request; None if the client went away before its end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    lowered = head.decode().lower()
    length = lowered.partition("content-length: ")[2].partition("\r\n")[0]
    chunked = "transfer-encoding: chunked" in lowered
    kept, size = b"", 0
    for piece in _chunked(stream) if chunked else _sized(stream, int(length or 0)):
        if not piece:
            return None
        size += len(piece)
        kept += piece[: max(0, keep - len(kept))]
    return Received(head.decode(), size, kept)


def _sized(stream: BufferedReader, length: int) -> Iterator[bytes]:
    """The pieces of a body of so many bytes; an empty one if it ends early."""
    while length:
        piece = stream.read1(min(length, 1 << 20))
        length -= len(piece) or length
        yield piece


def _chunked(stream: BufferedReader) -> Iterator[bytes]:
    """The pieces of a chunked body; an empty one if it ends early."""
    while length := int(stream.readline() or b"-1", 16):
        if length < 0:
            yield b""
            return
        yield stream.read(length)
        stream.readline()
    stream.readline()
