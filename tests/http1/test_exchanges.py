"""Requests and answers as HTTP/1.1 and 1.0 mean them, over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from itertools import pairwise

import aiohttp
import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.messages import Delivery, Disconnect, Request, Response
from pytest_ocbulk.server import Server

from ..patience import PATIENCE
from .plain_app import (
    answer,
    answers,
    connected,
    echo,
    get,
    read_to_end,
    read_until,
    refused,
    request,
    say,
    serving,
    text,
)

CLOSE = "Connection: close"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(echo) as server:
        yield server


def with_http_client(url: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("POST", "/a%2Fb/c?x=1&y=", body, {"X-Name": "Zoë"})
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def with_requests(url: str, body: bytes) -> tuple[int, bytes]:
    answer = requests.post(
        f"{url}/a%2Fb/c?x=1&y=", body, headers={"X-Name": "Zoë".encode("latin-1")}, timeout=PATIENCE
    )
    return answer.status_code, answer.content


def with_httpx(url: str, body: bytes) -> tuple[int, bytes]:
    headers = {"X-Name": "Zoë".encode("latin-1")}
    answer = httpx.post(f"{url}/a%2Fb/c?x=1&y=", content=body, headers=headers, timeout=PATIENCE)  # type: ignore[arg-type]  # httpx takes bytes
    return answer.status_code, answer.content


def with_aiohttp(url: str, body: bytes) -> tuple[int, bytes]:
    async def post() -> tuple[int, bytes]:
        from yarl import URL

        target = URL(f"{url}/a%2Fb/c?x=1&y=", encoded=True)
        async with aiohttp.ClientSession() as session, session.post(target, data=io.BytesIO(body)) as answer:
            return answer.status, await answer.read()

    return asyncio.run(post())


def with_curl(url: str, body: bytes) -> tuple[int, bytes]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["curl", "-sS", "--data-binary", "@-", "-H", "Content-Type:", f"{url}/a%2Fb/c?x=1&y="]
    done = subprocess.run(command, input=body, capture_output=True, check=True, timeout=PATIENCE)
    return 200, done.stdout


@pytest.mark.parametrize("post", [with_http_client, with_requests, with_httpx, with_aiohttp, with_curl])
@pytest.mark.parametrize("size", [0, 11, 3_000_000], ids=["no body", "small body", "body in a file"])
def test_every_client_is_understood_and_understands(post, size, server) -> None:  # type: ignore[no-untyped-def]
    status, body = post(server.url, b"x" * size)

    said = json.loads(body)
    assert status == 200
    assert (said["method"], said["path"], said["query"]) == ("POST", "/a/b/c", {"x": "1", "y": ""})
    assert said["size"] == size
    assert said["body"] == "x" * min(size, 1000)


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
    connection.connect()
    address = connection.sock.getsockname()
    for number in range(3):
        connection.request("GET", f"/{number}")
        assert json.loads(connection.getresponse().read())["path"] == f"/{number}"
        assert connection.sock.getsockname() == address
    connection.close()


def test_a_connection_is_closed_when_the_client_asks_for_it(server: Server) -> None:
    found, _ = answer(say(server, get("/", CLOSE)))
    assert found.headers["Connection"] == "close"


def test_what_follows_a_request_that_closes_is_not_answered(server: Server) -> None:
    assert len(answers(say(server, get("/1", CLOSE) + get("/2")))) == 1


def test_requests_sent_in_one_go_are_answered_in_order(server: Server) -> None:
    many = b"".join(get(f"/{number}") for number in range(500))
    heard = answers(say(server, many + get("/last", CLOSE)))
    assert [json.loads(body)["path"] for _, body in heard] == [*(f"/{n}" for n in range(500)), "/last"]


def test_requests_sent_in_one_go_wait_for_a_slow_answer_before_them() -> None:
    def handler(request: Request) -> Response:
        if request.path == "/slow":
            return Response(200, {}, iter([b"a", b"b"]))
        return text(request.path) if request.size == 0 else text(f"{request.size} bytes")

    large = request("POST", "/large", f"Content-Length: {2_000_000}", body=b"x" * 2_000_000)
    with serving(handler) as server:
        heard = answers(say(server, get("/slow") + get("/quick") + large + get("/last", CLOSE)))

    assert [body for _, body in heard] == [b"ab", b"/quick", b"2000000 bytes", b"/last"]


@given(cuts=st.lists(st.integers(0, 230), max_size=6))
def test_it_does_not_matter_how_the_bytes_arrive(server: Server, cuts: list[int]) -> None:
    chunks = b"3\r\nabc\r\n2;why=not\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n"
    told = request("POST", "/one", "Content-Length: 5", body=b"first") + request(
        "POST", "/two", "Transfer-Encoding: chunked", body=chunks
    )
    told += get("/three", CLOSE)
    places = [0, *sorted(min(cut, len(told)) for cut in cuts), len(told)]
    parts = [told[start:end] for start, end in pairwise(places)]

    heard = [json.loads(body) for _, body in answers(say(server, *parts))]

    assert [(said["path"], said["body"]) for said in heard] == [
        ("/one", "first"),
        ("/two", "abcde"),
        ("/three", ""),
    ]


def test_a_trailer_does_not_become_a_header_of_the_next_request(server: Server) -> None:
    told = request("POST", "/", "Transfer-Encoding: chunked", body=b"0\r\nAuthorization: mine\r\n\r\n")
    heard = answers(say(server, told + get("/", CLOSE)))
    assert ["authorization" in json.loads(body)["headers"] for _, body in heard] == [False, False]


def test_a_body_may_come_in_chunks(server: Server) -> None:
    said = requests.post(server.url, data=iter([b"one ", b"two"]), timeout=PATIENCE).json()
    assert (said["body"], said["headers"]["transfer-encoding"]) == ("one two", "chunked")


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(server: Server) -> None:
    with connected(server) as client:
        client.sendall(request("POST", "/", "Content-Length: 4", "Expect: 100-continue", CLOSE))
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert json.loads(answer(read_to_end(client))[1])["body"] == "body"


EXPECT = "Expect: 100-continue"


@pytest.mark.parametrize(
    "parts",
    [
        [request("POST", "/", "Content-Length: 4", EXPECT, CLOSE, body=b"body")],
        [request("POST", "/", "Content-Length: 4", EXPECT, CLOSE, body=b"bo"), b"dy"],
        [request("POST", "/", "Transfer-Encoding: chunked", EXPECT, CLOSE, body=b"0\r\n\r\n")],
        [b"POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", b"body"],
        [request("POST", "/", "Content-Length: 4", "Expect: something", CLOSE), b"body"],
    ],
    ids=["all of it", "a part of it", "an empty one", "HTTP/1.0", "another expectation"],
)
def test_a_client_that_does_not_wait_for_it_is_not_told_to_go_on(server: Server, parts: list[bytes]) -> None:
    with connected(server) as client:
        for part in parts:
            client.sendall(part)
            say(server, get("/", CLOSE))  # meanwhile the part has been read
        assert read_to_end(client).startswith(b"HTTP/1.1 200 OK\r\n")


def test_100_continue_waits_for_the_answer_before_it() -> None:
    def handler(request: Request) -> Response:
        return Response(200, {}, iter([b"slow"])) if request.path == "/slow" else text("done")

    with serving(handler) as server, connected(server) as client:
        expecting = request("POST", "/", "Content-Length: 4", "Expect: 100-continue", CLOSE)
        client.sendall(get("/slow") + expecting)
        heard = read_until(client, b"100 Continue\r\n\r\n")
        client.sendall(b"body")
        rest = read_to_end(client)

    first = heard.removesuffix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer(first)[1] == b"slow"
    assert answer(rest)[1] == b"done"


def test_the_answer_to_head_has_the_headers_of_get_and_no_body(server: Server) -> None:
    plain, body = answer(say(server, get("/", CLOSE)))
    head, nothing = answer(say(server, request("HEAD", "/", CLOSE)), method="HEAD")
    assert nothing == b""
    assert int(head.headers["Content-Length"]) == len(body) + len("HEAD") - len("GET")
    assert head.headers["Content-Type"] == plain.headers["Content-Type"]


def test_an_app_may_leave_out_the_body_of_head_by_itself() -> None:
    def handler(request: Request) -> Response:
        return Response(200, {"Content-Length": "17"}, b"" if request.method == "HEAD" else b"x" * 17)

    with serving(handler) as server:
        head, _ = answer(say(server, request("HEAD", "/", CLOSE)), method="HEAD")
    assert head.headers["Content-Length"] == "17"


def test_an_iterator_reaches_http_1_1_in_chunks() -> None:
    with serving(lambda _: Response(200, {}, iter([b"a,b\n", b"", b"1,2\n"]))) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        for _ in range(2):
            connection.request("GET", "/")
            found = connection.getresponse()
            assert found.headers["Transfer-Encoding"] == "chunked"
            assert found.read() == b"a,b\n1,2\n"
        connection.close()


@pytest.mark.parametrize("body", [b"bytes", iter([b"by", b"tes"])], ids=["bytes", "iterator"])
def test_http_1_0_is_answered_and_closed(body: bytes | Iterator[bytes]) -> None:
    with serving(lambda _: Response(200, {}, body)) as server:
        found, heard = answer(say(server, b"GET / HTTP/1.0\r\n\r\n"))
    assert heard == b"bytes"
    assert "Transfer-Encoding" not in found.headers
    assert found.headers["Connection"] == "close"


def test_http_1_0_may_ask_to_keep_the_connection(server: Server) -> None:
    keep = b"GET /%d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    heard = answers(say(server, keep % 1 + b"GET /2 HTTP/1.0\r\n\r\n"))
    assert [found.headers["Connection"] for found, _ in heard] == ["keep-alive", "close"]


@pytest.mark.parametrize("delay", [0.0, 0.05], ids=["at once", "late"])
def test_a_client_that_closes_its_half_is_still_answered(delay: float) -> None:
    with serving(lambda _: text("x").delivered(Delivery(delay=delay))) as server, connected(server) as client:
        client.sendall(get() + get())
        client.shutdown(socket.SHUT_WR)
        assert [body for _, body in answers(read_to_end(client))] == [b"x", b"x"]


def test_chunks_in_a_request_of_http_1_0_end_the_connection(server: Server) -> None:
    lines = b"Connection: keep-alive\r\nTransfer-Encoding: chunked"
    heard = say(server, b"POST / HTTP/1.0\r\n%b\r\n\r\n0\r\n\r\n" % lines + get("/smuggled"))
    assert answer(heard)[0].headers["Connection"] == "close"


def test_an_offer_to_speak_http_2_is_declined_and_the_body_kept(server: Server) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
    posted = request("POST", "/java", *offer, "Content-Length: 4", body=b"body")
    heard = [
        json.loads(body) for _, body in answers(say(server, get("/", *offer) + posted + get("/", CLOSE)))
    ]
    assert [(said["path"], said["body"]) for said in heard] == [("/", ""), ("/java", "body"), ("/", "")]


def test_the_path_of_an_absolute_target_is_found(server: Server) -> None:
    assert json.loads(answer(say(server, get("http://fake:1/a/b?c=d", CLOSE)))[1])["path"] == "/a/b"


def test_a_header_given_twice_is_joined(server: Server) -> None:
    said = json.loads(answer(say(server, get("/", "X-A: 1", "x-a: 2", CLOSE)))[1])
    assert said["headers"]["x-a"] == "1, 2"


def test_an_app_that_raises_answers_500_and_the_connection_stays_usable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def handler(request: Request) -> Response:
        if request.path == "/broken":
            raise ZeroDivisionError("secret detail")
        return text("fine")

    with serving(handler) as server:
        heard = answers(say(server, get("/broken") + get("/", CLOSE)))

    assert [found.status for found, _ in heard] == [500, 200]
    said = json.loads(heard[0][1])
    assert said["message"] == "The fake failed while answering this call; its log says why."
    assert said["requestId"] == heard[0][0].headers["elements-request-id"]
    assert b"secret" not in heard[0][1]
    assert "GET /broken could not be answered" in caplog.text
    assert "secret detail" in caplog.text


def test_an_app_that_cannot_receive_answers_500(caplog: pytest.LogCaptureFixture) -> None:
    with serving(echo) as server:
        server._app.receive = None  # type: ignore[method-assign, assignment]  # calling it raises
        heard = say(server, request("POST", "/", "Content-Length: 4", body=b"body"))
    assert refused(heard) == (500, "The fake failed while receiving this call; its log says why.")
    assert "POST / could not be received" in caplog.text


def test_a_line_break_in_a_header_value_cannot_add_a_header() -> None:
    with serving(lambda _: Response(200, {"X-Name": "a\r\nSet-Cookie: b\n\rc\0d"}, b"")) as server:
        found, _ = answer(say(server, get("/", CLOSE)))
    assert found.headers["X-Name"] == "a  Set-Cookie: b  c d"
    assert "Set-Cookie" not in found.headers


def test_who_fails_to_take_a_report_does_not_spoil_the_exchange(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with serving(echo, on_exchange=fail) as server:
        assert answer(say(server, get("/", CLOSE)))[0].status == 200
    assert "an exchange could not be reported" in caplog.text


def test_each_exchange_is_reported_with_the_time_it_took() -> None:
    seen: list[tuple[str, Response | Disconnect, float]] = []
    with serving(
        lambda _: text("x", 201), on_exchange=lambda *each: seen.append((each[0].path, *each[1:]))
    ) as server:
        say(server, get("/a", CLOSE))
        say(server, b"nonsense\r\n\r\n")

    (path, made, seconds), (nowhere, refusal, _) = seen
    assert path == "/a"
    assert isinstance(made, Response)
    assert made.status == 201
    assert 0 <= seconds < PATIENCE
    assert nowhere == "/"
    assert isinstance(refusal, Response)
    assert refusal.status == 400
