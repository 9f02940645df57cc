"""Dotted columns and nested objects are two spellings of one record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.nesting import flatten, nest


@pytest.mark.parametrize(
    ("record", "flat"),
    [
        ({}, {}),
        ({"a": 1}, {"a": 1}),
        ({"a": {"b": {"c": 1}, "d": None}}, {"a.b.c": 1, "a.d": None}),
        ({"a": {}}, {"a": {}}),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}),
        ({"a": {"b": [1]}}, {"a.b": [1]}),
    ],
)
def test_nested_objects_become_dotted_names(record: dict[str, Any], flat: dict[str, Any]) -> None:
    assert flatten(record) == flat
    assert nest(flat.items()) == record


@pytest.mark.parametrize(
    ("pairs", "record"),
    [
        ([("Name", "x"), ("Parent.Name", "y")], {"Name": "x", "Parent": {"Name": "y"}}),
        ([("emails.emailList[*].address", "a@b.co")], {"emails": {"emailList": [{"address": "a@b.co"}]}}),
        ([("l[*].a", 1), ("l[*].b", 2)], {"l": [{"a": 1, "b": 2}]}),
        ([("tags[*]", "x")], {"tags": ["x"]}),
        ([("a.b[*].c[*]", 1)], {"a": {"b": [{"c": [1]}]}}),
        ([("a", 1), ("a.b", 2)], {"a": {"b": 2}}),
        ([("a.b", 2), ("a", 1)], {"a": 1}),
        ([("a[*].b", 1), ("a", 2)], {"a": 2}),
        ([("a", 2), ("a[*].b", 1)], {"a": [{"b": 1}]}),
        ([("a.b", 1), ("a[*].b", 2)], {"a": [{"b": 2}]}),
    ],
)
def test_dotted_names_become_nested_objects_and_the_later_name_wins(
    pairs: list[tuple[str, Any]], record: dict[str, Any]
) -> None:
    assert nest(pairs) == record


NAMES = st.text(st.characters(exclude_characters=".", codec="utf-8"), min_size=1, max_size=4).filter(
    lambda name: not name.endswith("[*]")
)
RECORDS = st.recursive(
    st.dictionaries(NAMES, st.one_of(st.none(), st.integers(), st.text(max_size=3)), min_size=1, max_size=3),
    lambda children: st.dictionaries(NAMES, children, min_size=1, max_size=3),
    max_leaves=8,
)


@given(RECORDS)
def test_what_is_flattened_nests_back(record: dict[str, Any]) -> None:
    assert nest(flatten(record).items()) == record
