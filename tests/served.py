"""The fake on a real port, for tests of what talks to it; each test gets an instance of its own."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from pytest_ocbulk.client import BulkClient
from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import dialect_named
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.emulator.plans import JobPlan
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.server import Server


@dataclass(frozen=True)
class Served:
    """An instance of the fake behind a socket, and its clock, which the client's sleeping moves."""

    base_url: str
    emulator: Emulator
    instance: Instance
    clock: ManualClock

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a client or the command line here."""
        return {
            "OPEN_CONNECTORS_BASE_URL": self.base_url,
            "OPEN_CONNECTORS_ELEMENT_TOKEN": self.instance.token,
            "OPEN_CONNECTORS_USER_SECRET": self.instance.user_secret,
        }

    def client(self) -> BulkClient:
        """A client of this instance."""
        return BulkClient.from_environment(self.environment)

    def next_job(self, timeline: str, error: str | None = None) -> None:
        """Plan the course of the next job, and the error it ends with."""
        self.instance.plans.queued.append(JobPlan(Timeline.parse(timeline), error=error))


@contextmanager
def served(
    server: Server,
    emulator: Emulator,
    connector: str = "marketing",
    dialect: str = "documented",
    quirks: Mapping[str, object] | None = None,
) -> Iterator[Served]:
    """A fresh instance on a running server; `time` in the client's waiting is the instance's clock."""
    clock = ManualClock()
    chosen = dialect_named(dialect).with_quirks(quirks or {})
    instance = emulator.create_instance(built_in(connector), clock=clock, dialect=chosen)
    with pytest.MonkeyPatch.context() as patch:
        stopped = types.SimpleNamespace(monotonic=clock.now, time=clock.now, sleep=clock.advance)
        patch.setattr("pytest_ocbulk.client.waiting.time", stopped)
        yield Served(server.url + BASE_PATH, emulator, instance, clock)
    emulator.close_instance(instance)
