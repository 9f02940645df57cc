"""Columns by which records are looked for again and again have an index; SQLite's own plan says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator import lookups
from pytest_ocbulk.emulator.collection import Collection
from pytest_ocbulk.emulator.connectors import ObjectDefinition
from pytest_ocbulk.emulator.lookups import Lookups, looked_up
from pytest_ocbulk.emulator.ocnql import parse_where
from pytest_ocbulk.emulator.selection import Selection
from pytest_ocbulk.emulator.store import Store

from .asking import Asked, body_of, form

ANY = ObjectDefinition("any")
FRESH = count()


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def people(store: Store, number: int) -> Collection:
    collection = store.collection(1, "people", ANY)
    collection.insert(["name", "town"], [[f"n{at % 7}", f"t{at % 5}"] for at in range(number)], 1)
    return collection


def finds(collection: Collection, where: str) -> list[tuple[Any, ...]]:
    return collection.select(Selection(parse_where(where)))


def plan(collection: Collection, path: str) -> str:
    """How SQLite finds the records with a value in a column."""
    fresh = next(FRESH)  # or an explanation of earlier would be remembered
    query = (
        f"EXPLAIN QUERY PLAN SELECT {fresh} FROM {collection.table} WHERE {collection.columns[path]} = 'x'"
    )
    return str(collection.database.db.execute(query).fetchone()[3])


def has_index(collection: Collection, path: str) -> bool:
    return plan(collection, path).startswith("SEARCH") and "INDEX" in plan(collection, path)


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ("town = 'x'", "town"),
        ("name like 'x%' and town = 'x' and name = 'y'", "town"),
        ("(name > 'x' or town = 'x') and name = 'y'", "name"),
        ("town = '12'", "town"),
        ("town = ''", None),
        ("town = 12", None),
        ("town = 'true'", None),
        ("town = '2024-01-01'", None),
        ("town = 'x' or name = 'y'", None),
        ("not town = 'x'", None),
        ("town != 'x'", None),
        ("town > 'x'", None),
    ],
)
def test_one_certain_text_is_what_an_index_finds(where: str, field: str | None) -> None:
    assert looked_up(parse_where(where)) == field


def test_everything_is_looked_up_by_nothing() -> None:
    assert looked_up(None) is None


def test_an_index_is_worth_it_after_the_table_was_looked_through_twice() -> None:
    kept = Lookups()
    assert [kept.note("town", 1_000_000) for _ in range(3)] == [False, False, True]


def test_small_tables_have_to_be_looked_through_more_often() -> None:
    kept = Lookups()
    assert [kept.note("town", 1000) for _ in range(101)] == [False] * 100 + [True]


def test_columns_pay_for_themselves() -> None:
    kept = Lookups()
    assert not any(kept.note(column, 100_000) for column in "abcd")


def test_a_column_that_is_looked_up_again_gets_an_index(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "_PRICE", 0)
    collection = people(store, 70)
    found = [finds(collection, "town = 't3' and name = 'n3'") for _ in range(2)]
    assert not has_index(collection, "town")
    found += [finds(collection, "town = 't3' and name = 'n3'") for _ in range(2)]
    assert has_index(collection, "town")
    assert not has_index(collection, "name")
    assert found == [[(4, 4, "n3", "t3"), (39, 39, "n3", "t3")]] * 4


@given(st.data())
def test_what_is_found_by_an_index_is_what_is_found_without(data: st.DataObject) -> None:
    values = st.one_of(st.none(), st.sampled_from(["a", "A", "", "1", "01", "1.0"]), st.integers(0, 2))
    table = data.draw(st.lists(st.tuples(values, values), max_size=12))
    wanted = data.draw(st.sampled_from(["a", "A", "", "1", "01", "1.0"]))
    where = f"x = '{wanted}'" + data.draw(st.sampled_from(["", " and y = '1'", " and y is not null"]))
    store = Store()
    collection = store.collection(1, "any", ANY)
    collection.insert(["x", "y"], table, 1)
    before = finds(collection, where)
    collection.expect_lookups("x")
    assert finds(collection, where) == before
    store.close()


def test_what_comes_in_bulk_does_not_wait_for_the_index(store: Store) -> None:
    collection = people(store, 10)
    collection.expect_lookups("town")
    collection.insert(["name", "town"], [["one", "more"]], 2)
    assert has_index(collection, "town")
    collection.insert(["name", "town"], [["many", "more"]] * 500, 2)
    assert not has_index(collection, "town")
    collection.expect_lookups("town")
    assert has_index(collection, "town")


def test_an_index_goes_with_the_transaction_that_made_it(store: Store) -> None:
    collection = people(store, 10)

    def fail() -> None:
        with store.transaction():
            collection.expect_lookups("town")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not has_index(collection, "town")
    collection.expect_lookups("town")
    assert has_index(collection, "town")


@pytest.mark.parametrize("path", ["nothing", "id"])
def test_what_is_no_column_gets_none(store: Store, path: str) -> None:
    collection = people(store, 10)
    collection.expect_lookups(path)
    assert finds(collection, f"{path} = 'x'") == []


def test_a_later_process_begins_without(tmp_path: Path) -> None:
    path = str(tmp_path / "kept.db")
    store = Store(path)
    people(store, 10).expect_lookups("town")
    store.close()
    again = Store(path)
    assert again.db.in_transaction is False  # it is open, and knows what is kept
    collection = again.collection(1, "people", ANY)
    assert not has_index(collection, "town")
    collection.expect_lookups("town")
    assert has_index(collection, "town")
    again.close()


@pytest.mark.parametrize("action", ["update", "upsert"])
def test_rows_that_are_updated_are_found_by_an_index(action: str) -> None:
    with Asked() as fake:
        rows = b"".join(b"u%d@example.com,%d\n" % (at, at) for at in range(20))
        first, again = b"C_EmailAddress,C_BusPhone\n" + rows, b"C_BusPhone,C_Company\n1,Acme\n"
        fake.status(fake.upload(first))
        body, headers = form(again, {"action": action, "identifierFieldName": "C_BusPhone"})
        job = json.loads(body_of(fake.answer("POST", "/bulk/contact", body, headers)))["id"]
        assert fake.get(f"/bulk/{job}/status")["recordsFailedCount"] == 0
        shape = fake.instance.shape("contact")
        assert shape is not None
        collection = fake.emulator.store.collection(fake.instance.id, "contact", shape)
        assert has_index(collection, "C_BusPhone")
        assert finds(collection, "C_Company = 'Acme'")[0][0] == 2
