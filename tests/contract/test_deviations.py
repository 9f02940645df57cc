"""A wrong fake is found, and what is wrong about it is named: no deviation slips through, none is called another."""

from __future__ import annotations

from datetime import date

import pytest

from pytest_ocbulk.contract.facts import Observation
from pytest_ocbulk.contract.fakes import fake
from pytest_ocbulk.contract.parity import Parity, Verdict, compare
from pytest_ocbulk.contract.running import all_cases, observe

from .deviations import DEVIATIONS, DeviantEmulator, Deviation


def observed(deviation: Deviation) -> list[Observation]:
    with fake("requests", emulator=DeviantEmulator(deviation), quirks=deviation.quirks) as target:
        return [observe(case, target) for case in all_cases()]


def parity_of(seen: list[Observation], expected: list[Observation]) -> Parity:
    return compare(expected, seen, target="deviant", fake="fake", today=date(2026, 1, 1))


def test_there_are_enough_deviations() -> None:
    assert len(DEVIATIONS) >= 10


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: each.name)
def test_a_deviation_is_found_and_named(deviation: Deviation, expected: list[Observation]) -> None:
    """Beside the fake, and as `pytest --pyargs pytest_ocbulk.contract` sees it, with the evidence alone."""
    seen = observed(deviation)
    parity = parity_of(seen, expected)
    assert {
        (each.case, each.fact) for each in parity.lines if each.verdict is Verdict.DIFFERS
    } == deviation.sees
    assert parity.failed
    assert parity.count(Verdict.SKIPPED) == 0
    assert {each.case.name for each in seen if each.complaints} == {case for case, _ in deviation.sees}


def test_without_a_deviation_nothing_is_found(expected: list[Observation]) -> None:
    seen = observed(Deviation("none", frozenset()))
    parity = parity_of(seen, expected)
    assert not parity.failed
    assert {line.verdict for line in parity.lines} == {Verdict.SAME}
    assert [each.complaints for each in seen if each.complaints] == []
