"""Rows that were uploaded before are known again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_ocbulk.emulator.checks import Value
from pytest_ocbulk.emulator.connectors import ObjectDefinition, built_in
from pytest_ocbulk.emulator.row_keys import RowKeys
from pytest_ocbulk.emulator.rows import Chunk

CONTACT = built_in("marketing").objects["contact"]
CAMPAIGN = built_in("marketing").objects["campaign"]


def keys(
    columns: str, *rows: Sequence[Value], key: str | None = None, shape: ObjectDefinition | None = CONTACT
) -> RowKeys:
    found = RowKeys(key, shape, new=True)
    found.add(Chunk(tuple(columns.split()), rows, 1, text=True))
    return found


def test_a_row_is_known_by_its_unique_field() -> None:
    one = keys("C_EmailAddress C_Title", ("a@b.co", "Dr"), ("b@b.co", ""))
    other = keys("C_Title C_EmailAddress", ("", "b@b.co"), ("Prof", "a@b.co"))
    assert list(one) == list(reversed(list(other)))
    assert one.column == "C_EmailAddress"
    assert len(one) == 2


def test_the_key_of_the_metadata_comes_first() -> None:
    assert keys("C_EmailAddress C_Title", ("a@b.co", "Dr"), key="C_Title").column == "C_Title"


def test_a_primary_key_will_do() -> None:
    assert keys("id name", ("1", "A"), shape=CAMPAIGN).column == "id"


@pytest.mark.parametrize("shape", [CAMPAIGN, None])
def test_without_a_key_the_whole_row_counts(shape: ObjectDefinition | None) -> None:
    one, other = keys("name", ("A",), ("B",), shape=shape), keys("name", ("A",), ("C",), shape=shape)
    assert one.column == ""
    assert [first == second for first, second in zip(one, other, strict=True)] == [True, False]


def test_an_empty_key_does_not_make_rows_the_same() -> None:
    one, other = keys("C_EmailAddress C_Title", ("", "Dr"), ("", "Prof"))
    assert one != other


def test_values_without_a_hash_are_understood() -> None:
    one, other, third = keys("id", ([1],), ([2],), ([1],), shape=CAMPAIGN)
    assert one == third != other


def test_chunks_follow_each_other() -> None:
    found = keys("id", ("1",), ("2",), shape=CAMPAIGN)
    found.add(Chunk(("name",), [("A",)], 3, text=False))
    assert len(found) == 3
