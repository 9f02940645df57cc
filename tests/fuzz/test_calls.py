"""Whatever is called, with whatever headers and bodies: an answer in the vendor's shape, never an exception."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_server.control import ROOT, ControlApi
from fake_server.control_calls import CALLS
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import BASE_PATH, Request, Response
from pytest_ocbulk.emulator.routes import ROUTES

from .trying import TRIED, tries

NAMES = re.compile(r"\{(\w+)\}")
TEXT = st.text(max_size=30)
WORDS = st.sampled_from(
    (
        "contact",
        "1234",
        "1",
        "0",
        "-1",
        "null",
        "",
        "nan",
        "true",
        "9" * 40,
        "\0",
        "\ud800",
        "ß",
        "a/b",
        "..",
        "query",
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | WORDS, inner, max_size=4),
    max_leaves=12,
)
PARAMETERS = st.sampled_from(
    ("where", "fields", "orderBy", "page", "pageSize", "nextPage", "returnCount", "q", "from", "to", "lastRunDate",
     "continueFromJobId", "json", "tags[]", "searchText", "version", "customFieldsOnly", "path", "jobId", "token")
)  # fmt: skip
HEADERS = st.sampled_from(
    ("Accept", "Content-Type", "Content-Length", "Elements-Version", "Elements-Async-Callback-Url", "Origin", "Range",
     "Elements-Schedule-Request", "Access-Control-Request-Headers", "Authorization", "Transfer-Encoding", "Host")
)  # fmt: skip
VALUES = st.sampled_from(
    ("*/*", "text/csv", "application/json", "application/jsonl;q=0", "multipart/form-data; boundary=B", "Helium",
     "multipart/form-data", "Element t, User u, Organization o", "Element t", ",,,", "http://[", "//", "0 0 * * * ?",
     "select * from contact", "C_EmailAddress = 'a'", "2024-01-01T00:00:00Z", "b64:=", "%", "a,b,c", "id desc")
) | TEXT  # fmt: skip
FORM = b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nC_EmailAddress\na@b.de\n\r\n--B--\r\n'


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    emulator = Emulator(max_upload=1_000_000)
    emulator.create_instance(built_in("marketing"), token="t", user_secret="u", organization_secret="o")
    yield emulator
    emulator.close()


def segments(template: str) -> st.SearchStrategy[str]:
    """Paths of a template with anything for its names."""
    names = NAMES.findall(template)
    return st.lists(WORDS | TEXT, min_size=len(names), max_size=len(names)).map(
        lambda values: _filled(template, values)
    )


def _filled(template: str, values: list[str]) -> str:
    rest = iter(values)
    return NAMES.sub(lambda _: quote(next(rest), safe="", errors="surrogatepass"), template)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, dict[str, str], bytes]:
    """A method, a target, headers and a body; most have right credentials."""
    route = draw(st.sampled_from(ROUTES))
    target = draw(st.sampled_from(("", "/hubs/crm"))) + draw(segments(route.template))
    query = draw(st.dictionaries(PARAMETERS, VALUES | WORDS, max_size=4))
    if query:
        pairs = (f"{name}={quote(value, safe='', errors='surrogatepass')}" for name, value in query.items())
        target += "?" + "&".join(pairs)
    headers = {"Authorization": "Element t, User u, Organization o"}
    body = draw(
        st.sampled_from((b"", FORM))
        | st.binary(max_size=200)
        | JSON.map(lambda value: json.dumps(value).encode())
    )
    if body.startswith(b"--B"):
        headers["Content-Type"] = "multipart/form-data; boundary=B"
    headers |= draw(st.dictionaries(HEADERS, VALUES, max_size=3))
    method = draw(
        st.sampled_from((route.method, route.method, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"))
    )
    return method, BASE_PATH + target, headers, body


@given(calls())
@tries(500)
def test_any_call_is_answered_in_the_vendors_shape(
    emulator: Emulator, call: tuple[str, str, dict[str, str], bytes]
) -> None:
    request = Request.of(*call)
    assert emulator.receive(request) is not None
    response = emulator.handle(request)
    assert isinstance(response, Response)
    content = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    check_shape(response, content)
    if emulator.instances.get("t") is None:  # one of the calls was to delete it
        emulator.create_instance(built_in("marketing"), token="t", user_secret="u", organization_secret="o")
    for instance in emulator.instances:
        instance.disabled = False
        if instance.token != "t":
            emulator.close_instance(instance)
    TRIED["calls of the imitated API"] += 1


def check_shape(response: Response, content: bytes) -> None:
    """A status that the service knows; a refusal has its two or three fields, JSON can be read."""
    assert response.status in (200, 400, 401, 403, 404, 405, 406, 409, 413, 415), content
    assert all(isinstance(value, str) for value in response.headers.values())
    assert not content or "Content-Type" in response.headers
    if content and response.headers["Content-Type"].startswith("application/json"):
        values = (
            [json.loads(line) for line in content.splitlines()]
            if content.count(b"\n") > 1
            else [json.loads(content)]
        )
        if response.status != 200:
            (body,) = values
            assert {"requestId", "message"} <= set(body) <= {"requestId", "message", "providerMessage"}
            assert body["requestId"] == response.headers["elements-request-id"]


CONTROL_KEYS = st.sampled_from(
    ("timeline", "object", "fail_rows", "error", "times", "fault", "lag", "partial", "by", "status", "name")
)
CONTROL_VALUES = JSON | st.sampled_from(
    ("CREATED COMPLETE", "upload:reset:after", "5s", "-1s", "1e400s", 0.5, 1e308)
)


@given(
    st.sampled_from(CALLS),
    st.dictionaries(CONTROL_KEYS, CONTROL_VALUES, max_size=4).map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=50),
    st.lists(WORDS | TEXT, min_size=1, max_size=1),
    st.sampled_from(("", "?token=t", "?token=x", "?format=har", "?token=t&format=har&operation=upload")),
)
@tries(250)
def test_any_control_call_is_answered(
    emulator: Emulator, route: Any, body: bytes, names: list[str], query: str
) -> None:
    target = ROOT + _filled(route.template, names * 3) + query
    response = ControlApi(emulator).handle(Request.of(route.method, target, {"Host": "localhost"}, body))
    assert response.status in (200, 400, 404, 405), response
    assert isinstance(response.body, bytes)
    answer = json.loads(response.body)
    if response.status != 200:
        assert list(answer) == ["message"]
        assert answer["message"]
    TRIED["calls of the control API"] += 1
