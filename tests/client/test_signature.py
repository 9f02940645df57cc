"""The signature of a callback, against the vendor's published example (fixtures/vectors)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ocbulk.client import verify_signature

VECTORS = json.loads((Path(__file__).parents[2] / "fixtures/vectors/signature.json").read_text())


def test_the_published_example_is_genuine() -> None:
    valid = VECTORS["valid"]
    assert verify_signature(valid["key"], valid["body"].encode(), valid["signature"])
    assert verify_signature(valid["key"].encode(), valid["body"].encode(), valid["signature"])


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["why"])
def test_anything_else_is_not(vector: dict[str, Any]) -> None:
    assert not verify_signature(vector["key"], vector["body"].encode(), vector["signature"])


def test_a_header_with_foreign_characters_is_not_genuine_and_no_error() -> None:
    valid = VECTORS["valid"]
    assert not verify_signature(valid["key"], valid["body"].encode(), valid["signature"] + "é")
