"""The two wordings, and the quirks as switches: set by name, refused letter by letter."""

from __future__ import annotations

from dataclasses import fields

import pytest

from pytest_ocbulk.emulator.dialect import DIALECTS, DOCUMENTED, LIVE, Quirks, dialect_named, set_quirks
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.jobs import KNOWN


def test_the_wordings_differ_in_the_final_word_only() -> None:
    assert {
        word: (DOCUMENTED.word(word), LIVE.word(word)) for word in KNOWN if DOCUMENTED.word(word) != word
    } == {"COMPLETED": ("COMPLETE", "COMPLETED")}
    assert all(LIVE.word(word) == word for word in KNOWN)
    assert DOCUMENTED.quirks == LIVE.quirks


def test_a_dialect_is_found_by_its_name() -> None:
    assert [dialect_named(name) for name in ("documented", "live")] == [DOCUMENTED, LIVE]
    assert list(DIALECTS) == ["documented", "live"]


def test_an_unknown_dialect_is_refused_with_the_nearest() -> None:
    with pytest.raises(OcBulkError) as refusal:
        dialect_named("life")
    assert str(refusal.value) == "unknown dialect 'life'; did you mean 'live'?"


@pytest.mark.parametrize("quirk", fields(Quirks), ids=lambda quirk: str(quirk.name))
def test_every_quirk_says_what_it_is_and_where_it_is_from(quirk: object) -> None:
    doc = quirk.metadata["doc"]  # type: ignore[attr-defined]  # a dataclasses.Field
    assert "(" in doc
    assert any(digit in doc for digit in "123456789")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("json_shape", "array", "array"),
        ("id_type", "number", "number"),
        ("counts_include_failed", "false", False),
        ("counts_include_failed", "TRUE", True),
        ("counts_include_failed", False, False),
        ("malformed_query_status", "500", 500),
        ("retention_days", "7", 7),
        ("callback_lag", "1.5", 1.5),
        ("callback_lag", 60, 60.0),
        ("visibility_lag", "2m", 120.0),
        ("cancelled_word", "CANCELED", "CANCELED"),
    ],
)
def test_a_quirk_is_set_by_name_from_values_or_text(name: str, value: object, read: object) -> None:
    changed = set_quirks(Quirks(), {name: value})
    assert getattr(changed, name) == read
    assert type(getattr(changed, name)) is type(read)
    others = [each.name for each in fields(Quirks) if each.name != name]
    assert all(getattr(changed, other) == getattr(Quirks(), other) for other in others)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("json_shap", "array", "unknown quirk 'json_shap'; did you mean 'json_shape'?"),
        ("json_shape", "xml", "quirk json_shape is one of 'lines', 'array', got 'xml'"),
        ("json_shape", 1, "quirk json_shape is one of 'lines', 'array', got 1"),
        ("malformed_query_status", "404", "quirk malformed_query_status is one of 400, 500, got 404"),
        ("malformed_query_status", "bad", "quirk malformed_query_status is one of 400, 500, got 'bad'"),
        ("counts_include_failed", "maybe", "quirk counts_include_failed is true or false, got 'maybe'"),
        ("counts_include_failed", 1, "quirk counts_include_failed is true or false, got 1"),
        ("retention_days", "1.5", "quirk retention_days is a whole number from 0 to 36525, got '1.5'"),
        ("retention_days", True, "quirk retention_days is a whole number from 0 to 36525, got True"),
        ("retention_days", "-1", "quirk retention_days is a whole number from 0 to 36525, got -1"),
        ("retention_days", 36526, "quirk retention_days is a whole number from 0 to 36525, got 36526"),
        (
            "callback_lag",
            "soon",
            "quirk callback_lag: 'soon' is not a duration; write it like '250ms', '2s', '10m' or '1h30m'",
        ),
        ("callback_lag", "-1", "quirk callback_lag: a duration cannot be negative, got -1.0"),
        (
            "visibility_lag",
            "inf",
            "quirk visibility_lag: a duration is a number of seconds up to 36525d, got inf",
        ),
        (
            "visibility_lag",
            "nan",
            "quirk visibility_lag: a duration is a number of seconds up to 36525d, got nan",
        ),
        (
            "visibility_lag",
            True,
            "quirk visibility_lag: a duration is a number of seconds or a text like '2s' or '10m', got True",
        ),
    ],
)
def test_a_wrong_quirk_is_refused(name: str, value: object, complaint: str) -> None:
    with pytest.raises(OcBulkError) as refusal:
        set_quirks(Quirks(), {name: value})
    assert str(refusal.value) == complaint


def test_a_dialect_with_quirks_keeps_its_wording() -> None:
    changed = LIVE.with_quirks({"cancelled_word": "CANCELED"})
    assert (changed.word("COMPLETED"), changed.word("CANCELLED")) == ("COMPLETED", "CANCELED")
    assert LIVE.with_quirks({}) is LIVE
