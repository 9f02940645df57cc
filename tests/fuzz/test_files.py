"""Whatever is uploaded, the job ends, its counts are those of its errors and records, and nothing grows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import BASE_PATH, Request, Response
from pytest_ocbulk.emulator.rows import FIELD_LIMIT, LINE_LIMIT

from ..patience import PATIENCE
from .trying import TRIED, tries

CELLS = st.sampled_from(
    ('"', '""', ",", "\n", "\r", "\r\n", "\0", "a@b.de", "C_EmailAddress", "C_FirstName", "id", "=1+1", "ä", "\ufeff",
     "x" * 300, " ", "\t", "'", "1e400", "-", "null", "true", "2024-01-01", "a.b", "a[*].b", "\x0c", "\u2028")
)  # fmt: skip
ODD_BYTES = st.sampled_from(
    (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1f\x8b\x08", b"PK\x03\x04")
)
HEADERS = st.sampled_from(
    ("C_EmailAddress\n", "C_EmailAddress,C_FirstName\n", "id,C_EmailAddress\r\n", "", "a.b,c[*].d\n")
)
JSON_PIECES = st.sampled_from(
    ("{", "}", "[", "]", ",", ":", '"', "null", "true", "NaN", "-Infinity", "1e999", '{"C_EmailAddress": "a@b.de"}',
     '{"a": {"b": [1, {"c": null}]}}', "\n", " ", "[" * 200, '{"a":' * 200, "\\u0000", '"\\ud800"', "9" * 400, "0x1")
)  # fmt: skip
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.lists(st.integers(), max_size=2)
)
METADATA = st.dictionaries(
    st.sampled_from(("action", "primaryKeyName", "identifierFieldName", "bulkUploadRecordSize", "format", "fileName",
                     "callback-payload", "listId")),
    VALUES | st.sampled_from(("create", "update", "upsert", "csv", "json", "C_EmailAddress", "1", "30", 10**30)),
    max_size=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


def part(name: str, data: bytes, more: str = "") -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + data + b"\r\n"


def ask(emulator: Emulator, token: str, method: str, target: str, body: bytes = b"") -> tuple[int, Any]:
    headers = {"Authorization": f"Element {token}, User u", "Content-Type": "multipart/form-data; boundary=B"}
    answer = emulator.handle(Request.of(method, BASE_PATH + target, headers, body))
    assert isinstance(answer, Response)
    return answer.status, json.loads(answer.body if isinstance(answer.body, bytes) else b"".join(answer.body))


def upload(
    emulator: Emulator, body: bytes, connector: str = "marketing", name: str = "contact"
) -> dict[str, Any] | None:
    """Upload to an instance of its own; the last status, None if it was refused. All that must hold does."""
    instance = emulator.create_instance(built_in(connector), user_secret="u")
    try:
        status, stub = ask(emulator, instance.token, "POST", f"/bulk/{name}", body)
        TRIED["uploads"] += 1
        if status != 200:
            assert status == 400, stub
            assert set(stub) == {"requestId", "message"}
            return None
        status, last = ask(emulator, instance.token, "GET", f"/bulk/{stub['id']}/status")
        assert last["status"] in ("COMPLETE", "ABORTED"), last
        assert ("error" in last) == (last["status"] == "ABORTED")
        _, errors = ask(emulator, instance.token, "GET", f"/bulk/{stub['id']}/errors?pageSize=5000")
        assert len(errors) == last["recordsFailedCount"] <= last["recordsCount"]
        assert sorted({each["rowNum"] for each in errors}) == [each["rowNum"] for each in errors]
        shape = instance.shape(name)
        if shape is not None and json.loads(last["metadata"] or "{}").get("action") in (None, "", "create"):
            records = emulator.store.collection(instance.id, name, shape).count()
            assert records == last["recordsCount"] - last["recordsFailedCount"]
        assert not [each for each in emulator.store.names(instance.id) if "stage" in each]
        return dict(last)
    finally:
        emulator.close_instance(instance)


def form(file: bytes, metadata: object = None) -> bytes:
    extra = part("metaData", json.dumps(metadata).encode()) if metadata is not None else b""
    return extra + part("file", file, '; filename="a.csv"') + b"--B--\r\n"


@given(HEADERS, st.lists(CELLS | st.text(max_size=8), max_size=30), st.booleans(), METADATA)
@tries(150)
def test_any_csv(
    emulator: Emulator, header: str, cells: list[str], commas: bool, metadata: dict[str, Any]
) -> None:
    metadata.pop("format", None)
    text = header + ("," if commas else "").join(cells)
    upload(emulator, form(text.encode(errors="replace"), metadata))


@given(st.lists(CELLS.map(str.encode) | ODD_BYTES | st.binary(max_size=5), max_size=30).map(b"".join))
@tries(80)
def test_any_bytes_for_a_csv(emulator: Emulator, data: bytes) -> None:
    upload(emulator, form(b"C_EmailAddress\n" + data), name="account")


@given(st.lists(JSON_PIECES | st.text(max_size=5), max_size=20).map("".join))
@tries(120)
def test_any_json(emulator: Emulator, text: str) -> None:
    upload(emulator, form(text.encode(errors="replace"), {"format": "json"}), name="account")


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5), VALUES | st.dictionaries(st.text(max_size=3), VALUES, max_size=2), max_size=4
        ),
        max_size=6,
    ),
    st.booleans(),
)
@tries(80)
def test_json_records_of_any_shape(emulator: Emulator, records: list[dict[str, Any]], lines: bool) -> None:
    text = "\n".join(map(json.dumps, records)) if lines else json.dumps(records)
    upload(emulator, form(text.encode(), {"format": "json"}), "sqlserver", "Test")


@given(METADATA | VALUES)
@tries(100)
def test_any_metadata(emulator: Emulator, metadata: object) -> None:
    upload(emulator, form(b"C_EmailAddress\na@b.de\nb@b.de\n", metadata))


@given(
    st.lists(
        st.sampled_from(
            (b"--B\r\n", b"--B--\r\n", b"--B--", b"--b\r\n", b"\r\n", b"\n", b"--", b"\0", part("file", b"id\n1\n"),
             part("metaData", b"{}"), part("metaData", b"{" * 3000), part("file", b""), part("other", b"x"),
             part("x" * 5000, b"x"), b"Content-Disposition: form-data\r\n\r\n", b"Content-Disposition: \xff\r\n\r\n",
             b"Content-Disposition: form-data; name=file; name=file\r\n\r\n", b"Content-Transfer-Encoding: base64\r\n",
             b"X: " + b"y" * 9000 + b"\r\n", b"preamble", part("file", b"a\n", '; filename*=UTF-8\'\'%ff'))
        )
        | st.binary(max_size=10),
        max_size=12,
    ).map(b"".join)
)  # fmt: skip
@tries(200)
def test_any_multipart_body(emulator: Emulator, body: bytes) -> None:
    upload(emulator, body, name="account")


# -- bombs: small things that would become large ones

ROWS = b"a@b.de,x\n" * 200_000


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (b'C_EmailAddress,a\n"' + ROWS, f"Row 1: unclosed quote or a field beyond {FIELD_LIMIT} characters"),
        (b'"' + ROWS, f"Header: unclosed quote or a field beyond {FIELD_LIMIT} characters"),
        (
            b"C_EmailAddress\n" + b"x" * (LINE_LIMIT + 2_000_000),
            f"Row 1: a line of more than {LINE_LIMIT} bytes",
        ),
        (b"," * 3_000_000 + b"\n", "Header: column 1 has no name"),
        (b'"' * 2_000_001, f"Header: unclosed quote or a field beyond {FIELD_LIMIT} characters"),
    ],
    ids=["quote", "quote in the header", "line", "columns", "quotes"],
)
def test_a_csv_bomb_is_defused(file: bytes, error: str, emulator: Emulator) -> None:
    began = time.monotonic()
    last = upload(emulator, form(file))
    assert last is not None
    assert (last["status"], last["error"], last["recordsCount"]) == ("ABORTED", error, 0)
    assert time.monotonic() - began < PATIENCE  # it takes a tenth of a second


@pytest.mark.parametrize(
    "file",
    [
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'"' + b"x" * (LINE_LIMIT + 2_000_000),
        b"[" + b'{"a":1},' * 10 + b" " * 3_000_000,
    ],
    ids=["arrays", "objects", "text", "blanks"],
)
def test_a_json_bomb_is_defused(file: bytes, emulator: Emulator) -> None:
    began = time.monotonic()
    last = upload(emulator, form(file, {"format": "json"}), name="account")
    assert last is not None
    assert last["status"] == "ABORTED"
    assert time.monotonic() - began < PATIENCE  # it takes a tenth of a second


def test_compressed_files_are_not_unpacked(emulator: Emulator) -> None:
    import gzip

    bomb = gzip.compress(b"C_EmailAddress\n" + b"a@b.de\n" * 1_000_000)
    last = upload(emulator, form(bomb))
    assert last is not None
    assert last["status"] == "ABORTED"
