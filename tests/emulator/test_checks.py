"""What a value must satisfy: texts letter by letter, whole columns and single values judged alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator import checks
from pytest_ocbulk.emulator.checks import Value, check_column, convert, text_fault
from pytest_ocbulk.emulator.connectors import FieldDefinition


def test_the_texts_are_the_bad_value_a_colon_and_the_message() -> None:
    assert checks.required("name") == "name: A value is required"
    assert checks.conflict("emailAddress") == "Conflicts Found - emailAddress"
    assert checks.invalid_email("74234", "email") == "74234: Invalid email address in email"
    assert checks.too_long("abcd", 3, "code") == "abcd: Longer than 3 characters in code"
    assert checks.not_a("integer", "x", "size") == "x: Not a valid integer in size"
    assert checks.mismatch("x", "[0-9]+", "size") == "x: Does not match [0-9]+ in size"


@pytest.mark.parametrize(
    "address",
    ["a@b.co", "norm.smith@acme.com", "o'neil+tag@mail.example.org", "ä@ö.example", "a@b-c.d"],
)
def test_an_address_is_taken(address: str) -> None:
    assert text_fault(FieldDefinition("e", format="email"), address) is None


@pytest.mark.parametrize(
    "address",
    [
        "74234",
        "a@b",
        "@b.co",
        "a@",
        "a b@c.de",
        "a@b@c.de",
        "a@.de",
        "a@b..de",
        "a@b.",
        "a,b@c.de",
        " a@b.co",
        "a@b.co\n",
    ],
)
def test_what_is_no_address_is_not(address: str) -> None:
    fault = text_fault(FieldDefinition("e", format="email"), address)
    assert fault == f"{address}: Invalid email address in e"


@pytest.mark.parametrize(
    ("definition", "value", "fault"),
    [
        (FieldDefinition("f", max_length=3), "abc", None),
        (FieldDefinition("f", max_length=3), "äöü", None),
        (FieldDefinition("f", max_length=3), "abcd", "abcd: Longer than 3 characters in f"),
        (FieldDefinition("f", pattern="[A-Z]+"), "AB", None),
        (FieldDefinition("f", pattern="[A-Z]+"), "ABc", "ABc: Does not match [A-Z]+ in f"),
        (FieldDefinition("f", max_length=2, format="email"), "abc", "abc: Longer than 2 characters in f"),
        (FieldDefinition("f", max_length=1, format="email", pattern="x"), "", None),
        (FieldDefinition("f", max_length=1, format="email", pattern="x"), None, None),
        (FieldDefinition("f", max_length=1), 12, "12: Longer than 1 characters in f"),
    ],
)
def test_the_first_thing_that_is_wrong_is_reported(
    definition: FieldDefinition, value: Value, fault: str | None
) -> None:
    assert text_fault(definition, value) == fault


@pytest.mark.parametrize(
    ("kind", "given_value", "value"),
    [
        ("string", 12, "12"),
        ("integer", "12", 12),
        ("integer", " -7 ", -7),
        ("integer", 2**63 - 1, 2**63 - 1),
        ("number", "1.5", 1.5),
        ("number", "2.0", 2),
        ("number", "1e3", 1000),
        ("number", 7, 7),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("boolean", False, False),
        ("boolean", 1, True),
        ("date", "2024-02-29", "2024-02-29"),
        ("datetime", "2015-10-22T16:40:09.563", "2015-10-22T16:40:09.563"),
        ("datetime", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("integer", "", ""),
        ("boolean", None, None),
    ],
)
def test_a_value_becomes_one_of_its_type(kind: str, given_value: Value, value: Value) -> None:
    found = convert(FieldDefinition("f", type=kind), given_value)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1.5"), ("integer", "x"), ("integer", True), ("integer", 2**63),
        ("integer", "9" * 20),
        ("integer", [1]), ("number", "nan"), ("number", "inf"), ("number", "x"), ("number", True), ("number", {"a": 1}),
        ("datetime", "soon"),
    ],
)  # fmt: skip
def test_a_value_that_is_none_of_its_type_is_a_fault(kind: str, value: Any) -> None:
    definition = FieldDefinition("f", type=kind)
    with pytest.raises((ValueError, TypeError)):
        convert(definition, value)
    assert check_column(definition, [value])[1] == {0: f"{value}: Not a valid {kind} in f"}


def test_a_column_is_converted_where_it_can_be_and_faults_name_the_row() -> None:
    column, faults = check_column(FieldDefinition("size", type="integer"), ["1", "", "x", None, "4"])
    assert list(column) == [1, None, "x", None, 4]
    assert faults == {2: "x: Not a valid integer in size"}


def test_a_required_column_faults_where_a_value_is_missing_and_nowhere_else() -> None:
    definition = FieldDefinition("e", required=True, format="email")
    column, faults = check_column(definition, ["a@b.co", "", None, "bad"])
    assert list(column) == ["a@b.co", "", None, "bad"]
    assert faults == {
        1: "e: A value is required",
        2: "e: A value is required",
        3: "bad: Invalid email address in e",
    }


def test_a_required_number_that_is_missing_is_missing_and_not_of_a_wrong_type() -> None:
    _, faults = check_column(FieldDefinition("n", type="number", required=True), ["", "x", "1"])
    assert faults == {0: "n: A value is required", 1: "x: Not a valid number in n"}


def test_an_empty_column_has_no_faults() -> None:
    assert check_column(FieldDefinition("e", required=True, format="email", max_length=1), [])[1] == {}
    assert check_column(FieldDefinition("e", required=True, pattern="x"), [])[1] == {}


TEXTS = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["a@b.co", "", "12", "A"]))
DEFINITIONS = st.builds(
    FieldDefinition,
    name=st.just("f"),
    type=st.just("string"),
    required=st.booleans(),
    max_length=st.one_of(st.none(), st.integers(0, 8)),
    pattern=st.sampled_from([None, "[A-Z0-9]+", ".*@.*"]),
    format=st.sampled_from([None, "email"]),
)


@given(DEFINITIONS, st.lists(TEXTS, max_size=5))
def test_a_column_is_judged_as_its_values_are_one_by_one(
    definition: FieldDefinition, column: list[Value]
) -> None:
    expected = {}
    for at, value in enumerate(column):
        missing = definition.required and value in (None, "")
        fault = "f: A value is required" if missing else text_fault(definition, value)
        if fault:
            expected[at] = fault
    assert check_column(definition, column)[1] == expected


@given(st.lists(st.from_regex(r"[ab@.,; \n]{0,8}", fullmatch=True), min_size=1, max_size=5))
def test_a_column_of_addresses_is_passed_at_once_just_if_each_of_them_is(column: list[str]) -> None:
    definition = FieldDefinition("e", format="email")
    one_by_one = {at: fault for at, value in enumerate(column) if (fault := text_fault(definition, value))}
    assert checks.check_column(definition, column) == (column, one_by_one)


@given(st.lists(st.from_regex(r"[ab]@[ab]\.[ab]\n?", fullmatch=True), min_size=1, max_size=5))
def test_an_address_with_a_line_end_is_not_hidden_by_its_neighbours(column: list[str]) -> None:
    _, faults = checks.check_column(FieldDefinition("e", format="email"), column)
    assert sorted(faults) == [at for at, value in enumerate(column) if "\n" in value]
