"""Every instance that a test has made is given back: an unfinished upload holds a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .service import Service


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    yield
    while Service.opened:
        Service.opened.pop().emulator.close()
