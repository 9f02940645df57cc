"""What happened, as a sequence: by place, from the end, in slices, and printed so that one sees what it is."""

from __future__ import annotations

import pytest

from pytest_ocbulk.emulator.oldest_first import OldestFirst


class Letters(OldestFirst[str]):
    def __init__(self, letters: str) -> None:
        self.letters = letters

    def _copy(self) -> str:
        return self.letters


def test_entries_are_found_by_place_and_from_the_end() -> None:
    log = Letters("abc")
    assert (log[0], log[-1], list(log[1:]), list(log), len(log)) == ("a", "c", ["b", "c"], [*"abc"], 3)
    assert (log.index("b"), "b" in log, list(reversed(log))) == (1, True, ["c", "b", "a"])


@pytest.mark.parametrize("place", [3, -4])
def test_a_place_that_is_not_there_is_told_with_how_many_there_are(place: int) -> None:
    with pytest.raises(IndexError) as error:
        Letters("abc")[place]
    assert str(error.value) == f"there is no entry at place {place}, there are 3"


@pytest.mark.parametrize(
    ("letters", "text"),
    [
        ("", "<Letters of 0>"),
        ("abc", "<Letters of 3: a, b, c>"),
        ("abcdefg", "<Letters of 7: ..., c, d, e, f, g>"),
    ],
)
def test_it_prints_how_many_there_are_and_the_last_ones(letters: str, text: str) -> None:
    assert repr(Letters(letters)) == text
