"""Where `pytest --pyargs pytest_ocbulk.contract` runs: every door of the fake in both dialects, or one service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ocbulk.contract.accounts import account
from pytest_ocbulk.contract.fakes import ALL_FAKES, fake
from pytest_ocbulk.contract.settings import find
from pytest_ocbulk.contract.target import Target
from pytest_ocbulk.emulator.errors import OcBulkError


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One target for each door and dialect; with `--ocbulk-target` that service alone."""
    if "contract_target" in metafunc.fixturenames:
        url = metafunc.config.getoption("ocbulk_target", None)
        places = [url] if url else ALL_FAKES
        names = ["target"] if url else [f"{door}-{dialect}" for door, dialect in ALL_FAKES]
        metafunc.parametrize("contract_target", places, ids=names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def contract_target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Where the cases run."""
    if isinstance(request.param, tuple):
        with fake(*request.param) as target:
            yield target
        return
    readonly = request.config.getoption("ocbulk_readonly", False)
    try:
        settings = find(Path.cwd())
        with account(request.param, settings, readonly=readonly) as target:
            yield target
    except OcBulkError as error:
        pytest.exit(f"--ocbulk-target: {error}", pytest.ExitCode.USAGE_ERROR)
