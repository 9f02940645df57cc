"""What JSON cannot carry is refused where it is read."""

from __future__ import annotations

import json

import pytest

from pytest_ocbulk.emulator.json_text import read_json, write_json

from ..endpoints.service import Service


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\xff", "not text or nested too deeply"),
        ("[" * 100_000, "not text or nested too deeply"),
        ("NaN", "Not a number that JSON has"),
        ('{"a": [1e999]}', "Not a number that JSON has"),
        ('{"a": "\\ud800"}', "Not valid Unicode text"),
        ('{"\\udfff": 1}', "Not valid Unicode text"),
    ],
    ids=["nothing", "half", "bytes", "deep", "nan", "infinite", "surrogate", "surrogate name"],
)
def test_what_is_no_json_or_could_not_be_shown_again_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its text is compared
        read_json(text)
    assert str(refused.value) == reason


@pytest.mark.parametrize("value", [None, 1, 1.5, 2**70, "é😀", [1, {"a": None}], {"": ""}], ids=repr)
def test_everything_else_comes_back(value: object) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(write_json(value)) == value


def test_a_refused_name_leaves_the_collection_readable() -> None:
    service = Service.of()
    assert service.post("/activities", b'{"\\ud800": 1}').message == (
        "Expected a JSON body, got invalid JSON: Not valid Unicode text"
    )
    job = service.upload("activities", '{"x": 1}\n{"\\ud800": 1}\n', {"format": "json"})
    assert service.finished(job)["error"] == (
        "Row 2: a name contains a NUL character or is not valid Unicode text"
    )
    assert service.get("/activities").json == [{"id": 1, "x": 1}]


def test_values_that_json_does_not_have_are_faults_of_their_rows() -> None:
    service = Service.of()
    job = service.upload(
        "activities", '{"x": 1e999}\n{"x": [NaN]}\n{"x": "\\ud800"}\n{"x": 1}\n', {"format": "json"}
    )
    number = service.finished(job)["id"]
    assert [each["status"] for each in service.get(f"/bulk/{number}/errors").json] == [
        "inf: Not a number that JSON has",
        "[nan]: Not a number that JSON has",
        "'\\ud800': Not valid Unicode text",
    ]


def test_a_callback_payload_that_could_not_be_sent_is_refused() -> None:
    reply = Service.of().upload("activities", "a\n1\n", {"callback-payload": "\ud800"})
    assert (reply.status, reply.message) == (
        400,
        "Expected metaData to be a JSON object, got invalid JSON: Not valid Unicode text",
    )


@pytest.mark.parametrize("depth", [90, 101, 900])
def test_deep_values_come_back_as_they_were(depth: int) -> None:
    service = Service.of()
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    assert service.post("/activities", value).json == {"id": 1, **value}  # type: ignore[dict-item]  # a dict by now


def test_a_column_of_very_many_dots_is_no_recursion() -> None:
    service = Service.of()
    service.finished(service.upload("activities", ".".join("a" * 1500) + "\n1\n"))
    assert service.get("/activities").status == 200


def test_a_key_that_was_made_up_earlier_is_taken() -> None:
    service = Service.of()
    service.fill("activities", {"n": 1})
    reply = service.post("/activities", {"id": 1})
    assert (reply.status, reply.message) == (409, "A record with this id already exists")
    assert service.fill("activities", {"id": "x"}, {"id": 7}) == [{"id": "x"}, {"id": 7}]
    assert service.post("/activities", {"id": "x"}).status == 409
