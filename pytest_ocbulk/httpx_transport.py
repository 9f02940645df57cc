"""The fake as a transport for httpx, sync and async. Needs the extra `[httpx]`: this module alone imports httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

import httpx

from .addresses import Addresses
from .emulator.messages import Request
from .in_process import AnswerTooLate, ConnectionReset, InProcess, spooled


class FakeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """For `httpx.Client(transport=...)` and `httpx.AsyncClient(transport=...)`: every call is the fake's.

    Nothing is ever sent to another host: what is not an address of the service raises `httpx.ConnectError`.
    """

    def __init__(self, fake: InProcess, base_url: str) -> None:
        self._fake = fake
        self._addresses = Addresses((base_url,))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a call of a sync client."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        with spooled(request.stream) as body:
            return self._answer(request, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a call of an async client."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        with spooled([piece async for piece in request.stream]) as body:
            return self._answer(request, body)

    def _answer(self, request: httpx.Request, body: BinaryIO) -> httpx.Response:
        target = self._addresses.target(str(request.url))
        if target is None:
            if self._addresses.lacks_tls(str(request.url)):
                raise httpx.ConnectError(
                    f"{request.url}: the service speaks https only; use https://", request=request
                )
            raise httpx.ConnectError(
                f"{request.url} is not an address of the fake; call it at a base URL of the service",
                request=request,
            )
        asked = Request.of(request.method, target, _joined(request.headers), body)
        try:
            answer = self._fake.ask(asked, request.extensions.get("timeout", {}).get("read"))
        except ConnectionReset:
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request) from None
        except AnswerTooLate:
            raise httpx.ReadTimeout("The read operation timed out", request=request) from None
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=_Body(answer.body))


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, for either kind of client."""

    def __init__(self, body: bytes | Iterator[bytes]) -> None:
        self._pieces = iter((body,)) if isinstance(body, bytes) else body

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def _joined(headers: httpx.Headers) -> dict[str, str]:
    """Headers as one value each; httpx joins repeated ones by a comma."""
    return {name: headers[name] for name in headers}
