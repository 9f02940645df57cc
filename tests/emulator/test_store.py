"""The store: tables that follow their transactions, values that come back as they went in, rows found by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.collection import Collection, Taken
from pytest_ocbulk.emulator.connectors import FieldDefinition, ObjectDefinition
from pytest_ocbulk.emulator.errors import BadRequest
from pytest_ocbulk.emulator.ocnql import parse_order, parse_where
from pytest_ocbulk.emulator.selection import Selection
from pytest_ocbulk.emulator.store import Store
from pytest_ocbulk.emulator.stored_values import decode, encode, record
from pytest_ocbulk.emulator.table import MAX_COLUMNS

ANY = ObjectDefinition("any")
NUMBERED = ObjectDefinition(
    "numbered",
    fields={"id": FieldDefinition("id", type="integer"), "code": FieldDefinition("code", unique=True)},
)
NAMED = ObjectDefinition("named", fields={"name": FieldDefinition("name")}, primary_key="name")


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def failing(store: Store, *steps: Callable[[], object]) -> None:
    """A transaction that takes some steps and then fails."""
    with store.transaction():
        for step in steps:
            step()
        raise KeyError


def rows(collection: Collection, *paths: str, **options: Any) -> list[tuple[Any, ...]]:
    return [row[1:] for row in collection.select(paths=paths, **options)]


def test_records_may_have_no_fields_at_all(store: Store) -> None:
    collection = store.collection(1, "any", ANY)
    assert collection.insert([], [()], 1) == 1
    assert collection.insert([], [(), ()], 1, first=7) == 8
    assert [row[0] for row in collection.select()] == [1, 7, 8]


# -- values -------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda values: st.one_of(st.lists(values, max_size=3), st.dictionaries(st.text(), values, max_size=3)),
    max_leaves=5,
)


@given(VALUES)
def test_a_value_comes_back_as_it_went_in(value: Any) -> None:
    found = decode(encode(value))
    assert (found, type(found)) == (value, type(value))


def test_a_value_comes_back_through_the_database(store: Store) -> None:
    values: list[Any] = [True, 2**70, [1, {"a": None}], "\0", -(2**63), 1.5, None, {"ä": []}]
    collection = store.collection(1, "any", ANY)
    collection.insert(["v"], [[encode(value)] for value in values], 1)
    assert [decode(row[0]) for row in rows(collection, "v")] == values


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="Not valid Unicode text"):
        encode("\ud800")


def test_a_record_is_nested_and_has_no_nulls_unless_they_are_wanted() -> None:
    assert record(["a.b", "c", "d"], [1, None, b"[2]"]) == {"a": {"b": 1}, "d": [2]}
    assert record(["a.b", "c", "d"], [1, None, b"[2]"], nulls=True) == {"a": {"b": 1}, "c": None, "d": [2]}


# -- transactions -------------------------------------------------------------------------------------------


def test_a_table_that_was_made_in_a_failed_transaction_is_made_again(store: Store) -> None:
    collection = store.collection(1, "numbered", NUMBERED)
    with pytest.raises(Taken), store.transaction():
        collection.insert(["code"], [["x"], ["x"]], 1)
    assert not collection.exists
    assert (collection.count(), store.names(1)) == (0, [])
    collection.insert(["code"], [["x"]], 1)
    assert rows(collection, "id", "code") == [(1, "x")]


def test_a_column_that_was_made_in_a_failed_part_is_gone_with_it(store: Store) -> None:
    collection = store.collection(1, "any", ANY)
    collection.insert(["a"], [[1]], 1)
    with store.transaction():
        collection.insert(["b"], [[2]], 1)
        with pytest.raises(KeyError):
            failing(store, lambda: collection.insert(["c"], [[3]], 1))
        collection.insert(["d"], [[4]], 1)
    assert list(collection.columns) == ["a", "b", "d"]
    assert rows(collection, "a", "b", "c", "d") == [
        (1, None, None, None),
        (None, 2, None, None),
        (None, None, None, 4),
    ]


def test_a_part_that_succeeds_fails_with_the_whole(store: Store) -> None:
    collection = store.collection(1, "any", ANY)

    def part() -> None:
        with store.transaction():
            collection.insert(["a"], [[1]], 1)

    with pytest.raises(KeyError):
        failing(store, part)
    assert not collection.exists
    collection.insert(["b"], [[1]], 1)
    assert rows(collection, "a", "b") == [(None, 1)]


def test_a_table_that_was_dropped_in_a_failed_transaction_is_there_again(store: Store) -> None:
    collection = store.collection(1, "any", ANY)
    collection.insert(["a"], [[1]], 1)
    with pytest.raises(KeyError):
        failing(store, lambda: store.drop(1, "any"))
    assert store.collection(1, "any", ANY) is collection
    assert rows(collection, "a") == [(1,)]


# -- shape --------------------------------------------------------------------------------------------------


def test_objects_and_instances_are_apart(store: Store) -> None:
    for instance, name in ((1, "a"), (1, "b"), (2, "a")):
        store.collection(instance, name, ANY).insert(["v"], [[f"{instance}{name}"]], 1)
    assert rows(store.collection(1, "a", ANY), "v") == [("1a",)]
    store.forget(1)
    assert store.names(1) == []
    assert (store.collection(1, "a", ANY).count(), store.collection(2, "a", ANY).count()) == (0, 1)


def test_nothing_is_opened_before_something_is_written(store: Store) -> None:
    collection = store.collection(1, "any", ANY)
    assert (collection.exists, collection.count(), collection.select(), collection.row_of("id", 1)) == (
        False,
        0,
        [],
        None,
    )
    assert store.failures("1", 0, 10) == []


def test_hostile_names_are_ordinary_columns(store: Store) -> None:
    names = ['a"b', "'; DROP TABLE records_1; --", "ä b", "_seq", "c0", "", "x" * 300]
    collection = store.collection(1, "'; DROP TABLE collections; --", ANY)
    collection.insert(names, [list(names)], 1)
    assert rows(collection, *names) == [tuple(names)]


def test_there_is_a_limit_to_columns(store: Store) -> None:
    collection = store.collection(1, "any", ANY)
    with pytest.raises(BadRequest) as refusal, store.transaction():
        collection.ensure([f"c{number}" for number in range(MAX_COLUMNS + 1)])
    assert refusal.value.message == "any cannot have more than 1900 columns"
    collection.insert([f"c{number}" for number in range(MAX_COLUMNS)], [[1] * MAX_COLUMNS] * 20, 1)
    assert collection.count() == 20


# -- keys ---------------------------------------------------------------------------------------------------


def test_a_number_for_a_key_is_given_where_none_comes(store: Store) -> None:
    collection = store.collection(1, "numbered", NUMBERED)
    collection.insert(["id", "code"], [[7, "a"], [None, "b"]], 1)
    collection.insert(["code"], [["c"]], 1)
    assert rows(collection, "id", "code") == [(7, "a"), (8, "b"), (9, "c")]


@pytest.mark.parametrize(
    ("paths", "row", "field"),
    [(["id"], [7], "id"), (["code"], ["a"], "code"), (["id", "code"], [7, "a"], "id")],
)
def test_a_unique_value_that_is_taken_is_named(
    store: Store, paths: list[str], row: list[Any], field: str
) -> None:
    collection = store.collection(1, "numbered", NUMBERED)
    collection.insert(["id", "code"], [[7, "a"]], 1)
    with pytest.raises(Taken) as taken, store.transaction():
        collection.insert(paths, [row], 1)
    assert taken.value.field == field
    assert collection.count() == 1


def test_the_first_of_several_unique_fields_is_named(store: Store) -> None:
    shape = ObjectDefinition(
        "two", fields={name: FieldDefinition(name, unique=True) for name in ("a", "b", "c")}
    )
    collection = store.collection(1, "two", shape)
    collection.insert(["a", "b", "c"], [["1", "2", "3"]], 1)
    for paths, field in ((["c", "b", "a"], "a"), (["c", "b"], "b"), (["c"], "c")):
        with pytest.raises(Taken) as taken, store.transaction():
            collection.insert(paths, [[{"a": "1", "b": "2", "c": "3"}[path] for path in paths]], 1)
        assert taken.value.field == field


def test_missing_values_are_not_unique(store: Store) -> None:
    collection = store.collection(1, "numbered", NUMBERED)
    collection.insert(["code"], [[None], [""], [None]], 1, blanks=frozenset({0}))
    assert rows(collection, "code") == [(None,), (None,), (None,)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("7", 1), (7, 1), ("8", None), ("x", None), ("7.0", None), ("0_7", None), ("٧", None), ("9" * 30, None)],
    ids=repr,
)
def test_a_record_is_found_by_its_text_key(store: Store, wanted: Any, found: int | None) -> None:
    collection = store.collection(1, "named", NAMED)
    collection.insert(["name"], [["7"]], 1)
    assert collection.row_of("name", wanted) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("70", 70), (70, 70), ("7_0", None), ("x", None), ("", None), ("9" * 30, None)],
    ids=repr,
)
def test_a_record_is_found_by_its_number(store: Store, wanted: Any, found: int | None) -> None:
    collection = store.collection(1, "numbered", NUMBERED)
    collection.insert(["id"], [[70]], 1)
    assert collection.row_of("id", wanted) == found


def test_changing_and_removing(store: Store) -> None:
    collection = store.collection(1, "numbered", NUMBERED)
    collection.insert(["id", "code"], [[1, "a"], [2, "b"], [3, "c"]], 1)
    collection.update(2, {"code": "z"}, 5)
    collection.delete(1)
    assert rows(collection, "id", "code") == [(2, "z"), (3, "c")]
    with pytest.raises(Taken), store.transaction():
        collection.update(2, {"code": "c"}, 5)
    assert rows(collection, "code") == [("z",), ("c",)]


# -- selecting ----------------------------------------------------------------------------------------------


@pytest.fixture
def letters(store: Store) -> Collection:
    """Five records of one letter each, changed at 10, 20 ... 50; the fourth is visible from 100 on."""
    collection = store.collection(1, "any", ANY)
    for at, letter in enumerate("abcde", start=1):
        collection.insert(["v"], [[letter]], at * 10, 100 if letter == "d" else None)
    return collection


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(), "abcde"),
        (Selection(now=99), "abce"),
        (Selection(now=100), "abcde"),
        (Selection(changed_from=20, changed_to=40), "bcd"),
        (Selection(parse_where("v >= 'b' and v != 'c'"), now=99), "be"),
        (Selection(parse_where("w is null")), "abcde"),
        (Selection(parse_where("w = 'x'")), ""),
    ],
)
def test_a_selection_is_what_it_says(letters: Collection, selection: Selection, found: str) -> None:
    assert "".join(row[0] for row in rows(letters, "v", selection=selection)) == found
    assert letters.count(selection) == len(found)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"limit": 2}, "ab"),
        ({"limit": 2, "offset": 2}, "cd"),
        ({"after": 3}, "de"),
        ({"after": 3, "limit": 1}, "d"),
        ({"order": parse_order("v desc"), "limit": 2}, "ed"),
        ({"offset": 9}, ""),
    ],
)
def test_pages_are_cut_from_it(letters: Collection, options: dict[str, Any], found: str) -> None:
    assert "".join(row[0] for row in rows(letters, "v", **options)) == found


@pytest.mark.parametrize("gap", [False, True])
def test_a_far_page_is_the_same_with_and_without_gaps(
    store: Store, gap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_ocbulk.emulator.collection.FAR", 3)
    collection = store.collection(1, "any", ANY)
    collection.insert(["v"], [[number] for number in range(20)], 1)
    if gap:
        collection.delete(5)
    kept = [number for number in range(20) if not (gap and number == 4)]
    assert [row[0] for row in rows(collection, "v", offset=10, limit=3)] == kept[10:13]
    collection.delete(1)
    assert [row[0] for row in rows(collection, "v", offset=10, limit=3)] == kept[11:14]


def test_failed_rows_come_in_order_and_in_pages(store: Store) -> None:
    store.add_failures("1", [(3, "c"), (1, "a"), (2, "b")])
    store.add_failures("2", [(1, "other")])
    assert store.failures("1", 0, 2) == [(1, "a"), (2, "b")]
    assert store.failures("1", 2, 2) == [(3, "c")]
    assert store.failures("1", 0, 2, offset=2) == [(3, "c")]
    store.forget_failures(["1"])
    assert (store.failures("1", 0, 9), store.failures("2", 0, 9)) == ([], [(1, "other")])
