"""Whatever bytes come over a socket: an answer of the right shape or a closed connection, and the next call works."""

from __future__ import annotations

import gc
import http.client
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_server.app import FakeServerApp
from fake_server.control import ControlApi
from fake_server.settings import Settings, build
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.server import Limits, Server

from ..patience import PATIENCE
from .trying import LONG, TRIED, no_errors_logged, tries

AUTHORIZATION = b"Authorization: Element marketing, User demo\r\n"
UPLOAD = b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nC_EmailAddress\na@b.de\n\r\n--B--\r\n'
REQUESTS = (
    b"GET /elements/api-v2/objects HTTP/1.1\r\nHost: localhost\r\n" + AUTHORIZATION + b"\r\n",
    b"GET /__ocbulk__/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"HEAD /elements/api-v2/contact?pageSize=1 HTTP/1.0\r\n" + AUTHORIZATION + b"\r\n",
    b"POST /elements/api-v2/bulk/contact HTTP/1.1\r\nHost: a\r\n"
    + AUTHORIZATION
    + b"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: %d\r\n\r\n%s"
    % (len(UPLOAD), UPLOAD),
    b"POST /elements/api-v2/contact HTTP/1.1\r\nHost: a\r\n"
    + AUTHORIZATION
    + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /elements/api-v2/bulk/contact HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde",
)
PIECES = (
    b"\r\n", b"\n", b"\r", b"\0", b":", b" ", b"\t", b"%", b"%00", b"%2f", b"/", b"//", b"..", b"?", b"&", b"=", b";",
    b"GET", b"POST", b"PUT", b"OPTIONS", b"CONNECT", b"PRI * HTTP/2.0", b"HTTP/1.1", b"HTTP/0.9", b"HTTP/9.9",
    b"Content-Length: -1\r\n", b"Content-Length: 5, 5\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    b"ffffffff\r\n", b"0\r\n\r\n", b"-1\r\n", b"5;ext=1\r\n", b"Host: \xff\xfe\r\n", b"X: " + b"a" * 70_000 + b"\r\n",
    b"X: y\r\n" * 200, b"\xff\xfe", b"\xc3", b"\xe2\x80\xa8", b"--B\r\n", b"--B--", b"Expect: 100-continue\r\n",
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A standalone server; none of its descriptors and threads is left when it has ended."""
    gc.collect()
    before, threads = descriptors(), set(threading.enumerate())
    emulator = build(Settings(job="CREATED COMPLETE"))
    limits = Limits(body_timeout=1.0, linger=0.2)
    with Server(FakeServerApp(emulator, ControlApi(emulator)), limits=limits) as running:
        yield running
    emulator.close()
    gc.collect()
    assert descriptors() <= before
    assert set(threading.enumerate()) <= threads


def descriptors() -> int:
    """How many file descriptors this process has open."""
    return len([*Path("/proc/self/fd").iterdir()]) if Path("/proc/self/fd").is_dir() else 0


def answered(server: Server, pieces: list[bytes]) -> bytes:
    """All that is answered to bytes sent in pieces, until the server closes; it must do so when we have ended."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has closed already
        received = bytearray()
        try:
            while block := client.recv(65536):
                received += block
        except ConnectionResetError:
            pass
        return bytes(received)


class _Replayed:
    """Bytes in the form of a socket, for http.client to read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def check_answer(data: bytes) -> None:
    """The first answer is one that the standard library's client understands."""
    data = data.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if not data:
        return
    response = http.client.HTTPResponse(_Replayed(data))  # type: ignore[arg-type]  # all it needs of a socket
    response.begin()
    assert 200 <= response.status < 600, data[:100]
    assert response.status != 500, data[:1000]


def check_next(server: Server) -> None:
    """The next request is served as ever."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", f"{BASE_PATH}/ping", headers={"Authorization": "Element marketing, User demo"})
    assert connection.getresponse().status == 200
    connection.close()


def hear(server: Server, pieces: list[bytes]) -> None:
    """Send bytes, look at what is answered and at the next call."""
    with no_errors_logged():
        check_answer(answered(server, pieces))
        check_next(server)
    TRIED["raw bytes on a socket"] += 1


@given(st.binary(max_size=2000))
@tries(40)
def test_any_bytes(server: Server, data: bytes) -> None:
    hear(server, [data])


@given(st.lists(st.sampled_from([*PIECES, *REQUESTS]), min_size=1, max_size=12))
@tries(80)
def test_pieces_of_http_in_any_order(server: Server, pieces: list[bytes]) -> None:
    hear(server, pieces)


@st.composite
def spoilt(draw: st.DrawFn) -> list[bytes]:
    """Requests with some bytes lost, doubled or replaced, cut into pieces anywhere."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(("drop", "double", "replace", "insert", "cut")))
        if kind == "drop":
            del data[at : at + draw(st.integers(1, 20))]
        elif kind == "double":
            data[at:at] = data[at : at + 30]
        elif kind == "replace":
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "insert":
            data[at:at] = draw(st.sampled_from(PIECES))
        else:
            del data[at:]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=5)))
    return [bytes(data[start:end]) for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(spoilt())
@tries(120)
def test_requests_with_accidents(server: Server, pieces: list[bytes]) -> None:
    hear(server, pieces)


@pytest.mark.skipif(not LONG, reason="a long wait")
def test_memory_stays_flat(server: Server) -> None:
    """After ten thousand spoilt requests the process is as large as after the first hundred."""
    resource = pytest.importorskip("resource")

    def send(count: int) -> int:
        for number in range(count):
            answered(server, [REQUESTS[number % len(REQUESTS)][: 20 + number % 300]])
        gc.collect()
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    before = send(300)
    assert send(10_000) - before < 8 * 1024  # KiB
