"""Bodies larger than memory should hold, in both directions, at the pace of the other side."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import http.client
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import requests

from pytest_ocbulk.emulator.messages import SPOOL_BYTES, Delivery, Request, Response
from pytest_ocbulk.http1.connection import Connection
from pytest_ocbulk.http1.reader import Reader
from pytest_ocbulk.http1.sender import Sender

from ..patience import PATIENCE
from .plain_app import answer, connected, get, read_to_end, say, serving, text

BLOCK = b"x" * 65536


class Counted:
    """An endless body that knows how far it was read and when it was closed."""

    def __init__(self, blocks: int) -> None:
        self.pulled = 0
        self.closed = threading.Event()
        self._blocks = blocks

    def body(self) -> Iterator[bytes]:
        try:
            while self.pulled < self._blocks:
                self.pulled += 1
                yield BLOCK
        finally:
            self.closed.set()


def digest(request: Request) -> Response:
    found = hashlib.file_digest(request.body, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed asks for more
    return text(f"{request.size} {found} {threading.current_thread().name}")


@pytest.mark.parametrize("size", [SPOOL_BYTES, SPOOL_BYTES + 1, 20_000_003])
def test_every_byte_of_a_large_body_arrives(size: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    body = body[:size]
    with serving(digest) as server:
        said = requests.post(server.url, body, timeout=PATIENCE).text
    where = "ocbulk-worker" if size > SPOOL_BYTES else "ocbulk-server"
    assert said == f"{size} {hashlib.sha256(body).hexdigest()} {where}"


def test_every_byte_of_a_large_answer_arrives() -> None:
    def numbered() -> Iterator[bytes]:
        for number in range(300_000):
            yield b"%d\n" % number

    expected = b"".join(numbered())
    with serving(lambda request: Response(200, {}, numbered() if request.segments else expected)) as server:
        assert httpx.get(server.url + "/iterator", timeout=PATIENCE).content == expected
        assert httpx.get(server.url, timeout=PATIENCE).content == expected
        assert read_to_end_of_1_0(server.host, server.port) == expected


def read_to_end_of_1_0(host: str, port: int) -> bytes:
    with socket.create_connection((host, port), timeout=PATIENCE) as client:
        client.sendall(b"GET /iterator HTTP/1.0\r\n\r\n")
        return read_to_end(client).partition(b"\r\n\r\n")[2]


def test_a_slow_reader_does_not_pull_the_answer_ahead() -> None:
    counted = Counted(blocks=4000)

    def handler(request: Request) -> Response:
        return Response(200, {}, counted.body()) if request.segments else text(str(counted.pulled))

    with serving(handler) as server, connected(server) as slow:
        slow.sendall(get("/stream"))
        other = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        # The stream moves with each turn of the loop, and each of these exchanges takes at least one turn.
        seen: list[int] = []
        while len(seen) < 30 or seen[-1] != seen[-30]:
            other.request("GET", "/")
            seen.append(int(other.getresponse().read()))
        other.close()
        assert 0 < seen[-1] * len(BLOCK) < 32_000_000  # the buffers of the two sockets

        total = 0
        while total < 4000 * len(BLOCK):
            part = slow.recv(1_000_000)
            assert part
            total += len(part)
        assert counted.closed.wait(PATIENCE)
        assert counted.pulled == 4000


def test_a_client_that_asks_much_and_reads_nothing_is_not_answered_ahead() -> None:
    asked = 0

    def handler(request: Request) -> Response:
        nonlocal asked
        asked += bool(request.segments)
        return text("x" * 60_000 if request.segments else str(asked))

    with serving(handler) as server, connected(server) as slow:
        other = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        other.request("GET", "/")
        other.getresponse().read()
        slow.sendall(get("/much") * 2000)
        seen: list[int] = []
        while len(seen) < 30 or seen[-1] != seen[-30]:
            other.request("GET", "/")
            seen.append(int(other.getresponse().read()))
        other.close()
    assert 0 < seen[-1] < 1000


@pytest.mark.parametrize("rude", [True, False], ids=["reset", "closed"])
def test_a_stream_is_closed_when_its_reader_leaves(rude: bool) -> None:
    counted = Counted(blocks=1_000_000)
    with serving(lambda _: Response(200, {}, counted.body())) as server:
        with connected(server) as client:
            client.sendall(get())
            assert client.recv(100)
            if rude:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert counted.closed.wait(PATIENCE)
    assert counted.pulled < 1_000_000


def test_a_stream_is_closed_when_its_reader_leaves_before_it_begins() -> None:
    counted = Counted(blocks=10)
    body = counted.body()
    next(body)
    asked = threading.Event()

    def handler(_: Request) -> Response:
        asked.set()
        return Response(200, {}, body, Delivery(delay=10 * PATIENCE))

    with serving(handler) as server:
        with connected(server) as client:
            client.sendall(get())
            assert asked.wait(PATIENCE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert counted.closed.wait(PATIENCE)


def test_a_stream_that_cannot_be_closed_is_logged_and_the_connection_usable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stubborn:
        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            raise StopIteration

        def close(self) -> None:
            raise ZeroDivisionError

    with serving(lambda _: Response(200, {}, Stubborn())) as server:
        session = requests.Session()
        assert session.get(server.url, timeout=PATIENCE).content == b""
        assert session.get(server.url, timeout=PATIENCE).content == b""
        session.close()
    assert "the body of an answer could not be closed" in caplog.text


def test_a_stream_is_closed_when_the_server_stops() -> None:
    counted = Counted(blocks=1_000_000)
    with serving(lambda _: Response(200, {}, counted.body())) as server, connected(server) as client:
        client.sendall(get())
        assert client.recv(100)
        server.stop()
        assert counted.closed.wait(PATIENCE)


def test_the_body_that_head_does_not_want_is_closed() -> None:
    counted = Counted(blocks=10)
    body = counted.body()
    next(body)
    with serving(lambda _: Response(200, {}, body)) as server:
        assert requests.head(server.url, timeout=PATIENCE).headers["Transfer-Encoding"] == "chunked"
        assert counted.closed.wait(PATIENCE)
    assert counted.pulled == 1


def test_others_are_answered_while_one_streams() -> None:
    counted = Counted(blocks=1_000_000)

    def handler(request: Request) -> Response:
        return Response(200, {}, counted.body()) if request.segments else text("prompt")

    with serving(handler) as server, connected(server) as reader:
        reader.sendall(get("/stream"))
        reading = threading.Thread(target=read_until_reset, args=(reader,), daemon=True)
        reading.start()
        assert answer(say(server, get("/", "Connection: close")))[1] == b"prompt"
        assert not counted.closed.is_set()
        server.stop()
        reading.join(PATIENCE)
        assert not reading.is_alive()


def read_until_reset(client: socket.socket) -> None:
    with contextlib.suppress(ConnectionResetError):
        read_to_end(client)


def test_others_are_answered_while_a_large_body_is_worked_on() -> None:
    go_on = threading.Event()

    def handler(request: Request) -> Response:
        if request.size:
            assert go_on.wait(PATIENCE)
            return text("large")
        go_on.set()
        return text("small")

    with serving(handler) as server, connected(server) as uploading:
        uploading.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n"
        )
        uploading.sendall(b"x" * 2_000_000)
        assert answer(say(server, get("/", "Connection: close")))[1] == b"small"
        assert answer(read_to_end(uploading))[1] == b"large"


def test_an_app_may_keep_a_large_body_beyond_the_call() -> None:
    kept: list[Request] = []

    def handler(request: Request) -> Response:
        kept.append(request)
        return text("kept")

    with serving(handler) as server:
        requests.post(server.url, b"x" * 2_000_000, timeout=PATIENCE)
    assert len(kept[0].body.read()) == 2_000_000


def test_a_closed_connection_is_freed_without_the_garbage_collector() -> None:
    def ours() -> list[object]:
        return [each for each in gc.get_objects() if isinstance(each, Connection | Reader | Sender)]

    with serving(lambda _: text("x")) as server:
        gc.collect()
        gc.disable()
        try:
            before = len(ours())  # other tests of this session share a server
            for _ in range(5):
                say(server, get("/", "Connection: close"))
            left = len(ours())
        finally:
            gc.enable()
    assert left - before <= 3  # the last connection may be on its way out


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_the_file_of_a_large_body_goes_with_its_last_reference() -> None:
    with serving(lambda request: text(str(request.size))) as server:
        requests.post(server.url, b"x" * 2_000_000, timeout=PATIENCE)
        gc.collect()
        before = open_files()
        for _ in range(5):
            assert requests.post(server.url, b"x" * 2_000_000, timeout=PATIENCE).text == "2000000"
        say(server, get("/", "Connection: close"))  # what the last exchange held is gone with the next one
        assert open_files() <= before + 1


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


MEASURED = """
import threading
from pytest_ocbulk.emulator.messages import Response
from tests.http1.plain_app import PlainApp
from pytest_ocbulk.server import Server

def handler(request):
    if request.size:
        return Response(200, {}, str(request.size).encode())
    return Response(200, {}, (bytes(65536) for _ in range(3200)))

server = Server(PlainApp(handler))
server.serve_forever(lambda: print(server.port, flush=True))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory in /proc")
def test_200_mb_in_and_out_hold_less_than_20_mb() -> None:
    command = [sys.executable, "-c", MEASURED]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            idle = peak_kilobytes(process.pid)
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
                client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n")
                for _ in range(2000):
                    client.sendall(bytes(100_000))
                assert client.recv(1000).endswith(b"200000000")
                client.sendall(get("/", "Connection: close"))
                received = sum(map(len, iter(lambda: client.recv(1_000_000), b"")))
            assert received > 3200 * 65536
            assert peak_kilobytes(process.pid) - idle < 20_000
        finally:
            process.terminate()


def peak_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
