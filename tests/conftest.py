"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.server import Server

from .served import Served, served

# A busy machine is no defect of the code: examples may take their time, and there are enough of them in all.
settings.register_profile(
    "ocbulk", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ocbulk")

# Where a proxy is set, it must not see what is meant for this machine: it would not find our ports.
os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), "127.0.0.1", "localhost"]))


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Server, Emulator]]:
    """A server for the tests of a module, with its emulator."""
    emulator = Emulator()
    with Server(emulator) as server:
        yield server, emulator


@pytest.fixture
def fake(server: tuple[Server, Emulator]) -> Iterator[Served]:
    """A fresh instance on it."""
    with served(*server) as fake:
        yield fake
