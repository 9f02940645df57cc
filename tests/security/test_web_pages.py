"""A web page must not be able to reset a developer's fake: what a browser would send, sent over a real socket."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from fake_server.app import FakeServerApp
from fake_server.control import ROOT, ControlApi
from fake_server.control_calls import CALLS
from fake_server.settings import Settings, build
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.server import Server

from ..patience import PATIENCE

PAGES = {
    "a name that resolves to this machine (DNS rebinding)": {"Host": "evil.example:8765"},
    "a form": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Content-Type": "application/x-www-form-urlencoded",
    },
    "a script without cors": {"Origin": "https://evil.example", "Content-Type": "text/plain"},
    "a page in a sandbox": {"Origin": "null"},
    "another server of this machine": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    "an image or a link": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    emulator = build(Settings(job="CREATED COMPLETE"))
    with Server(FakeServerApp(emulator, ControlApi(emulator))) as running:
        yield running
    emulator.close()


def call(server: Server, method: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_another_site_may_make_any_control_call(page: str, server: Server) -> None:
    for route in CALLS:
        path = ROOT + route.template.replace("{id}", "1234").replace("{object}", "contact")
        assert call(server, route.method, path, PAGES[page]).status == 403, path


def test_a_tool_may(server: Server) -> None:
    assert call(server, "POST", f"{ROOT}/reset", {}).status == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_browser_is_not_told_that_another_site_may_read_control_answers(page: str, server: Server) -> None:
    for method in ("OPTIONS", "GET"):
        answer = call(server, method, f"{ROOT}/state", PAGES[page])
        assert answer.status in (403, 405)
        assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []


def test_control_answers_are_neither_kept_nor_taken_for_pages(server: Server) -> None:
    answer = call(server, "GET", f"{ROOT}/state", {})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/__ocbulk__/reset",
        "//__ocbulk__/reset",
        "/%5f_ocbulk__/reset",
        "/./__ocbulk__/reset",
        "/__ocbulk__//reset",
        "/__ocbulk__/reset?x=1",
        "/__ocbulk__/reset/",
        "/elements/../__ocbulk__/reset",
    ],
)
def test_no_way_to_write_the_path_goes_round_the_guard(path: str, server: Server) -> None:
    for headers in PAGES.values():
        assert call(server, "POST", path, headers).status in (403, 404)


def test_pages_may_call_the_imitated_api_as_they_may_call_the_service(server: Server) -> None:
    """The vendor answers any origin (protocol.md 2.4); whoever calls needs the instance's secrets there as here."""
    origin = {"Origin": "https://app.example"}
    assert call(server, "GET", f"{BASE_PATH}/objects", origin).status == 401
    known = origin | {"Authorization": "Element sqlserver, User demo"}
    answer = call(server, "GET", f"{BASE_PATH}/objects", known)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Access-Control-Allow-Credentials" not in answer.headers
