"""The journal as HTTP Archive; what must be there is taken from the format's own page (HAR 1.2, W3C draft)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fake_server.har import archive
from pytest_ocbulk.emulator.journal import EXCERPT, Exchange

REQUIRED = {
    "entry": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {
        "method",
        "url",
        "httpVersion",
        "cookies",
        "headers",
        "queryString",
        "headersSize",
        "bodySize",
    },
    "response": {
        "status",
        "statusText",
        "httpVersion",
        "cookies",
        "headers",
        "content",
        "redirectURL",
        "headersSize",
        "bodySize",
    },
    "content": {"size", "mimeType"},
    "timings": {"send", "wait", "receive"},
    "postData": {"mimeType", "text"},
}
"""The fields that HAR 1.2 does not mark as optional."""


def exchange(**changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "at": 1704067202.5,
        "operation": "upload",
        "method": "POST",
        "path": "/elements/api-v2/bulk/my object",
        "query": {"a": "b c"},
        "headers": {"host": "127.0.0.1:8765", "authorization": "Element T", "content-type": "text/csv"},
        "body": b"x,y\n",
        "size": 4,
        "status": 200,
        "answer_headers": {"Content-Type": "application/json", "Content-Length": "2"},
        "answer": b"{}",
    }
    return Exchange(**{**values, **changes})


def entry(**changes: Any) -> Any:
    return archive([exchange(**changes)], "1.0")["log"]["entries"][0]


def test_an_archive_says_its_version_and_who_made_it() -> None:
    assert archive([], "1.0") == {
        "log": {"version": "1.2", "creator": {"name": "pytest-ocbulk", "version": "1.0"}, "entries": []}
    }


def test_all_required_fields_are_there() -> None:
    found = entry()
    assert found.keys() >= REQUIRED["entry"]
    assert found["request"].keys() >= REQUIRED["request"]
    assert found["request"]["postData"].keys() >= REQUIRED["postData"]
    assert found["response"].keys() >= REQUIRED["response"]
    assert found["response"]["content"].keys() >= REQUIRED["content"]
    assert found["timings"].keys() >= REQUIRED["timings"]


def test_fields_of_our_own_begin_with_an_underscore() -> None:
    found = entry(job="1234", fault="upload:reset")
    own = {name for name in found if name not in REQUIRED["entry"]}
    assert {name: found[name] for name in own} == {
        "_operation": "upload",
        "_job": "1234",
        "_fault": "upload:reset",
    }


def test_times_are_dates_with_a_zone() -> None:
    started = datetime.fromisoformat(entry()["startedDateTime"])
    assert started.timestamp() == 1704067202.5
    assert started.tzinfo is not None


def test_addresses_are_encoded() -> None:
    request = entry()["request"]
    assert request["url"] == "http://127.0.0.1:8765/elements/api-v2/bulk/my%20object?a=b+c"
    assert request["queryString"] == [{"name": "a", "value": "b c"}]


def test_secrets_are_masked() -> None:
    assert {"name": "authorization", "value": "***"} in entry()["request"]["headers"]
    assert "Element T" not in str(entry())


def test_a_body_that_was_cut_says_so() -> None:
    posted = entry(body=b"x" * EXCERPT, size=EXCERPT + 1)["request"]["postData"]
    assert posted["comment"] == "the first 16384 of 16385 bytes"
    assert "comment" not in entry()["request"]["postData"]


def test_a_request_without_a_body_has_no_post_data() -> None:
    assert "postData" not in entry(body=b"", size=0)["request"]


def test_an_answer_that_was_streamed_has_its_announced_size() -> None:
    streamed = entry(answer=b"", answer_headers={"content-length": "70000"})["response"]
    assert (streamed["bodySize"], streamed["content"]["size"]) == (70000, 70000)
    assert streamed["content"]["mimeType"] == "x-unknown"


def test_a_connection_that_was_reset_has_status_0() -> None:
    answer = entry(status=0, answer=b"", answer_headers={})["response"]
    assert (answer["status"], answer["statusText"], answer["bodySize"]) == (0, "connection reset", 0)


def test_a_status_that_nobody_knows_has_no_words() -> None:
    assert entry(status=599)["response"]["statusText"] == ""
    assert entry(status=503)["response"]["statusText"] == "Service Unavailable"
