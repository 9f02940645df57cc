"""Files become rows: what is accepted, and what breaks a file, with the row named. The judge is the csv module."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ocbulk.emulator import rows
from pytest_ocbulk.emulator.rows import Chunk, read

from ..wire_stories import CSV


def chunks(content: bytes, file_format: str = "csv", size: int = 1000) -> list[Chunk]:
    return list(read(io.BytesIO(content), file_format, size))


def values(content: bytes, file_format: str = "csv", size: int = 1000) -> list[list[Any]]:
    """All rows, after checking that chunks are numbered and that none is broken."""
    found: list[list[Any]] = []
    for chunk in chunks(content, file_format, size):
        assert (chunk.first, chunk.broken) == (len(found) + 1, "")
        found += [list(row) for row in chunk.rows]
    return found


# -- CSV ----------------------------------------------------------------------------------------------------


def test_the_pages_sample_has_its_ten_rows() -> None:
    (chunk,) = chunks((CSV / "sample.csv").read_bytes())
    with (CSV / "sample.csv").open(newline="", encoding="utf-8") as file:
        header, *expected = csv.reader(file)
    assert list(chunk.columns) == header
    assert [list(row) for row in chunk.rows] == expected
    assert (len(expected), chunk.first, chunk.text) == (10, 1, True)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
def test_rows_come_in_chunks_of_the_size_asked_for(size: int) -> None:
    content = (CSV / "sample.csv").read_bytes()
    found = chunks(content, size=size)
    assert [len(chunk.rows) for chunk in found] == [min(size, 10 - start) for start in range(0, 10, size)]
    assert [chunk.first for chunk in found] == list(range(1, 11, size))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xef\xbb\xbfa\n1\n", [["1"]]),
        (b"a,b\r\n1,2\r\n", [["1", "2"]]),
        (b"a,b\r1,2\r", [["1", "2"]]),
        (b"a\n1", [["1"]]),
        (b'a,b\n"x\ny","z""z"\n', [["x\ny", 'z"z']]),
        (b'a,b\n"x\r\ny",\n', [["x\r\ny", ""]]),
        (b"\n\na\n\n1\n\n\n2\n", [["1"], ["2"]]),
        ("a\nfoo\x0cbar\x1cbaz\u2028end\n".encode(), [["foo\x0cbar\x1cbaz\u2028end"]]),
        (b"a\n 1 \n", [[" 1 "]]),
        (b"a,b\n,\n", [["", ""]]),
        ("a\nä😀\n".encode(), [["ä😀"]]),
        (b"a\n", []),
    ],
    ids=range(12),
)
def test_odd_files_are_accepted(content: bytes, found: list[list[str]]) -> None:
    assert values(content) == found


CELLS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)


@example(table=[["a", "b"], ["", ""], ["\r\n", '"'], [" ", ","]], end="\r\n", block=3)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6)
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 40),
)
def test_what_the_csv_module_writes_is_read_as_it_reads_it(
    table: list[list[str]], end: str, block: int
) -> None:
    width = len(table[0]) if table else 1
    header = [f"c{number}" for number in range(width)]
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([header, *table])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", block)  # line ends, quotes and characters fall on the edges of blocks
        assert values(text.getvalue().encode()) == table


@pytest.mark.parametrize(
    ("content", "kept", "broken"),
    [
        (b"", 0, "The file is empty: expected a header row"),
        (b"\n\r\n", 0, "The file is empty: expected a header row"),
        (b"\xef\xbb\xbf", 0, "The file is empty: expected a header row"),
        (b"a,,c\n", 0, "Header: column 2 has no name"),
        (b"a,b,a\n", 0, "Header: column 'a' appears twice"),
        (b"a,b\0\n1,2\n", 0, "Header: contains a NUL character"),
        (b"a,\xff\n1,2\n", 0, "Header: not valid UTF-8"),
        (b'"a,b\n1,2\n', 0, "Header: unclosed quote"),
        (b"a,b\n1,2\n3\n", 1, "Row 2: expected 2 columns as in the header, got 1"),
        (b"a,b\n1,2\n\n3,4,5\n", 1, "Row 2: expected 2 columns as in the header, got 3"),
        (b"a\n1\nx\0y\n", 1, "Row 2: contains a NUL character"),
        (b"a\n1\n\xe4\n", 1, "Row 2: not valid UTF-8"),
        (b'a\n1\n"2\n3\n', 1, "Row 2: unclosed quote"),
        (b'a\n1\n"2"x\n', 1, "Row 2: ',' expected after '\"'"),
        (b'a\n"1', 0, "Row 1: unclosed quote"),
    ],
    ids=range(15),
)
def test_a_broken_file_names_the_row_and_keeps_those_before(content: bytes, kept: int, broken: str) -> None:
    for size in (1, 1000):
        found = chunks(content, size=size)
        assert [chunk.broken for chunk in found if chunk.broken] == [broken]
        assert found[-1].broken == broken
        assert sum(len(chunk.rows) for chunk in found) == kept


def test_a_field_beyond_the_limit_breaks_the_file() -> None:
    (chunk,) = chunks(b'a\n"' + b"x" * (rows.FIELD_LIMIT + 1) + b'"\n')
    assert chunk.broken == "Row 1: unclosed quote or a field beyond 131072 characters"


def test_a_line_beyond_the_limit_breaks_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK", 10)
    monkeypatch.setattr(rows, "LINE_LIMIT", 25)
    assert chunks(b"a\n1\n" + b"2" * 60)[-1].broken == "Row 2: a line of more than 25 bytes"


# -- JSON ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "columns", "found"),
    [
        (b'{"a": 1}\n{"b": "x"}\n', ("a", "b"), [[1, None], [None, "x"]]),
        (b'{"a": 1}{"a": 2}', ("a",), [[1], [2]]),
        (b'[{"a": 1}, {"a": 2}]\n', ("a",), [[1], [2]]),
        (b'\xef\xbb\xbf [ {"a": {"b": [1]}} ]', ("a.b",), [[[1]]]),
        (b'{"a": true, "b": null, "c": {}}', ("a", "b", "c"), [[True, None, {}]]),
        (b"{}", (), [[]]),
    ],
    ids=range(6),
)
def test_json_comes_by_lines_or_as_an_array(
    content: bytes, columns: tuple[str, ...], found: list[list[Any]]
) -> None:
    (chunk,) = chunks(content, "json")
    assert (chunk.columns, [list(row) for row in chunk.rows], chunk.text, chunk.broken) == (
        columns,
        found,
        False,
        "",
    )


@pytest.mark.parametrize("content", [b"", b" \n", b"[]", b"[ ]\n"])
def test_no_json_is_no_rows(content: bytes) -> None:
    assert chunks(content, "json") == []


RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.one_of(st.integers(), st.text()), min_size=1)
)


@given(RECORDS, st.booleans(), st.integers(1, 40), st.integers(1, 3))
def test_what_the_json_module_writes_is_read(
    records: list[dict[str, Any]], array: bool, block: int, size: int
) -> None:
    text = json.dumps(records) if array else "".join(json.dumps(record) + "\n" for record in records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", block)
        found = [
            {name: value for name, value in zip(chunk.columns, row, strict=True) if value is not None}
            for chunk in chunks(text.encode(), "json", size)
            for row in chunk.rows
        ]
    assert found == records


@pytest.mark.parametrize(
    ("content", "kept", "broken"),
    [
        (b'{"a": 1}\n7\n', 1, "Row 2: expected a JSON object, got 7"),
        (b'["x"]', 0, 'Row 1: expected a JSON object, got "x"'),
        (b'{"a": 1}\n[{"a": 1}]\n', 1, 'Row 2: expected a JSON object, got [{"a": 1}]'),
        (b'[{"a": 1}', 1, "Row 2: the JSON array is not closed"),
        (b'[{"a": 1}] {"a": 2}', 1, "Row 2: expected nothing behind the JSON array, got '{\"a\": 2}'"),
        (b'{"a": 1}\n{"a": \n', 1, "Row 2: not valid JSON: Expecting value"),
        (b"a,b\n1,2\n", 0, "Row 1: not valid JSON: Expecting value"),
        (b'{"a": "\xff"}', 0, "Row 1: not valid UTF-8"),
        (b"[" * 100_000, 0, "Row 1: JSON nested too deeply"),
    ],
    ids=range(9),
)
def test_broken_json_names_the_row_and_keeps_those_before(content: bytes, kept: int, broken: str) -> None:
    found = chunks(content, "json")
    assert found[-1].broken == broken
    assert sum(len(chunk.rows) for chunk in found) == kept


def test_a_json_value_beyond_the_limit_breaks_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK", 10)
    monkeypatch.setattr(rows, "LINE_LIMIT", 25)
    assert (
        chunks(b'{"a": "' + b"x" * 60 + b'"}', "json")[-1].broken
        == "Row 1: a JSON value of more than 25 characters"
    )


def test_the_file_is_left_open_to_its_owner() -> None:
    for file_format in ("csv", "json"):
        file = io.BytesIO(b'{"a": 1}')
        assert all(chunk.broken == "" for chunk in read(file, file_format, 10))
        assert not file.closed
