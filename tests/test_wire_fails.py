"""Golden exchanges can fail: a right story is spoiled in one place, and the runner must say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .doors import Received
from .wire_matching import Mismatch
from .wire_stage import play, staged
from .wire_stories import WrongStory, read

RIGHT = """
title = "t"
source = "s"
connectors = ["marketing"]

[[exchange]]
call = "POST /bulk/contact"
send.form = { file = "@sample.csv" }
send.headers = { Elements-Async-Callback-Url = "https://me.example/" }
expect.status = 200
expect.json = '{"id": "{job}", "instanceId": "{instance:number}", "status": "CREATED"}'

[[exchange]]
call = "GET /bulk/{job}/errors"
expect.status = 200
expect.headers = { elements-returned-count = "0" }
expect.json = "[]"
expect.callbacks = [{ url = "https://me.example/", json = '''{
    "id": "{job}", "instanceId": "{instance:number}", "status": "COMPLETE", "object_name": "contact",
    "job_direction": "UPLOAD", "fileFormat": "csv", "fileSize": 1114, "recordsCount": 10, "recordsFailedCount": 0,
    "metadata": null, "bulk_start_time": 1704067200000, "bulk_finish_time": 1704067200000
}''', headers = { Content-Type = "application/json;charset=UTF-8" } }]

[[exchange]]
call = "GET /bulk/1/status"
expect.status = 404
expect.message = "No job found with ID 1"

[[exchange]]
call = "GET /objects"
expect.status = 200
expect.has = '["activities", "contact", "campaign", "list", "account"]'
"""


def told(text: str) -> list[Received]:
    with staged("core", "documented") as stage:
        return play(stage, read("proof", text, "documented")[0])


def test_the_story_that_the_next_test_spoils_is_right() -> None:
    assert [answer.status for answer in told(RIGHT)] == [200, 200, 404, 200]


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("expect.status = 404", "expect.status = 400", "expected status 400, got 404"),
        ('"CREATED"', '"STARTED"', "body.status: expected 'STARTED', got 'CREATED'"),
        (
            '"status": "CREATED"}',
            '"status": "CREATED", "message": null}',
            "expected keys ['id', 'instanceId', 'message', 'status'], got ['id', 'instanceId', 'status']",
        ),
        (', "status": "CREATED"}', "}", "expected keys ['id', 'instanceId'], got ['id', 'instanceId', 'status']"),
        ('"{instance:number}", "status": "CREATED"', '"{instance}", "status": "CREATED"', "body.instanceId: expected"),
        ("'{\"id\": \"{job}\", \"instanceId\"", "'{\"id\": \"{id}\", \"instanceId\"", "{job} stands for nothing yet"),
        ('"{instance:number}", "status": "COMPLETE"', '"{job:number}", "status": "COMPLETE"', "expected '{job}', got"),
        ('{ elements-returned-count = "0" }', '{ elements-returned-count = "1" }', "-count: expected '1', got '0'"),
        ('{ elements-returned-count = "0" }', "{}", "expected header names"),
        ('{ elements-returned-count = "0" }', '{ elements-error = "x", elements-returned-count = "0" }', "names"),
        ('expect.json = "[]"', "expect.json = '[1]'", "expected items 1, got 0"),
        ('expect.json = "[]"', "expect.text = '[ ]'", "expected body '[ ]', got '[]'"),
        ("with ID 1", "with ID 2", "body.message: expected 'No job found with ID 2', got 'No job found with ID 1'"),
        ('"campaign", "list"', '"list", "campaign"', "body[2]: expected 'list', got 'campaign'"),
        ('url = "https://me.example/"', 'url = "https://you.example/"', "expected callbacks to"),
        ('"recordsCount": 10', '"recordsCount": 10.0', "recordsCount: expected 10.0, got 10"),
        ('"fileSize": 1114', '"fileSize": true', "fileSize: expected True, got 1114"),
        ("charset=UTF-8", "charset=utf-8", "callback header Content-Type: expected"),
    ],
)  # fmt: skip
def test_a_wrong_expectation_fails(right: str, wrong: str, complaint: str) -> None:
    assert right in RIGHT
    with pytest.raises((Mismatch, WrongStory)) as failure:
        told(RIGHT.replace(right, wrong, 1))
    assert complaint in str(failure.value)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("GET /objects", "GRAB /objects", "not a call: 'GRAB /objects'"),
        ("{job}/errors", "{jub}/errors", "{jub} stands for nothing yet in '/elements/api-v2/bulk/{jub}/errors'"),
        ('source = "s"', "", "POST /bulk/contact: no source"),
        ('connectors = ["marketing"]', 'connector = ["marketing"]', "proof: 'connectors'"),
        ("expect.status = 404", "expect.stats = 404", "unexpected keyword argument 'stats'"),
        ("expect.message = ", "send.body = ", "expect one of json, has, message and text"),
        ('expect.message = "', 'expect.live.marketing = "[]"\nexpect.message = "', "only what GET /objects lists"),
        ('title = "t"', 'title = "t"\nmore = 1', "proof: unknown keys ['more']"),
        (RIGHT[RIGHT.index("[[exchange]]") :], "", "proof: no exchanges"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(right: str, wrong: str, complaint: str) -> None:
    assert right in RIGHT
    with pytest.raises(WrongStory) as failure:
        told(RIGHT.replace(right, wrong, 1))
    assert complaint in str(failure.value)


def test_an_exchange_without_an_answer_fails() -> None:
    story = read("proof", RIGHT, "documented")[0]
    with staged("core", "documented") as stage:
        silent = replace(stage, ask=lambda _: Received(0, {}, b""))
        with pytest.raises(Mismatch, match="expected status 200, got 0"):
            play(silent, story)
