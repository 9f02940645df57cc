"""Results as files: what is written, the csv and json modules read back, whatever the size of blocks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator import reading, results
from pytest_ocbulk.emulator.collection import Collection
from pytest_ocbulk.emulator.connectors import ObjectDefinition
from pytest_ocbulk.emulator.ocnql import parse_select
from pytest_ocbulk.emulator.reading import Reading
from pytest_ocbulk.emulator.result_files import Shown, csv_stream, json_array, json_lines
from pytest_ocbulk.emulator.results import (
    RESULT,
    Criteria,
    Extraction,
    expand,
)
from pytest_ocbulk.emulator.store import Store
from pytest_ocbulk.emulator.stored_values import encode

ANY = ObjectDefinition("any")
PATHS = ["a", "b"]
CELLS = st.one_of(
    st.none(),
    st.integers(-(10**20), 10**20),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
TABLES = st.lists(st.tuples(CELLS, CELLS), max_size=7)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@contextmanager
def stored(
    table: list[tuple[Any, ...]], size: int, paths: list[str] = PATHS
) -> Iterator[Callable[[], Reading]]:
    """Rows in a store, to be read by blocks of `size` any number of times."""
    with closing(Store()) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK_ROWS", size)
        collection = store.collection(1, "any", ANY)
        collection.insert(paths, [list(map(encode, row)) for row in table], 1)
        yield lambda: Reading(collection, paths)


@given(TABLES, st.integers(1, 4))
def test_csv_is_read_back_by_the_csv_module(table: list[tuple[Any, ...]], size: int) -> None:
    with stored(table, size) as read:
        text = b"".join(csv_stream(read())).decode()
    with io.StringIO(text, newline="") as file:
        found = list(csv.reader(file, strict=True))

    def spelled(value: Any) -> str:
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    assert found == [PATHS, *([spelled(value) for value in row] for row in table)]


@given(TABLES, st.integers(1, 4), st.booleans())
def test_json_is_read_back_by_the_json_module(table: list[tuple[Any, ...]], size: int, nulls: bool) -> None:
    show = Shown(nulls=nulls)
    expected = [
        {name: value for name, value in zip(PATHS, row, strict=True) if nulls or value is not None}
        for row in table
    ]
    with stored(table, size) as read:
        lines = b"".join(json_lines(read(), show))
        array = b"".join(json_array(read(), show))
    assert [json.loads(line) for line in lines.split(b"\n")[:-1]] == expected
    assert lines.endswith(b"\n") == bool(table)
    assert json.loads(array) == expected


@pytest.mark.parametrize("size", [1, 5])
def test_a_value_with_a_lone_carriage_return_is_quoted_and_no_other(size: int) -> None:
    with stored([("x\ry", "plain"), ("\r\n", None)], size, ["a\r", "b"]) as read:
        assert b"".join(csv_stream(read())) == b'"a\r",b\n"x\ry",plain\n"\r\n",\n'


def test_without_native_types_values_are_text() -> None:
    show = Shown(nulls=False, native=False)
    with stored([(True, 7)], 1) as read:
        (line,) = json_lines(read(), show)
    assert json.loads(line) == {"a": "true", "b": "7"}


def test_nothing_is_a_header_an_empty_body_and_an_empty_array() -> None:
    show = Shown(nulls=False)
    with stored([], 1) as read:
        assert b"".join(csv_stream(read())) == b"a,b\n"
        assert b"".join(json_lines(read(), show)) == b""
        assert b"".join(json_array(read(), show)) == b"[]"


# -- queries ------------------------------------------------------------------------------------------------


@pytest.fixture
def letters(store: Store) -> Collection:
    collection = store.collection(1, "any", ANY)
    collection.insert(["v", "w.x", "w.y"], [[letter, letter.upper(), None] for letter in "abcdefg"], 1000)
    return collection


def extracted(
    store: Store, source: Collection, criteria: Criteria
) -> tuple[Extraction, list[tuple[Any, ...]]]:
    result = store.collection(1, "\0result", RESULT)
    work = Extraction(source, result, criteria)
    work.prepare()
    work.commit(store, None, 2000)
    return work, [row[1:] for row in result.select(paths=list(result.columns))]


@pytest.mark.parametrize(
    ("query", "skip", "found"),
    [
        ("select v from any", 0, "abcdefg"),
        ("select v from any where v > 'c' limit 2", 0, "de"),
        ("select v from any order by v desc limit 3", 2, "edc"),
        ("select v from any", 5, "fg"),
        ("select v from any limit 0", 0, ""),
        ("select v from any where v = 'z'", 0, ""),
    ],
)
def test_a_query_finds_the_same_as_a_job_and_at_once(
    store: Store, letters: Collection, query: str, skip: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK_ROWS", 2)
    criteria = Criteria(parse_select(query), skip=skip)
    work, rows = extracted(store, letters, criteria)
    assert "".join(row[0] for row in rows) == found
    assert (work.done, work.failed, work.error, work.finished) == (len(found), 0, "", True)
    at_once = b"".join(csv_stream(results.reading(letters, criteria, 2000, Lock()))).decode()
    assert at_once == "".join(f"{letter}\n" for letter in ["v", *found])


def test_bounds_are_on_the_time_of_change(store: Store, letters: Collection) -> None:
    letters.update(2, {"v": "B"}, 5000)
    select = parse_select("select v from any")
    assert [row[0] for row in extracted(store, letters, Criteria(select, changed_from=1001))[1]] == ["B"]


def test_an_unknown_field_fails_the_job_wherever_it_stands(store: Store) -> None:
    shape = ObjectDefinition("any", fields={}, primary_key="id")
    declared = store.collection(2, "contact", shape)
    declared.declared = ["name"]
    for query in (
        "select nope from contact",
        "select * from contact where nope = 1",
        "select name from contact order by nope",
    ):
        work = Extraction(declared, store.collection(2, "\0r", RESULT), Criteria(parse_select(query)))
        work.commit(store, None, 1)
        assert (work.error, work.failure_status, work.finished) == (
            "Unknown field 'nope' in contact",
            "ERROR",
            True,
        )


def test_a_branch_means_its_leaves(letters: Collection) -> None:
    assert expand(["w", "v", "w.x", "w"], letters) == ["w.x", "w.y", "v"]
    assert expand(["nope"], letters) == ["nope"]
