"""Every case at every target. What a case is, and which there are, is said in `cases/`."""

from __future__ import annotations

import pytest

from pytest_ocbulk.contract.case import Case
from pytest_ocbulk.contract.facts import Observation
from pytest_ocbulk.contract.running import all_cases, observe
from pytest_ocbulk.contract.target import Target


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_contract(contract_target: Target, case: Case) -> None:
    """The target shows what the evidence lets one expect."""
    seen = observe(case, contract_target)
    if seen.complaints:
        pytest.fail(complaint(seen, contract_target), pytrace=False)
    if seen.skipped:
        pytest.skip(seen.skipped)


def complaint(seen: Observation, target: Target) -> str:
    """What is wrong, where, and what says so."""
    lines = "\n".join(f"  {line}" for line in seen.complaints)
    return f"{target.name}: {seen.case.title}\n{lines}\n  evidence: {seen.case.source}"
