"""The doors for other clients: the ASGI application, asked by httpx and by hand, and the httpx transport."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from pytest_ocbulk import OcBulk, OcBulkError, latency
from pytest_ocbulk.asgi import Message

CSV = b"C_EmailAddress,C_FirstName\nann@example.com,Ann\n"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + CSV + b"\r\n--b--\r\n"
)


def scope(handle: OcBulk, path: str, method: str = "GET", **more: Any) -> Message:
    headers = [(name.lower().encode(), value.encode()) for name, value in handle.headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b"", **more}


def ask(handle: OcBulk, scope: Message, *messages: Message) -> list[Message]:
    """Run the application on what a host would hand it; what it sends."""
    arriving, sent = iter([*messages, {"type": "http.request"}]), []

    async def receive() -> Message:
        return next(arriving)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(handle.asgi(scope, receive, send))
    return sent


def test_an_asgi_client_uploads_and_looks(ocbulk: OcBulk) -> None:
    async def main() -> None:
        transport = httpx.ASGITransport(ocbulk.asgi)
        async with httpx.AsyncClient(transport=transport, headers=ocbulk.headers) as client:
            job = (await client.post(f"{ocbulk.base_url}/bulk/contact", files={"file": CSV})).json()
            status = (await client.get(f"{ocbulk.base_url}/bulk/{job['id']}/status")).json()
            assert status["status"] == "COMPLETE"

    asyncio.run(main())
    ocbulk.assert_uploaded(
        "contact", [{"C_EmailAddress": "ann@example.com", "C_FirstName": "Ann"}], key="C_EmailAddress"
    )


def test_a_body_comes_in_pieces(ocbulk: OcBulk) -> None:
    asked = scope(ocbulk, "/elements/api-v2/bulk/contact", "POST")
    asked["headers"].append((b"content-type", b"multipart/form-data; boundary=b"))
    sent = ask(
        ocbulk,
        asked,
        {"type": "http.request", "body": FORM[:30], "more_body": True},
        {"type": "http.request", "body": FORM[30:], "more_body": False},
    )
    assert sent[0]["status"] == 200
    assert ocbulk.jobs[0].id == "1234"


def test_a_client_that_goes_away_while_it_sends_is_not_answered(ocbulk: OcBulk) -> None:
    asked = scope(ocbulk, "/elements/api-v2/bulk/contact", "POST")
    sent = ask(
        ocbulk,
        asked,
        {"type": "http.request", "body": FORM[:30], "more_body": True},
        {"type": "http.disconnect"},
    )
    assert sent == []
    assert len(ocbulk.jobs) == 0


@pytest.mark.parametrize(
    ("path", "raw_path"),
    [
        ("/elements/api-v2/contact/a/b c", b"/elements/api-v2/contact/a%2Fb%20c"),
        ("/elements/api-v2/contact/a/b c", b"/elements/api-v2/contact/a%2Fb%20c?not=here"),
    ],
)
def test_the_path_is_taken_as_it_was_sent(ocbulk: OcBulk, path: str, raw_path: bytes) -> None:
    sent = ask(ocbulk, scope(ocbulk, path, raw_path=raw_path, query_string=b"fields=id"))
    assert b"No contact found with id a/b c" in sent[1]["body"]


def test_a_host_without_raw_paths_will_do(ocbulk: OcBulk) -> None:
    sent = ask(ocbulk, scope(ocbulk, "/elements/api-v2/objects", query_string=b"x=1"))
    assert sent[0]["status"] == 200


def test_an_answer_goes_out_in_pieces(ocbulk: OcBulk) -> None:
    ocbulk.seed("account", [{"name": f"company {number}"} for number in range(5000)])
    ask(
        ocbulk,
        scope(ocbulk, "/elements/api-v2/bulk/query", "POST", query_string=b"q=select+name+from+account"),
    )
    ocbulk.jobs[0].finish()
    asked = scope(ocbulk, "/elements/api-v2/bulk/1234/account")
    asked["headers"].append((b"accept", b"text/csv"))
    sent = ask(ocbulk, asked)
    assert [message["type"] for message in sent[:2]] == ["http.response.start", "http.response.body"]
    assert len(sent) > 3
    assert sent[-1] == {"type": "http.response.body", "body": b""}
    assert b"".join(message.get("body", b"") for message in sent[1:]).count(b"\n") == 5001


def test_headers_go_out_in_lower_case(ocbulk: OcBulk) -> None:
    sent = ask(ocbulk, scope(ocbulk, "/elements/api-v2/objects"))
    assert (b"content-type", b"application/json;charset=UTF-8") in sent[0]["headers"]


def test_repeated_headers_are_joined(ocbulk: OcBulk) -> None:
    asked = scope(ocbulk, "/elements/api-v2/objects")
    asked["headers"] += [(b"X-Note", b"one"), (b"x-note", b"two")]
    ask(ocbulk, asked)
    ocbulk.assert_called("objects", headers={"X-Note": "one, two"})


def test_lifespan_is_answered(ocbulk: OcBulk) -> None:
    sent = ask(ocbulk, {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]


def test_a_websocket_is_refused(ocbulk: OcBulk) -> None:
    with pytest.raises(NotImplementedError, match="the fake speaks http, not websocket"):
        ask(ocbulk, {"type": "websocket"})


# -- httpx ------------------------------------------------------------------------------------------------


def test_a_sync_httpx_client_uploads_and_looks(ocbulk: OcBulk) -> None:
    with httpx.Client(transport=ocbulk.httpx_transport(), headers=ocbulk.headers) as client:
        job = client.post(f"{ocbulk.base_url}/bulk/contact", files={"file": CSV}).json()
        assert client.get(f"{ocbulk.base_url}/bulk/{job['id']}/status").json()["status"] == "COMPLETE"
    assert ocbulk.records("contact")[0]["C_FirstName"] == "Ann"


def test_a_sync_body_may_be_an_iterator(ocbulk: OcBulk) -> None:
    def pieces() -> Iterator[bytes]:
        yield FORM[:30]
        yield FORM[30:]

    headers = {**ocbulk.headers, "Content-Type": "multipart/form-data; boundary=b"}
    with httpx.Client(transport=ocbulk.httpx_transport(), headers=headers) as client:
        assert client.post(f"{ocbulk.base_url}/bulk/contact", content=pieces()).status_code == 200


def test_an_async_body_may_be_an_iterator(ocbulk: OcBulk) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield FORM[:30]
        yield FORM[30:]

    async def main() -> int:
        headers = {**ocbulk.headers, "Content-Type": "multipart/form-data; boundary=b"}
        async with httpx.AsyncClient(transport=ocbulk.httpx_transport(), headers=headers) as client:
            return (await client.post(f"{ocbulk.base_url}/bulk/contact", content=pieces())).status_code

    assert asyncio.run(main()) == 200


def test_httpx_streams_an_answer(ocbulk: OcBulk) -> None:
    ocbulk.seed("account", [{"name": f"company {number}"} for number in range(5000)])
    headers = {**ocbulk.headers, "Accept": "text/csv"}

    async def lines(url: str) -> int:
        async with (
            httpx.AsyncClient(transport=ocbulk.httpx_transport(), headers=headers) as client,
            client.stream("GET", url) as answer,
        ):
            return len([line async for line in answer.aiter_lines()])

    with httpx.Client(transport=ocbulk.httpx_transport(), headers=headers) as client:
        query = {"q": "select name from account"}
        client.post(f"{ocbulk.base_url}/bulk/query", params=query, headers={"Accept": "*/*"})
        ocbulk.jobs[0].finish()
        with client.stream("GET", f"{ocbulk.base_url}/bulk/1234/account") as answer:
            assert len(list(answer.iter_lines())) == 5001
    assert asyncio.run(lines(f"{ocbulk.base_url}/bulk/1234/account")) == 5001


def test_httpx_sees_a_late_answer_as_its_own_timeout(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("objects", latency("3s"))
    client = httpx.Client(transport=ocbulk.httpx_transport(), headers=ocbulk.headers, timeout=2)
    with client, pytest.raises(httpx.ReadTimeout, match="The read operation timed out"):
        client.get(f"{ocbulk.base_url}/objects")
    assert ocbulk.clock.elapsed == 2


def test_httpx_reaches_no_other_host(ocbulk: OcBulk) -> None:
    with (
        httpx.Client(transport=ocbulk.httpx_transport()) as client,
        pytest.raises(httpx.ConnectError) as refused,
    ):
        client.get("https://elsewhere.test/")
    assert str(refused.value) == (
        "https://elsewhere.test/ is not an address of the fake; call it at a base URL of the service"
    )


def test_httpx_is_told_that_the_service_speaks_https_only(ocbulk: OcBulk) -> None:
    with (
        httpx.Client(transport=ocbulk.httpx_transport()) as client,
        pytest.raises(httpx.ConnectError) as refused,
    ):
        client.get("http://api.cloud-elements.com/elements/api-v2/objects")
    assert str(refused.value) == (
        "http://api.cloud-elements.com/elements/api-v2/objects: the service speaks https only; use https://"
    )


def test_without_httpx_the_command_that_installs_it_is_told(
    ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pytest_ocbulk.httpx_transport", raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(OcBulkError) as refused:
        ocbulk.httpx_transport()
    assert str(refused.value) == (
        "httpx_transport() needs httpx, which is not installed; "
        "run: python -m pip install 'pytest-ocbulk[httpx]'"
    )


def test_the_app_shows_whose_it_is(ocbulk: OcBulk) -> None:
    assert repr(ocbulk.asgi) == "<AsgiApp of the fake: marketing>"
