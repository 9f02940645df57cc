"""Forms become uploads: the judge is a form written by `requests`; what is no upload is refused letter by letter."""

from __future__ import annotations

import gc
import json
import warnings
from typing import Any

import pytest
import requests

from pytest_ocbulk.emulator.errors import BadRequest
from pytest_ocbulk.emulator.messages import Request
from pytest_ocbulk.emulator.upload import Options, parse, parse_options

FILE = b"C_EmailAddress\r\nnorm.smith@acme.com\r\n\x00\xff--\r\n"


def posted(files: list[tuple[str, Any]] | None = None, query: str = "", **fields: str) -> Request:
    """The request that `requests` sends for these parts."""
    sent = requests.Request("POST", "http://x.example/", files=files, data=fields).prepare()
    body = sent.body or b""
    assert isinstance(body, bytes)
    return Request.of("POST", f"/bulk/contact{query}", dict(sent.headers), body)


def refusal(request: Request) -> str:
    with pytest.raises(BadRequest) as refused:
        parse(request)
    return refused.value.message


def test_a_form_of_requests_is_read_to_the_byte() -> None:
    request = posted([("file", ("sample.csv", FILE, "text/csv"))], metaData='{"bulkUploadRecordSize": 1}')
    upload = parse(request)
    with upload.file:
        assert (upload.file.read(), upload.size) == (FILE, len(FILE))
    assert upload.options == Options(batch_size=1, text='{"bulkUploadRecordSize":1}')


def test_parts_come_in_any_order_and_others_do_not_matter() -> None:
    parts = [
        ("other", ("o", b"x" * 1000)),
        ("file", ("a.csv", b"a\n1\n")),
        ("metaData", (None, b'{"action": "CREATE"}')),
    ]
    for order in (parts, parts[::-1]):
        upload = parse(posted(order))
        with upload.file:
            assert (upload.file.read(), upload.options.action) == (b"a\n1\n", "create")


def test_a_large_file_goes_through_the_disk_and_comes_back_whole() -> None:
    content = bytes(range(256)) * 8192
    upload = parse(posted([("file", ("big.csv", content))]))
    with upload.file:
        assert upload.size == len(content) == 2 * 1024 * 1024
        assert upload.file.read() == content


def test_of_two_files_the_last_counts() -> None:
    upload = parse(posted([("file", ("a.csv", b"first")), ("file", ("b.csv", b"second"))]))
    with upload.file:
        assert upload.file.read() == b"second"


def test_an_empty_file_is_a_file() -> None:
    upload = parse(posted([("file", ("a.csv", b""))]))
    with upload.file:
        assert (upload.size, upload.file.read()) == (0, b"")


WRONG_SIZES: tuple[Any, ...] = (0, -1, "0", "many", 1.5, True, [])

FORM = {"Content-Type": "multipart/form-data; boundary=B"}
PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        ({}, b"", "Expected a multipart/form-data body with a file part, got no Content-Type"),
        (
            {"Content-Type": "text/csv"},
            b"a\n",
            "Expected a multipart/form-data body with a file part, got 'text/csv'",
        ),
        (
            {"Content-Type": "multipart/form-data"},
            PART,
            "Expected a boundary in the Content-Type of the multipart body, got none",
        ),
        (FORM, b"--B--\r\n", "Expected a file part named 'file', got parts: none"),
        (
            FORM,
            PART.replace(b'"file"', b'"data"') + b"--B--\r\n",
            "Expected a file part named 'file', got parts: 'data'",
        ),
        (FORM, PART, "The multipart body cannot be read: Unexpected end of multipart stream (parser closed)"),
        (
            {"Content-Type": "multipart/form-data; boundary=C"},
            PART + b"--B--\r\n",
            "The multipart body cannot be read: Unexpected end of multipart stream (parser closed)",
        ),
    ],
    ids=range(7),
)
def test_what_is_no_upload_is_refused(headers: dict[str, str], body: bytes, message: str) -> None:
    assert refusal(Request.of("POST", "/bulk/contact", headers, body)) == message


