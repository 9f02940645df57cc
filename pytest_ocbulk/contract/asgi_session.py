"""A `requests` session that drives an ASGI application, so that one client reaches every door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.response import HTTPResponse

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


@contextmanager
def asgi_session(application: Application) -> Iterator[requests.Session]:
    """A session whose every call is answered by the application."""
    with requests.Session() as session:
        session.mount("http://", AsgiAdapter(application))
        yield session


class AsgiAdapter(BaseAdapter):
    """Hands calls of a session to an ASGI application, one after the other."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application

    def send(  # type: ignore[override]  # nothing here streams, waits or encrypts
        self, request: requests.PreparedRequest, **_options: Any
    ) -> requests.Response:
        """Answer one call; the body of the request is read first, that of the answer is whole."""
        sent: list[Message] = []
        body = _read(request.body)

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(_called(self._application, _scope(request), receive, send))
        return _response(request, sent)

    def close(self) -> None:
        """There is nothing to close."""


async def _called(application: Application, *arguments: Any) -> None:
    await application(*arguments)


def _scope(request: requests.PreparedRequest) -> Message:
    parts = urlsplit(str(request.url))
    headers = [(name.lower().encode(), str(value).encode()) for name, value in request.headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": headers,
        "client": None,
        "server": (parts.hostname, parts.port or 80),
    }


def _response(request: requests.PreparedRequest, sent: list[Message]) -> requests.Response:
    content = b"".join(message.get("body", b"") for message in sent[1:])
    head = sent[0]
    raw = HTTPResponse(
        body=BytesIO(content),
        headers={name.decode(): value.decode() for name, value in head["headers"]},
        status=head["status"],
        preload_content=False,
    )
    return HTTPAdapter().build_response(request, raw)


def _read(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    if hasattr(body, "read"):
        found: bytes = body.read()
        return found
    return b"".join(body)
