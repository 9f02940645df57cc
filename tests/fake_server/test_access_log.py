"""One line for each exchange, whatever is in it."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import requests

from fake_server.access_log import AccessLog, LogFormat
from pytest_ocbulk.emulator.messages import Disconnect, Request, Response
from pytest_ocbulk.http1.transmission import server_refusal

from ..patience import PATIENCE
from ..server_process import server_process

ANSWER = Response(200, {"Content-Length": "57", "elements-request-id": "5b0437c6"}, b"x" * 57)


def written(form: LogFormat, request: Request, answer: Response | Disconnect = ANSWER) -> str:
    stream = io.StringIO()
    AccessLog(form, stream, lambda: 1_704_067_200.0).exchanged(request, answer, 0.00321)
    return stream.getvalue()


def test_text_is_one_line_for_people() -> None:
    request = Request.of("POST", "/elements/api-v2/bulk/contact?path=/sample.csv")
    assert written("text", request) == (
        "2024-01-01T00:00:00.000Z 200 POST /elements/api-v2/bulk/contact?path=%2Fsample.csv 57 bytes 3.2 ms 5b0437c6\n"
    )


def test_json_is_one_object_for_programs() -> None:
    assert json.loads(written("json", Request.of("GET", "/a/b"))) == {
        "time": "2024-01-01T00:00:00.000Z",
        "event": "exchange",
        "method": "GET",
        "path": "/a/b",
        "status": 200,
        "bytes": 57,
        "ms": 3.2,
        "request_id": "5b0437c6",
    }


def test_a_reset_and_a_streamed_answer_are_told_apart() -> None:
    request = Request.of("GET", "/a")
    assert " reset GET /a 0 bytes " in written("text", request, Disconnect())
    assert " 200 GET /a streamed " in written("text", request, Response(200, {}, iter((b"x",))))
    assert json.loads(written("json", request, Response(200, {}, iter((b"x",)))))["bytes"] is None


def test_a_refusal_of_the_server_itself_has_its_length() -> None:
    refused = server_refusal(413, "Too large")
    size = len(refused.body) if isinstance(refused.body, bytes) else 0
    assert "Content-Length" not in refused.headers
    assert f" 413 POST /a {size} bytes " in written("text", Request.of("POST", "/a"), refused)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "target",
    [
        "/a%0d%0a2024-01-01T00:00:00.000Z 200 GET /forged",
        "/a?x=%0aforged",
        "/%1b[2J",
        "/%ff%fe",
        "/\ud800?\udcff=\udc80",
    ],
)
def test_no_path_begins_a_line_of_its_own(target: str, form: LogFormat) -> None:
    text = written(form, Request.of("GET", target))
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert all(" " <= each <= "~" for each in text[:-1])


def test_neither_credentials_nor_tokens_are_written() -> None:
    headers = {"Authorization": "Element secret-1, User secret-2", "Cookie": "secret-3"}
    request = Request.of("GET", "/__ocbulk__/state?token=secret-4", headers)
    assert "secret" not in written("text", request)
    assert "secret" not in written("json", request)


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_records_are_written_in_the_same_form(form: LogFormat) -> None:
    stream = io.StringIO()
    log = AccessLog(form, stream)
    record: Any
    try:
        raise ValueError("why")
    except ValueError as error:
        trace = (type(error), error, error.__traceback__)
        record = logging.LogRecord("a.b", logging.ERROR, "x.py", 1, "it %s", ("failed",), trace)
    log.logged(record)
    text = stream.getvalue()
    assert "it failed" in text
    assert "ValueError: why" in text
    if form == "json":
        assert json.loads(text)["level"] == "error"


def test_the_server_writes_what_it_was_asked() -> None:
    with server_process("--quiet", "--log-format", "json") as server:
        answer = requests.get(
            f"{server.base_url}/objects",
            headers={"Authorization": "Element sqlserver, User demo"},
            timeout=PATIENCE,
        )
        server.process.terminate()
        _, errors = server.process.communicate(timeout=PATIENCE)
    (line,) = errors.splitlines()
    entry = json.loads(line)
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/elements/api-v2/objects", 200)
    assert entry["request_id"] == answer.headers["elements-request-id"]
    assert entry["bytes"] == len(answer.content)
