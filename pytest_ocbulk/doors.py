"""Fakes in tests, each behind its door: opened for a test, or kept for a session.

InProcessDoor   an emulator of its own; calls made through `requests` are intercepted
ServerDoor      one emulator behind a real port, shared: each test gets a fresh instance
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .addresses import Addresses
from .emulator.emulator import Emulator, Ids
from .emulator.errors import OcBulkError
from .emulator.routes import BASE_PATH
from .handle import Door, OcBulk, OcBulkClock
from .in_process import InProcess
from .intercept import Claim, Interception
from .settings import Settings

if TYPE_CHECKING:
    import responses

    from .server import Server

Directory = Callable[[], Path | None]


class InProcessDoor:
    """A fake for one test, reached through `requests` at the service's own addresses."""

    def __init__(self, base_url: str, seed: str) -> None:
        self.emulator = Emulator(ids=Ids(seed))
        self.base_url = base_url
        self.fake = InProcess(self.emulator, self.settle)
        self._addresses = Addresses((base_url,))
        self._interception = Interception(self.fake, self._addresses)

    def open(self) -> None:
        """Begin to intercept."""
        self._interception.start()

    def close(self) -> None:
        """End it; the network is as it was."""
        self._interception.stop()
        self.emulator.close()

    def settle(self) -> None:
        """Let happen what is due."""
        self.emulator.tick()

    @property
    def other_hosts(self) -> str:
        """What becomes of calls to other hosts."""
        return self._interception.other_hosts

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None:
        self._interception.other_hosts = choice

    def install_into(self, mock: responses.RequestsMock) -> None:
        """Put the fake into a mock of the test's own."""
        mock.add(Claim(self.fake, self._addresses))


class ServerDoor:
    """A fake on a real port of this machine, for a whole session; it starts when it is first used."""

    def __init__(self) -> None:
        self.emulator = Emulator(background=True)
        self.fake = InProcess(self.emulator, self.settle)
        self._server: Server | None = None
        self._process = 0

    @property
    def base_url(self) -> str:
        """The address of the port."""
        return f"{self._running().url}{BASE_PATH}"

    def _running(self) -> Server:
        # Threads do not survive a fork: a copy of this process has to start a server of its own.
        if self._server is None or self._process != os.getpid():
            from .server import Server

            self._server, self._process = Server(self.emulator), os.getpid()
            self._server.start()
        return self._server

    def renew(self, seed: str) -> None:
        """Number jobs from the beginning again, unless somebody still has an instance."""
        with self.emulator.lock:
            if not len(self.emulator.instances):
                self.emulator.ids = Ids(seed)

    def close(self) -> None:
        """Close the port."""
        if self._server is not None and self._process == os.getpid():
            self._server.stop()
        self._server = None
        self.emulator.close()

    def settle(self) -> None:
        """Let happen what is due."""
        self.emulator.tick()
        self._running().wake()

    @property
    def other_hosts(self) -> str:
        """Nothing is intercepted here, so all other hosts are as they are."""
        return "pass"

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None:  # noqa: ARG002  # refused whatever it is
        raise OcBulkError(
            "other_hosts is for the in-process fixture `ocbulk`: `ocbulk_server` intercepts nothing"
        )

    def install_into(self, mock: responses.RequestsMock) -> None:
        """Put the fake into a mock of the test's own."""
        mock.add(Claim(self.fake, Addresses((self.base_url,))))


def create(door: Door, settings: Settings, directory: Directory = lambda: None) -> OcBulk:
    """A fresh instance behind a door; `directory` says where files of contacts go when there are any."""
    clock = OcBulkClock()
    instance = door.emulator.create_instance(settings.connector, clock=clock, dialect=settings.wording)
    clock.moved = door.settle
    if settings.job is not None:
        instance.plans.default = settings.job
    return OcBulk(door, instance, clock, settings.seed, directory)
