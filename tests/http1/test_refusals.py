"""What the server does not take: malformed, ambiguous, too much, too slow. It says so and lives on."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.messages import Request, Response
from pytest_ocbulk.server import Limits, Server

from ..patience import PATIENCE
from .plain_app import answer, connected, echo, get, read_to_end, refused, request, say, serving

QUICK = Limits(body_timeout=0.08, linger=PATIENCE)
"""A request that has begun has to go on; a client that has not begun, or has its refusal to read, may take its time."""
FEW_HEADERS = Limits(max_headers=10, linger=PATIENCE)
SMALL_HEAD = Limits(max_header_bytes=2000, linger=PATIENCE)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(echo, limits=Limits(linger=PATIENCE)) as server:
        yield server


AMBIGUOUS = {
    "length and chunks": ("Content-Length: 3", "Transfer-Encoding: chunked"),
    "chunks and length": ("Transfer-Encoding: chunked", "Content-Length: 3"),
    "two lengths": ("Content-Length: 3", "Content-Length: 4"),
    "the same length twice": ("Content-Length: 3", "Content-Length: 3"),
    "a list of lengths": ("Content-Length: 3, 3",),
    "a length with a sign": ("Content-Length: +3",),
    "a negative length": ("Content-Length: -3",),
    "a length in hex": ("Content-Length: 0x3",),
    "a length too large": ("Content-Length: 99999999999999999999999",),
    "chunks that are not last": ("Transfer-Encoding: chunked, gzip",),
    "an unknown encoding": ("Transfer-Encoding: gzip",),
    "an encoding with a tail": ("Transfer-Encoding: chunkedx",),
    "a blank before the colon": ("Content-Length : 3",),
    "a folded header": ("X-A: 1", " Content-Length: 3"),
    "a NUL in a value": ("X-A: 1\0",),
    "no host": (),
}


@pytest.mark.parametrize("lines", [*list(AMBIGUOUS.values())[:-1]], ids=[*list(AMBIGUOUS)[:-1]])
def test_a_request_that_can_be_read_in_two_ways_is_refused(server: Server, lines: tuple[str, ...]) -> None:
    heard = say(server, request("POST", "/", *lines, body=b"abc" + get("/smuggled")))
    status, message = refused(heard)
    assert status == 400
    assert message.startswith("The request is not valid HTTP/1.1: ")


@pytest.mark.parametrize(
    "told",
    [b"hello\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 100],
    ids=["no request", "bare line feeds", "TLS", "NULs"],
)
def test_what_is_not_http_is_refused(server: Server, told: bytes) -> None:
    assert refused(say(server, told))[0] == 400


def test_a_method_that_nobody_knows_is_named_as_such(server: Server) -> None:
    assert refused(say(server, request("FOO", "/"))) == (
        400,
        "Expected a request that begins with a method of HTTP such as GET, got another word.",
    )


@pytest.mark.parametrize("lines", ["", "Host: a\r\nHost: b\r\n"], ids=["no Host", "two Hosts"])
def test_exactly_one_host_is_needed(server: Server, lines: str) -> None:
    heard = say(server, f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
    assert refused(heard) == (400, "The request needs exactly one Host header.")


@pytest.mark.parametrize(("told", "version"), [(b"GET / HTTP/2.0\r\n\r\n", "2.0"), (b"GET /\r\n\r\n", "0.9")])
def test_other_versions_are_refused_with_the_one_that_is_spoken(
    server: Server, told: bytes, version: str
) -> None:
    assert refused(say(server, told)) == (505, f"HTTP/{version} is not spoken here; use HTTP/1.1.")


def test_a_proxy_is_not_what_this_is(server: Server) -> None:
    heard = say(server, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
    assert refused(heard) == (405, "CONNECT is for proxies; this is not one.")


def test_requests_before_a_malformed_one_are_answered_first(server: Server) -> None:
    heard = say(server, get("/good") + b"nonsense\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard.count(b"HTTP/1.1 400 Bad Request\r\n") == 1


def test_a_broken_chunk_is_refused(server: Server) -> None:
    heard = say(server, request("POST", "/", "Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n"))
    assert refused(heard)[0] == 400


@given(told=st.binary(min_size=1, max_size=300) | st.binary(max_size=80).map(lambda noise: get("/") + noise))
def test_noise_is_answered_or_the_connection_closed_and_the_next_request_works(
    server: Server, told: bytes
) -> None:
    with connected(server) as client:
        client.sendall(told)
        client.shutdown(socket.SHUT_WR)
        heard = read_to_end(client)
    assert not heard or heard.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200 OK", b"HTTP/1.1 505"))
    assert answer(say(server, get("/", "Connection: close")))[0].status == 200


TOO_LONG = (431, "The request head is longer than the 2000 bytes accepted here.")


@pytest.mark.parametrize(
    "told",
    [
        get("/" + "x" * 2000),
        get("/", "X-A: " + "x" * 2000),
        get("/", *(f"X-{number}: {'x' * 300}" for number in range(8))),
        b"GET /" + b"x" * 3000,
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"x" * 3000,
        b"GET / HTTP/1.1\r\nHost: a\r\nX" + b"-x" * 3000,
        b"\r\n" * 2000,
    ],
    ids=[
        "a long target",
        "a long header",
        "many bytes in headers",
        "a target without end",
        "a value without end",
        "a name without end",
        "line ends without end",
    ],
)
def test_a_head_beyond_the_limit_is_refused_and_memory_with_it(told: bytes) -> None:
    with serving(echo, limits=SMALL_HEAD) as server, connected(server) as client:
        for start in range(0, len(told), 500):  # many small parts, as a slow attack would send it
            client.sendall(told[start : start + 500])
        assert refused(read_to_end(client)) == TOO_LONG


@pytest.mark.parametrize("framing", [b"0\r\nX-Trailer: ", b"3;"], ids=["trailer", "extension of a chunk"])
def test_framing_without_end_is_refused(framing: bytes) -> None:
    with serving(echo, limits=SMALL_HEAD) as server, connected(server) as client:
        client.sendall(request("POST", "/", "Transfer-Encoding: chunked", "Expect: 100-continue"))
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(framing + b"x" * 3000)
        assert refused(read_to_end(client)) == TOO_LONG


def test_too_many_headers_are_refused() -> None:
    with serving(echo, limits=FEW_HEADERS) as server:
        heard = say(server, get("/", *(f"X-{number}: 1" for number in range(10))))
        assert refused(heard) == (431, "The request has more than the 10 header lines accepted here.")
        assert (
            answer(say(server, get("/", *(f"X-{n}: 1" for n in range(8)), "Connection: close")))[0].status
            == 200
        )


def test_many_trailers_are_refused() -> None:
    trailers = b"".join(b"X-%d: 1\r\n" % number for number in range(20))
    with serving(echo, limits=FEW_HEADERS) as server:
        heard = say(
            server, request("POST", "/", "Transfer-Encoding: chunked", body=b"0\r\n" + trailers + b"\r\n")
        )
    assert refused(heard)[0] == 431


def test_a_client_that_stops_in_the_middle_of_a_body_is_told_so() -> None:
    with serving(echo, limits=QUICK) as server:
        heard = say(server, request("POST", "/", "Content-Length: 10", body=b"abc"))
    message = "The request did not arrive in full: nothing came for 0.08 s after 3 bytes of the body."
    assert refused(heard) == (408, message)


def test_a_client_that_stops_in_the_middle_of_a_head_is_told_so() -> None:
    with serving(echo, limits=QUICK) as server:
        assert refused(say(server, b"GET / HTTP/1.1\r\nHo"))[0] == 408


def test_a_client_that_sends_its_head_drop_by_drop_is_told_so() -> None:
    with serving(echo, limits=QUICK) as server, connected(server) as client:
        client.settimeout(0.01)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ")
        heard = b""
        patience = time.monotonic() + PATIENCE
        while (
            not heard and time.monotonic() < patience
        ):  # each drop comes in time; the head as a whole does not
            client.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                heard = client.recv(1000)
                assert heard
    assert refused(heard)[0] == 408


@pytest.mark.parametrize("told", [b"", get("/"), b"\r\n"], ids=["never used", "used once", "a line end"])
def test_an_idle_connection_is_closed_without_a_word(told: bytes) -> None:
    with serving(echo, limits=Limits(idle_timeout=1.0 if told else 0.08)) as server:
        heard = say(server, told)
    assert heard.count(b"HTTP/1.1") == (1 if told.startswith(b"GET") else 0)


def test_a_client_that_never_reads_is_left_and_what_it_held_is_freed() -> None:
    freed = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            freed.set()

    limits = Limits(idle_timeout=1.0)
    with (
        serving(lambda _: Response(200, {}, endless()), limits=limits) as server,
        connected(server) as client,
    ):
        client.sendall(get())
        assert freed.wait(PATIENCE)


def test_a_client_that_goes_on_sending_after_a_refusal_is_cut_off() -> None:
    with serving(echo, limits=Limits(linger=0.2)) as server, connected(server) as client:
        client.sendall(b"nonsense\r\n\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_for_ever(client)


def send_for_ever(client: socket.socket) -> None:
    while True:
        client.sendall(b"more")


def test_connections_beyond_the_limit_are_refused() -> None:
    with serving(echo, limits=Limits(max_connections=1)) as server, connected(server) as first:
        first.sendall(get())
        assert first.recv(10_000)
        assert refused(say(server, b"")) == (503, "All 1 connections are in use; close one and try again.")
        first.sendall(get())
        assert first.recv(10_000)


def test_a_connection_that_is_over_makes_room_for_the_next() -> None:
    with serving(echo, limits=Limits(max_connections=1)) as server:
        for _ in range(3):
            assert answer(say(server, get("/", "Connection: close")))[0].status == 200


def test_a_client_that_leaves_before_its_refusal_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    left = threading.Event()

    def leave(request: Request, *_: object) -> None:
        if request.method == "-":
            client.close()
            left.set()

    # The report is made just before the refusal is sent: by then the client has closed its socket.
    with serving(echo, limits=QUICK, on_exchange=leave) as server:
        client = socket.create_connection((server.host, server.port), timeout=PATIENCE)
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert left.wait(PATIENCE)
        assert answer(say(server, get("/", "Connection: close")))[0].status == 200
    assert caplog.text == ""


def test_a_full_disk_is_answered_and_not_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with serving(echo) as server:
        heard = say(server, request("POST", "/", "Content-Length: 2000000", body=b"x" * 2_000_000))
        assert refused(heard) == (500, "The fake failed while receiving this call; its log says why.")
        assert answer(say(server, get("/", "Connection: close")))[0].status == 200
    assert "No space left on device" in caplog.text
