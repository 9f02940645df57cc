"""A server around a plain function, and the raw socket that talks to it. The judges are other people's clients."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any, cast

from pytest_ocbulk.emulator.messages import OPEN_RECEPTION, Disconnect, Reception, Request, Response
from pytest_ocbulk.http1.site import AnswersAtOnce
from pytest_ocbulk.server import Limits, Server

from ..patience import PATIENCE

Handler = Callable[[Request], Response | Disconnect]


class PlainApp(AnswersAtOnce):
    """An app that answers with a function and has nothing to do in the background."""

    def __init__(self, handler: Handler, reception: Reception = OPEN_RECEPTION) -> None:
        self.handler = handler
        self.reception = reception
        self.heads: list[Request] = []

    def handle(self, request: Request) -> Response | Disconnect:
        return self.handler(request)

    def receive(self, head: Request) -> Reception:
        self.heads.append(head)
        return self.reception


def echo(request: Request) -> Response:
    """Say what was asked, as JSON."""
    said = {
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "headers": dict(request.headers),
        "size": request.size,
        "body": request.body.read(1000).decode("latin-1"),
    }
    return Response(200, {"Content-Type": "application/json"}, json.dumps(said).encode())


def text(body: str, status: int = 200) -> Response:
    return Response(status, {"Content-Type": "text/plain"}, body.encode())


@contextmanager
def serving(
    handler: Handler, reception: Reception = OPEN_RECEPTION, limits: Limits | None = None, **options: Any
) -> Iterator[Server]:
    with Server(PlainApp(handler, reception), limits=limits or Limits(), **options) as server:
        yield server


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as client:
        yield client


def get(path: str = "/", *lines: str) -> bytes:
    return request("GET", path, *lines)


def request(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: fake", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def read_until(client: socket.socket, end: bytes) -> bytes:
    """What comes up to and including these bytes, if they are the last that were sent."""
    heard = b""
    while not heard.endswith(end):
        part = client.recv(65536)
        assert part, f"closed before {end!r} came, after {heard!r}"
        heard += part
    return heard


def read_to_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def say(server: Server, *parts: bytes) -> bytes:
    """All that the server answers to these bytes until it closes."""
    with connected(server) as client:
        for part in parts:
            client.sendall(part)
        return read_to_end(client)


class _Heard(io.BytesIO):
    """Looks like a socket to http.client, so that it can parse several answers out of one stream."""

    def makefile(self, *_: object) -> _Heard:
        return self

    def close(self) -> None:
        pass


def answers(heard: bytes, method: str = "GET") -> list[tuple[HTTPResponse, bytes]]:
    """The answers in a stream, as http.client of the standard library reads them."""
    stream, found = _Heard(heard), []
    while stream.tell() < len(heard):
        answer = HTTPResponse(cast(socket.socket, stream), method=method)
        answer.begin()
        found.append((answer, answer.read()))
    return found


def answer(heard: bytes, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """The only answer in a stream."""
    (found,) = answers(heard, method)
    return found


def refused(heard: bytes) -> tuple[int, str]:
    """Status and message of a refusal, which has the service's shape and ends the connection."""
    found, body = answer(heard)
    said = json.loads(body)
    assert sorted(said) == ["message", "requestId"]
    assert said["requestId"] == found.headers["elements-request-id"]
    assert found.headers["Connection"] == "close"
    return found.status, said["message"]
