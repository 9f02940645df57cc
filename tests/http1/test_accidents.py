"""Connections that break, answers that are cut, delayed or stalled: seen by clients that know nothing of us."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable

import aiohttp
import httpx
import pytest
import requests

from pytest_ocbulk.emulator.messages import Delivery, Disconnect, Reception, Request, Response
from pytest_ocbulk.server import Limits

from ..patience import PATIENCE
from .plain_app import (
    answer,
    answers,
    connected,
    get,
    read_to_end,
    read_until,
    refused,
    request,
    say,
    serving,
    text,
)

SECONDS = 0.05
"""How long an accident lasts in these tests."""


def cut(after: int, body: bytes = b"0123456789") -> Callable[[Request], Response]:
    return lambda _: Response(200, {}, body, Delivery(truncate_after=after))


def reset(_: Request) -> Disconnect:
    return Disconnect()


def test_a_reset_is_a_reset_to_http_client() -> None:
    with serving(reset) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        connection.request("GET", "/")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()


def test_a_reset_is_a_reset_to_requests() -> None:
    with serving(reset) as server, pytest.raises(requests.ConnectionError) as caught:
        requests.get(server.url, timeout=PATIENCE)
    assert "ConnectionResetError" in repr(caught.value)


def test_a_reset_is_a_reset_to_httpx() -> None:
    with serving(reset) as server, pytest.raises(httpx.ReadError):
        httpx.get(server.url, timeout=PATIENCE)


def test_a_reset_is_a_reset_to_aiohttp() -> None:
    async def ask(url: str) -> None:
        async with aiohttp.ClientSession() as session, session.post(url, data=b"once"):
            pass

    with serving(reset) as server, pytest.raises(aiohttp.ClientOSError) as caught:
        asyncio.run(ask(server.url))
    assert caught.value.errno == errno.ECONNRESET


def test_a_reset_may_come_late() -> None:
    with serving(lambda _: Disconnect(delay=SECONDS)) as server, connected(server) as client:
        began = time.monotonic()
        client.sendall(get())
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert time.monotonic() - began >= SECONDS


def test_a_cut_answer_promises_all_and_gives_a_part() -> None:
    with serving(cut(4)) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        connection.request("GET", "/")
        found = connection.getresponse()
        assert found.headers["Content-Length"] == "10"
        with pytest.raises(http.client.IncompleteRead) as caught:
            found.read()
        assert (caught.value.partial, caught.value.expected) == (b"0123", 6)
        connection.close()


def test_an_answer_can_be_cut_before_its_first_byte() -> None:
    with serving(cut(0)) as server:
        heard = say(server, get())
    assert heard.endswith(b"Content-Length: 10\r\n\r\n")


def test_a_large_answer_is_cut_at_the_byte() -> None:
    with serving(cut(700_001, body=b"x" * 1_000_000)) as server:
        heard = say(server, get())
    assert len(heard.partition(b"\r\n\r\n")[2]) == 700_001


def test_a_cut_stream_breaks_off_without_its_last_chunk() -> None:
    def handler(_: Request) -> Response:
        return Response(200, {}, iter([b"01234", b"56789"]), Delivery(truncate_after=7))

    with serving(handler) as server:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(server.url, timeout=PATIENCE)
        assert say(server, get()).endswith(b"\r\n7\r\n0123456\r\n")


def test_a_stream_that_fails_is_reset(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> object:
        yield b"first"
        raise ZeroDivisionError

    def handler(_: Request) -> Response:
        return Response(200, {}, broken())  # type: ignore[arg-type]

    with serving(handler) as server, connected(server) as client:
        client.sendall(get())
        with pytest.raises(ConnectionResetError):
            read_to_end(client)
    assert "the body of an answer broke off" in caplog.text


@pytest.mark.parametrize("body", ["bytes", "iterator"])
def test_a_stalled_answer_stops_in_the_middle_and_then_goes_on(body: str) -> None:
    def handler(_: Request) -> Response:
        content = b"0123456789" if body == "bytes" else iter([b"01234", b"56789"])
        return Response(200, {}, content, Delivery(stall_after=3, stall=SECONDS))

    with serving(handler) as server:
        began = time.monotonic()
        found = requests.get(server.url, stream=True, timeout=PATIENCE)
        assert found.raw.read(3) == b"012"
        assert found.raw.read() == b"3456789"
        assert time.monotonic() - began >= SECONDS


def test_a_client_that_is_less_patient_than_the_stall_gives_up() -> None:
    delivery = Delivery(stall_after=3, stall=10 * PATIENCE)
    with serving(lambda _: Response(200, {}, b"0123456789", delivery)) as server, connected(server) as client:
        client.sendall(get())
        read_until(client, b"\r\n\r\n012")
        client.settimeout(SECONDS)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_delayed_answer_comes_late_and_whole() -> None:
    with serving(lambda _: text("x").delivered(Delivery(delay=SECONDS))) as server:
        began = time.monotonic()
        assert requests.get(server.url, timeout=PATIENCE).text == "x"
        assert time.monotonic() - began >= SECONDS


def test_a_client_that_is_less_patient_than_the_delay_gives_up() -> None:
    late = text("x").delivered(Delivery(delay=10 * PATIENCE))
    with serving(lambda _: late) as server, pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(server.url, timeout=(PATIENCE, SECONDS))


def test_others_are_answered_while_one_waits() -> None:
    def handler(request: Request) -> Response:
        return (
            text("late").delivered(Delivery(delay=10 * PATIENCE))
            if request.path == "/late"
            else text("prompt")
        )

    with serving(handler) as server, connected(server) as waiting:
        waiting.sendall(get("/late"))
        assert answer(say(server, get("/", "Connection: close")))[1] == b"prompt"


def test_a_connection_is_usable_after_a_stall_and_a_delay() -> None:
    def handler(request: Request) -> Response:
        return text("0123").delivered(Delivery(delay=0.01, stall_after=2, stall=0.01))

    with serving(handler) as server:
        heard = answers(say(server, get() + get() + get("/", "Connection: close")))
    assert [body for _, body in heard] == [b"0123"] * 3


def size(request: Request) -> Response:
    return text(f"{request.size} bytes")


def post(length: int, *lines: str) -> bytes:
    return request("POST", "/", f"Content-Length: {length}", "Connection: close", *lines, body=b"x" * length)


@pytest.mark.parametrize("after", [0, 5, 100_000])
def test_the_connection_is_reset_while_the_body_is_received(after: int) -> None:
    with serving(size, Reception(reset_after=after)) as server, connected(server) as client:
        client.sendall(request("POST", "/", "Content-Length: 1000000") + b"x" * after)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_body_that_ends_before_the_reset_is_answered() -> None:
    with serving(size, Reception(reset_after=11)) as server:
        assert answer(say(server, post(10)))[1] == b"10 bytes"


def test_reading_pauses_in_the_middle_of_a_body() -> None:
    with serving(size, Reception(stall_after=5, stall=SECONDS)) as server:
        began = time.monotonic()
        assert answer(say(server, post(10)))[1] == b"10 bytes"
        assert time.monotonic() - began >= SECONDS


def test_a_body_that_ends_before_the_pause_is_answered_at_once() -> None:
    with serving(size, Reception(stall_after=11, stall=10 * PATIENCE)) as server:
        assert answer(say(server, post(10)))[1] == b"10 bytes"


def test_a_body_is_read_as_slowly_as_wished() -> None:
    with serving(size, Reception(bytes_per_second=2_000_000)) as server:
        began = time.monotonic()
        assert answer(say(server, post(200_000)))[1] == b"200000 bytes"
        assert time.monotonic() - began >= 0.1


def test_a_request_without_a_body_is_not_asked_about() -> None:
    with serving(size, Reception(reset_after=0)) as server:
        assert answer(say(server, get("/", "Connection: close")))[1] == b"0 bytes"


def test_a_body_larger_than_the_limit_is_refused_before_it_is_sent() -> None:
    with serving(size, Reception(limit=10)) as server:
        heard = say(server, request("POST", "/", "Content-Length: 6000000000", "Expect: 100-continue"))
    assert refused(heard) == (413, "The body is larger than the 10 bytes accepted here.")


def test_a_body_in_chunks_is_refused_when_it_has_become_too_large() -> None:
    with serving(size, Reception(limit=10)) as server, connected(server) as client:
        client.sendall(request("POST", "/", "Transfer-Encoding: chunked", body=b"b\r\n01234567890\r\n"))
        assert refused(read_to_end(client)) == (413, "The body is larger than the 10 bytes accepted here.")


def test_a_body_of_exactly_the_limit_is_accepted() -> None:
    with serving(size, Reception(limit=10)) as server:
        assert answer(say(server, post(10)))[1] == b"10 bytes"


def test_requests_reads_the_refusal_although_it_has_not_sent_all() -> None:
    with serving(size, Reception(limit=10)) as server:
        found = requests.post(server.url, b"x" * 5_000_000, timeout=PATIENCE)
    assert found.status_code == 413


def test_what_comes_behind_a_refused_body_is_not_answered() -> None:
    asked: list[str] = []

    def handler(request: Request) -> Response:
        asked.append(request.path)
        return text("x")

    with serving(handler, Reception(limit=3)) as server:
        heard = say(server, request("POST", "/", "Content-Length: 4", body=b"long") + get("/next"))
    assert refused(heard)[0] == 413
    assert asked == []


def test_a_client_that_leaves_before_its_reset_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    asked = threading.Event()

    def handler(request: Request) -> Response | Disconnect:
        asked.set()
        return (
            text("later").delivered(Delivery(delay=2 * SECONDS)) if request.segments else Disconnect(SECONDS)
        )

    with serving(handler) as server:
        with connected(server) as client:
            client.sendall(get())
            assert asked.wait(PATIENCE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        say(server, get("/later", "Connection: close"))  # the time of the reset has come and gone
    assert caplog.text == ""


def test_an_answer_may_take_longer_than_a_connection_may_be_idle() -> None:
    def handler(request: Request) -> Response:
        return text("late").delivered(Delivery(delay=1.3)) if request.size else text("prompt")

    limits = Limits(idle_timeout=1.0, body_timeout=1.0)
    slow = Reception(stall_after=1, stall=1.3)
    with serving(handler, slow, limits) as server, connected(server) as client:
        client.sendall(request("POST", "/", "Content-Length: 4", body=b"body"))
        heard = read_until(client, b"late")
        client.sendall(get("/", "Connection: close"))  # the connection is as good as before
        heard += read_to_end(client)
    assert [(found.status, body) for found, body in answers(heard)] == [(200, b"late"), (200, b"prompt")]


@pytest.mark.parametrize("flood", ["body", "requests"])
def test_a_client_is_not_read_while_its_bytes_could_not_be_used(flood: str) -> None:
    slow = Reception(stall_after=1, stall=10 * PATIENCE)
    with serving(lambda _: Disconnect(10 * PATIENCE), slow) as server, connected(server) as client:
        client.sendall(request("POST", "/", "Content-Length: 1000000000") if flood == "body" else get())
        client.settimeout(1.0)
        block, sent = b"x" * 65536 if flood == "body" else get() * 2000, 0
        with contextlib.suppress(TimeoutError):
            while sent < 50_000_000:
                sent += client.send(block)
    assert sent < 20_000_000  # the buffers of the two sockets
