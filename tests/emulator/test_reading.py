"""Reading in blocks: what comes from SQLite as one text is written as its single values would be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator import reading
from pytest_ocbulk.emulator.blocks import TextBlock
from pytest_ocbulk.emulator.collection import Collection
from pytest_ocbulk.emulator.connectors import ObjectDefinition
from pytest_ocbulk.emulator.ocnql import parse_order, parse_where
from pytest_ocbulk.emulator.reading import Reading
from pytest_ocbulk.emulator.result_files import Shown, csv_stream, json_array, json_lines
from pytest_ocbulk.emulator.selection import Selection
from pytest_ocbulk.emulator.store import Store
from pytest_ocbulk.emulator.stored_values import encode

ANY = ObjectDefinition("any")
SPECIAL = st.sampled_from(
    [",", '"', "\n", "\r", "\\", "\0", "\b\f\x1f", "\x7f", "\u2028", "[", "]", "],[", '[""]']
)
TEXTS = st.one_of(st.text(st.characters(codec="utf-8"), max_size=4), SPECIAL)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters='"\\'), max_size=4)
OTHERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
ANYTHING = st.one_of(TEXTS, st.none(), OTHERS, st.booleans(), st.lists(st.integers(), max_size=2))
CELLS = st.sampled_from([st.one_of(PLAIN, st.none()), st.one_of(TEXTS, st.none()), ANYTHING])
"""Most downloads are nothing but texts and gaps, and a block with anything else in it must not pass as such a one."""

TABLES = CELLS.flatmap(lambda cell: st.lists(st.lists(cell, min_size=3, max_size=3), max_size=9))
PATHS = st.sampled_from([["a", "b", "c"], ["a", "b.x", "b.y"], ['"', "b\\", "ü\n"]])


class ByValues(Collection):
    """A collection whose rows can be had as single values only."""

    def select_json(self, *_: object, **__: object) -> tuple[str, int, int]:
        raise sqlite3.OperationalError("no such function: JSON_ARRAY")


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK_ROWS", size)
        yield


def files(collection: Collection, paths: list[str], show: Shown) -> list[bytes]:
    readings = [Reading(collection, paths) for _ in range(3)]
    bodies = (csv_stream(readings[0]), json_lines(readings[1], show), json_array(readings[2], show))
    return [b"".join(body) for body in bodies]


@given(TABLES, PATHS, st.integers(1, 3), st.builds(Shown, nulls=st.booleans(), native=st.booleans()))
def test_files_are_the_same_by_texts_as_by_single_values(
    table: list[list[Any]], paths: list[str], size: int, show: Shown
) -> None:
    with closing(Store()) as store, blocks_of(size):
        rows = [list(map(encode, row)) for row in table]
        collections = [Collection(store, 1, "fast", ANY), ByValues(store, 1, "slow", ANY)]
        for collection in collections:
            collection.insert(paths, rows, 1)
        fast, slow = (files(collection, paths, show) for collection in collections)
    assert fast == slow


@pytest.fixture
def collection() -> Iterator[Collection]:
    with closing(Store()) as store, blocks_of(2):
        yield store.collection(1, "any", ANY)


def spy(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, note: Callable[[str, dict[str, Any]], None]
) -> None:
    """Have each reading of the collection noted, with its name and options."""

    def watch(name: str) -> None:
        method = getattr(collection, name)

        def call(*args: Any, **options: Any) -> Any:
            note(name, options)
            return method(*args, **options)

        monkeypatch.setattr(collection, name, call)

    watch("select")
    watch("select_json")


def kinds(read: Reading) -> list[bool]:
    """Which blocks came as texts."""
    return [isinstance(block, TextBlock) for block in read.blocks()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (list("abcdefg"), [False, True, True, True]),
        (["a", None, None, "", ",", "x"], [False, True, True]),
        ([None, "b", "c"], [False, True]),
        (["a", "b", '"', "d", "e"], [False, False, False]),
        (["a", "b", "c", 1, "e", "f"], [False, False, False]),
        (["a", "b", "c", 1.5], [False, False]),
        (["a", "b", "c", b"[1]"], [False, False]),
        ([1, "b", "c", "d"], [False, False]),
        (["a"], [False]),
        ([], []),
    ],
)
def test_blocks_come_as_texts_as_long_as_they_are_nothing_else(
    collection: Collection, values: list[Any], expected: list[bool]
) -> None:
    collection.insert(["v"], [[value] for value in values], 1)
    assert kinds(Reading(collection, ["v"])) == expected


def test_where_sqlite_sorts_single_values_are_read(collection: Collection) -> None:
    collection.insert(["v"], [[letter] for letter in "abcd"], 1)
    assert kinds(Reading(collection, ["v"], order=parse_order("v desc"))) == [False, False]
    where = Selection(parse_where("v = 'a' or v > 'b'"))
    assert kinds(Reading(collection, ["v"], where)) == [False, False]


def test_no_more_is_read_when_a_block_is_not_full_or_enough_was_taken(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.insert(["v"], [[letter] for letter in "abcde"], 1)
    limits: list[int] = []
    spy(collection, monkeypatch, lambda _, options: limits.append(options["limit"]))
    for limit, expected in ((None, [2, 2, 2]), (4, [2, 2]), (3, [2, 1]), (2, [2]), (0, [0])):
        limits.clear()
        assert len(list(Reading(collection, ["v"], limit=limit).blocks())) == len(
            list(filter(None, expected))
        )
        assert limits == expected


@pytest.mark.parametrize("order", ["", "v desc"])
@pytest.mark.parametrize(("skip", "limit"), [(0, None), (3, None), (1, 6), (0, 5), (9, None), (0, 0)])
def test_texts_are_found_where_single_values_would_be(
    collection: Collection, order: str, skip: int, limit: int | None
) -> None:
    collection.insert(["v"], [[letter] for letter in "abcdefgh"], 1)
    collection.delete(4)
    read = Reading(collection, ["v"], order=parse_order(order) if order else (), skip=skip, limit=limit)
    letters = "hgfecba" if order else "abcefgh"
    found = letters[skip:] if limit is None else letters[skip : skip + limit]
    assert b"".join(csv_stream(read)).decode().split() == ["v", *found]


def test_nothing_is_read_before_it_is_asked_for_and_the_lock_is_held_only_meanwhile(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.insert(["v"], [[letter] for letter in "abc"], 1)
    notes: list[str] = []

    class Lock:
        def __enter__(self) -> None:
            notes.append("locked")

        def __exit__(self, *_: object) -> None:
            notes.append("free")

    spy(collection, monkeypatch, lambda name, _: notes.append(name))
    stream = csv_stream(Reading(collection, ["v"], lock=Lock()))
    assert notes == []
    assert next(stream) == b"v\na\nb\n"
    assert notes == ["locked", "select", "free"]
    assert next(stream) == b"c\n"
    assert notes[3:] == ["locked", "select_json", "free"]
