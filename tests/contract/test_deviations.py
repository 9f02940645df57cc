"""A wrong fake is found, and what is wrong about it is named: no deviation slips through, none is called another."""

from __future__ import annotations

from datetime import date

import pytest

from pytest_ocbulk.contract.facts import Observation
from pytest_ocbulk.contract.fakes import fake
from pytest_ocbulk.contract.parity import Parity, Verdict, compare
from pytest_ocbulk.contract.running import all_cases, observe

from .deviations import DEVIATIONS, DeviantEmulator, Deviation


def parity_of(deviation: Deviation, expected: list[Observation]) -> Parity:
    with fake("requests", emulator=DeviantEmulator(deviation), quirks=deviation.quirks) as target:
        seen = [observe(case, target) for case in all_cases()]
    return compare(expected, seen, target=deviation.name, fake="fake", today=date(2026, 1, 1))


def test_there_are_enough_deviations() -> None:
    assert len(DEVIATIONS) >= 10


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: each.name)
def test_a_deviation_is_found_and_named(deviation: Deviation, expected: list[Observation]) -> None:
    parity = parity_of(deviation, expected)
    assert {
        (each.case, each.fact) for each in parity.lines if each.verdict is Verdict.DIFFERS
    } == deviation.sees
    assert parity.failed
    assert parity.count(Verdict.SKIPPED) == 0


def test_without_a_deviation_nothing_is_found(expected: list[Observation]) -> None:
    parity = parity_of(Deviation("none", frozenset()), expected)
    assert not parity.failed
    assert {line.verdict for line in parity.lines} == {Verdict.SAME}


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: each.name)
def test_the_same_cases_complain_when_only_the_evidence_is_there(
    deviation: Deviation, expected: list[Observation]
) -> None:
    """`pytest --pyargs pytest_ocbulk.contract` holds a target against the evidence, without a fake beside it."""
    with fake("requests", emulator=DeviantEmulator(deviation), quirks=deviation.quirks) as target:
        cases = [case for case in all_cases() if case.name in {name for name, _ in deviation.sees}]
        assert all(observe(case, target).complaints for case in cases)
