"""A client on stopped time, and a `responses` mock to answer it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from pytest_ocbulk.client import BulkClient

from .stand_ins import Time, make


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client(time: Time) -> Iterator[BulkClient]:
    with make(clock=time.clock, sleep=time.sleep) as client:
        yield client
