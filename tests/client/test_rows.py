"""Result files of every shape, cut into chunks anywhere, give the rows that the standard library wrote."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.client import UnexpectedAnswer
from pytest_ocbulk.client.rows import csv_rows, json_rows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ROWS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5)


def cut(body: bytes, at: int) -> list[bytes]:
    return [body[i : i + at] for i in range(0, len(body), at)]


@given(rows=ROWS, at=st.integers(1, 40), shape=st.sampled_from(["lines", "array", "indented", "unescaped"]))
def test_json_of_every_shape_cut_anywhere_gives_its_rows(
    rows: list[dict[str, object]], at: int, shape: str
) -> None:
    text = {
        "lines": "".join(json.dumps(row) + "\n" for row in rows),
        "array": json.dumps(rows),
        "indented": json.dumps(rows, indent=2),
        "unescaped": "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows),
    }[shape]
    assert list(json_rows(cut(text.encode(), at))) == rows


@given(
    table=st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(
                st.text(st.characters(codec="utf-8", exclude_characters="\0\r")),
                min_size=width,
                max_size=width,
            ),
            min_size=1,
            max_size=5,
        )
    ),
    at=st.integers(1, 40),
)
def test_csv_cut_anywhere_gives_the_cells_that_were_written(table: list[list[str]], at: int) -> None:
    header = [f"c{index}" for index in range(len(table[0]))]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *table])
    rows = list(csv_rows(cut(text.getvalue().encode(), at)))
    assert rows == [dict(zip(header, cells, strict=True)) for cells in table]


def test_an_empty_only_cell_is_a_row_though_its_line_is_empty() -> None:
    assert list(csv_rows([b"a\n\n1\n"])) == [{"a": ""}, {"a": "1"}]


@pytest.mark.parametrize("rows", [json_rows, csv_rows])
def test_a_byte_order_mark_belongs_to_no_row(rows: object) -> None:
    body = b'\xef\xbb\xbf{"a": "1"}' if rows is json_rows else b"\xef\xbb\xbfa\n1\n"
    assert list(rows([body])) == [{"a": "1"}]  # type: ignore[operator]  # one of two functions


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_has_no_rows(body: bytes) -> None:
    assert list(json_rows([body])) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": 1}\n{"a"', """expected JSON rows to the end, got '{"a"' after row 1"""),
        (b"<html>", "expected JSON rows to the end, got '<html>' after row 0"),
        (b'[{"a": 1}', "expected the array to be closed, it ends after row 1"),
        (b"[1]", "expected row 1 to be an object, got '1'"),
        (b'{"a": "\xff"}', r"expected UTF-8, got b'\xff'"),
    ],
)
def test_json_that_is_not_rows_is_shown_where_it_stops_to_be(body: bytes, message: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        list(json_rows([body]))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a,b\n1,2\n3\n", "expected 2 columns in row 2, got 1"),
        (b"a,b\n1,2,3\n", "expected 2 columns in row 1, got 3"),
        (
            b"a\n" + b"x" * 140_000,
            "expected CSV in row 1, got a fault: field larger than field limit (131072)",
        ),
    ],
)
def test_csv_that_does_not_fit_its_header_names_the_row(body: bytes, message: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        list(csv_rows([body]))
    assert str(caught.value) == message


def test_a_large_broken_body_is_not_read_again_for_every_chunk() -> None:
    """Each attempt waits until the text has doubled, so 4 MB in 4 KB pieces cost a dozen attempts, not a thousand."""
    chunks = [b'{"a": "'] + [b"x" * 4096] * 1000
    with pytest.raises(UnexpectedAnswer, match=r"^expected JSON rows to the end"):
        list(json_rows(chunks))