def test_a_form_of_too_many_parts_is_refused() -> None:
    parts = [(f"p{number}", (None, b"")) for number in range(200)]
    assert refusal(posted(parts)).startswith("The multipart body cannot be read: ")


def test_no_part_of_a_refused_form_stays_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for bad in ("{", "[]", '{"action": "x"}'):
            refusal(posted([("file", ("a.csv", FILE))], metaData=bad))
        gc.collect()  # an open file would be heard of here


# -- options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "query", "options"),
    [
        (None, {}, Options()),
        (b"", {}, Options()),
        (b"  \n", {}, Options()),
        (b"{}", {}, Options(text="{}")),
        (b'{"action": "create"}', {}, Options("create", text='{"action":"create"}')),
        (None, {"action": "upsert", "primaryKeyName": "id"}, Options("upsert", "id")),
        (None, {"identifierFieldName": "email"}, Options(key="email")),
        (None, {"bulkUploadRecordSize": "30", "format": "JSON"}, Options(batch_size=30, file_format="json")),
        (None, {"path": "/sample.csv", "listId": "7"}, Options()),
        (
            b'{"primaryKeyName": "a", "identifierFieldName": "b"}',
            {"identifierFieldName": "c"},
            Options(key="b", text='{"primaryKeyName":"a","identifierFieldName":"b"}'),
        ),
        (b'{"action": null, "format": ""}', {}, Options(text='{"action":null,"format":""}')),
        (
            b'{"callback-payload": [1, {"\xc3\xa4": null}], "unknown": {"x": 1}}',
            {},
            Options(
                callback_payload=[1, {"ä": None}],
                text='{"callback-payload":[1,{"ä":null}],"unknown":{"x":1}}',
            ),
        ),
    ],
    ids=range(12),
)
def test_options_come_from_the_part_and_the_query_and_the_part_wins(
    metadata: bytes | None, query: dict[str, str], options: Options
) -> None:
    assert parse_options(metadata, query) == options


@pytest.mark.parametrize(
    ("metadata", "got"),
    [
        ("action=create", "invalid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "[1]"),
        ('"' + "x" * 90 + '"', '"' + "x" * 39),
    ],
)
def test_metadata_that_is_no_object_is_refused(metadata: str, got: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_options(metadata.encode(), {})
    assert refused.value.message == f"Expected metaData to be a JSON object, got {got}"


ACTIONS = "action to be one of create, update, upsert"
NEITHER = "primaryKeyName or identifierFieldName with action"
ROWS = "bulkUploadRecordSize to be a number of rows from 1"


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("action", "upsrt", f"{ACTIONS}, got 'upsrt'; did you mean 'upsert'?"),
        ("action", "purge", f"{ACTIONS}, got 'purge'"),
        ("action", 7, f"{ACTIONS}, got 7"),
        ("action", "upsert", f"{NEITHER} 'upsert', got neither"),
        ("action", "update", f"{NEITHER} 'update', got neither"),
        ("format", "xlsx", "format to be one of csv, json, got 'xlsx'"),
        ("primaryKeyName", 7, "primaryKeyName to be the name of a field, got 7"),
        ("identifierFieldName", ["a"], 'identifierFieldName to be the name of a field, got ["a"]'),
        *[("bulkUploadRecordSize", size, f"{ROWS}, got {size!r}") for size in WRONG_SIZES],
    ],
    ids=repr,
)
def test_wrong_options_are_refused(option: str, value: Any, complaint: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_options(json.dumps({option: value}).encode(), {})
    assert refused.value.message == f"Expected metaData {complaint}"


def test_metadata_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadRequest, match="got invalid JSON: not text or nested too deeply"):
        parse_options(b"\xff\xfe\x00", {})
