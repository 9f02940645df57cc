"""Java's date masks in file names (protocol.md 3.2); expected texts are what Java's SimpleDateFormat documents."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_ocbulk.emulator.errors import BadRequest
from pytest_ocbulk.emulator.file_names import MASKS, dated, disposition

AFTERNOON = datetime(2024, 3, 5, 14, 7, 9, 42_000, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2024, 11, 30, tzinfo=UTC).timestamp()

FILLED = {
    "yyyy-MM-dd'T'HH:mm:ssXXX": "2024-03-05T14:07:09Z",
    "yyyy-MM-dd'T'HH:mm:ss'Z'": "2024-03-05T14:07:09Z",
    "yyyy-MM-dd'T'HH:mm:ss.SXXX": "2024-03-05T14:07:09.42Z",
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX": "2024-03-05T14:07:09.042Z",
    "yyyy-MM-dd'T'HH:mm:ss.SSSZ": "2024-03-05T14:07:09.042+0000",
    "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'": "2024-03-05T14:07:09.042Z",
    "yyyy-MM-dd HH:mm:ss": "2024-03-05 14:07:09",
    "yyyy.MM.dd G 'at' HH:mm:ss z": "2024.03.05 AD at 14:07:09 UTC",
    "h:mm a": "2:07 PM",
    "yyyyy.MMMMM.dd GGG hh:mm aaa": "02024.March.05 AD 02:07 PM",
    "yyMMddHHmmssZ": "240305140709+0000",
}


@pytest.mark.parametrize("mask", MASKS)
def test_every_valid_mask_is_filled_in(mask: str) -> None:
    assert dated(f"a_{{{mask}}}_b", AFTERNOON) == f"a_{FILLED[mask]}_b"


def test_midnight_is_twelve_in_the_morning() -> None:
    assert dated("{h:mm a}", MIDNIGHT) == "12:00 AM"


def test_a_name_without_braces_stays_as_it_is() -> None:
    assert dated("yyyy.csv", AFTERNOON) == "yyyy.csv"


def test_any_other_mask_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(BadRequest) as refused:
        dated("{yyyy}", AFTERNOON)
    assert (
        refused.value.message
        == f"Expected the date format in fileName to be one of {', '.join(MASKS)}, got 'yyyy'"
    )


def test_what_a_header_cannot_hold_becomes_an_underscore() -> None:
    assert disposition('a"b\\c\r\nX: é.csv') == 'attachment; filename="a_b_c__X: _.csv"'
