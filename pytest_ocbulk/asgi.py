"""The door for any ASGI host: the fake as an ASGI 3 application. Bodies are streamed in both directions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from .emulator.messages import SPOOL_BYTES, Request, Response
from .in_process import InProcess

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsgiApp:
    """The fake as an ASGI 3 application: `http` and `lifespan`.

    The fake answers in the calling task and waits for nothing, so no event loop is needed beyond the host's own. A
    connection that a fault would reset raises `ConnectionReset` out of the application.
    """

    def __init__(self, fake: InProcess) -> None:
        self._fake = fake

    def __repr__(self) -> str:
        connectors = ", ".join(each.connector.key for each in self._fake.emulator.instances)
        return f"<AsgiApp of the fake: {connectors or 'no instance'}>"

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection of the host."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            with cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES)) as body:
                if await _read(receive, body):
                    await _write(send, self._fake.ask(_request(scope, body)))
        else:
            raise NotImplementedError(f"the fake speaks http, not {scope['type']}")


def _request(scope: Message, body: BinaryIO) -> Request:
    # `path` is decoded already, which would lose an encoded slash; a host need not have `raw_path`, though.
    target: bytes = scope.get("raw_path") or scope["path"].encode()
    if scope.get("query_string"):
        target = target.partition(b"?")[0] + b"?" + scope["query_string"]
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Request.of(scope["method"], target.decode("latin-1"), headers, body)


async def _read(receive: Receive, body: BinaryIO) -> bool:
    """Take the body in; false when the client has gone away."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        body.write(message.get("body", b""))
        more = message.get("more_body", False)
    return True


async def _write(send: Send, answer: Response) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if isinstance(answer.body, bytes):
        await send({"type": "http.response.body", "body": answer.body})
        return
    for piece in answer.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
