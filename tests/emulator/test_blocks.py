"""Blocks of texts: Python's json module reads the objects back, and what is none is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ocbulk.emulator.blocks import TextBlock

NAMES = ['"a"', '"b"', '"c"']
X = '[""]'


def block(text: str, rows: int) -> TextBlock | None:
    return TextBlock.of_json(text, rows, 3)


def row(*values: str | None) -> str:
    return f"[{','.join(X if value is None else json.dumps(value, ensure_ascii=False) for value in values)}]"


TABLE: list[tuple[str | None, ...]] = [
    ("1", "x", ""),
    ("],[", ",", "["),
    ("2", None, "y"),
    ("3", "ü", None),
    ("4", None, None),
    ("5", "", "\x7f"),
]
FIRST_IS_MISSING: list[tuple[str | None, ...]] = [(None, "x", None), (None, None, "y"), ("1", "x", "z")]


def shown(table: list[tuple[str | None, ...]], *, nulls: bool) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in zip("abc", each, strict=True) if nulls or value is not None}
        for each in table
    ]


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize(
    "table", [TABLE, TABLE[:1], FIRST_IS_MISSING, FIRST_IS_MISSING[:1], [(None, None, None)]]
)
def test_objects_are_read_back_by_the_json_module(table: list[tuple[str | None, ...]], nulls: bool) -> None:
    found = block(",".join(row(*each) for each in table), len(table))
    assert found is not None
    for _ in range(2):  # nothing is lost by writing
        lines = found.objects(NAMES, ";\n", nulls=nulls).split(";\n")
        assert [json.loads(line) for line in lines[:-1]] == shown(table, nulls=nulls)
        assert lines[-1] == ""


def test_missing_values_are_none_among_columns_or_empty_texts() -> None:
    found = block(",".join(row(*each) for each in FIRST_IS_MISSING), 3)
    assert found is not None
    assert found.columns() == [[None, None, "1"], ["x", None, "x"], [None, "y", "z"]]
    assert found.columns(blank=True) == [["", "", "1"], ["x", "", "x"], ["", "y", "z"]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('["a","b",1]', 1),
        ('["a",null,"c"]', 1),
        (r'["a","b","\""]', 1),
        (r'["a","b","\u0000"]', 1),
        (r'[1,"b","\","]', 1),
        ('["a","b","c"]', 2),
    ],
)
def test_what_is_not_all_texts_or_has_escapes_is_none(text: str, rows: int) -> None:
    assert block(text, rows) is None
