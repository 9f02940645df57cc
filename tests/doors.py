"""The doors through which the golden exchanges are run: each is one line of the table `DOORS`.

A door takes an emulator and gives a function that asks one thing and returns the answer as a client sees it.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import httpx
import requests

from pytest_ocbulk.addresses import Addresses
from pytest_ocbulk.asgi import AsgiApp
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import BASE_PATH, Disconnect, Request
from pytest_ocbulk.httpx_transport import FakeTransport
from pytest_ocbulk.in_process import InProcess
from pytest_ocbulk.intercept import Interception
from pytest_ocbulk.server import Server

from .patience import PATIENCE

HOST = "https://api.openconnectors.us2.ext.hana.ondemand.com"
"""The service's own host, as the page prints it: where the doors without a socket answer."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a client writes it: `target` is encoded, as it stands in the request line."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as a client sees it; header names in lower case. `status` is 0 for a connection without answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Ask = Callable[[Sent], Received]
Door = Callable[[Emulator], AbstractContextManager[Ask]]


@contextmanager
def core(emulator: Emulator) -> Iterator[Ask]:
    """`Emulator.handle`, called directly."""

    def ask(sent: Sent) -> Received:
        answer = emulator.handle(Request.of(sent.method, sent.target, sent.headers, sent.body))
        if isinstance(answer, Disconnect):
            return Received(0, {}, b"")
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        return Received(answer.status, lowered(answer.headers.items()), body)

    yield ask


@contextmanager
def socket(emulator: Emulator) -> Iterator[Ask]:
    """The real server, asked by the standard library's client over one connection."""
    with Server(emulator) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)

        def ask(sent: Sent) -> Received:
            connection.request(sent.method, sent.target, sent.body, dict(sent.headers))
            response = connection.getresponse()
            return Received(response.status, lowered(response.getheaders()), response.read())

        try:
            yield ask
        finally:
            connection.close()


@contextmanager
def intercept(emulator: Emulator) -> Iterator[Ask]:
    """Calls made with `requests`, intercepted."""
    interception = Interception(InProcess(emulator), Addresses())
    interception.start()
    try:
        with requests.Session() as session:

            def ask(sent: Sent) -> Received:
                response = session.request(
                    sent.method, HOST + sent.target, headers=dict(sent.headers), data=sent.body
                )
                return Received(response.status_code, lowered(response.headers.items()), response.content)

            yield ask
    finally:
        interception.stop()


@contextmanager
def transport(emulator: Emulator) -> Iterator[Ask]:
    """The transport for httpx."""
    with httpx.Client(transport=FakeTransport(InProcess(emulator), HOST + BASE_PATH)) as client:

        def ask(sent: Sent) -> Received:
            response = client.request(
                sent.method, HOST + sent.target, headers=dict(sent.headers), content=sent.body
            )
            return Received(response.status_code, lowered(response.headers.multi_items()), response.content)

        yield ask


@contextmanager
def asgi(emulator: Emulator) -> Iterator[Ask]:
    """The ASGI application, hosted by httpx."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(AsgiApp(InProcess(emulator))))
    with asyncio.Runner() as runner:

        def ask(sent: Sent) -> Received:
            response = runner.run(
                client.request(sent.method, HOST + sent.target, headers=dict(sent.headers), content=sent.body)
            )
            return Received(response.status_code, lowered(response.headers.multi_items()), response.content)

        yield ask
        runner.run(client.aclose())


def lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names in lower case; a header that comes twice is an error."""
    found: dict[str, str] = {}
    for name, value in headers:
        assert name.lower() not in found, f"header {name} came twice"
        found[name.lower()] = value
    return found


DOORS: dict[str, Door] = {
    "core": core,
    "socket": socket,
    "intercept": intercept,
    "transport": transport,
    "asgi": asgi,
}
