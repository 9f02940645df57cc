"""What the fake shows in the contract, observed once for all tests that compare with it."""

from __future__ import annotations

import pytest

from pytest_ocbulk.contract.facts import Observation
from pytest_ocbulk.contract.fakes import fake
from pytest_ocbulk.contract.running import all_cases, observe


@pytest.fixture(scope="package")
def expected() -> list[Observation]:
    with fake("requests") as target:
        return [observe(case, target) for case in all_cases()]
