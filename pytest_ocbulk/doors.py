"""The ways to a fake in tests: a test's own in this process, or the session's on a real port.

InProcessDoor   an emulator for one test; calls made through `requests` are intercepted
ServerDoor      one emulator behind a port for all tests, each with fresh instances
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .addresses import DEFAULT_BASE_URL, Addresses
from .delivery import Deliverer
from .emulator.clock import ManualClock
from .emulator.emulator import Emulator
from .emulator.errors import OcBulkError
from .emulator.faults import FaultPlan
from .emulator.ids import Ids
from .emulator.messages import BASE_PATH, Disconnect, Request, Response
from .handle import Door, OcBulk
from .hiding import hidden
from .in_process import InProcess
from .settings import Settings

if TYPE_CHECKING:
    import responses

    from .intercept import Interception
    from .server import Server

Directory = Callable[[], Path | None]


class _FakeBehindADoor(ABC):
    """What both doors share: an emulator, the callbacks that it owes, and mocks of the test's own before it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.deliverer = _deliverer(emulator)
        self.fake = InProcess(emulator, self.deliver)
        self._installed = False

    @property
    @abstractmethod
    def base_url(self) -> str:
        """The address under which the fake is called."""

    @abstractmethod
    def deliver(self) -> None:
        """Post the callbacks that are due."""

    def install_into(self, mock: responses.RequestsMock) -> None:
        """Put the fake into a mock of the test's own."""
        from .intercept import install

        install(mock, self.fake, Addresses((self.base_url,)))
        self._installed = True

    def hidden(self, error: BaseException | None) -> bool:
        """Whether a mock of the test's own hides the fake, or did when `error` was raised."""
        return not self._installed and hidden(Addresses((self.base_url,)), error)


class InProcessDoor(_FakeBehindADoor):
    """A fake for one test, reached through `requests` at the service's own addresses."""

    has_socket = False

    def __init__(self) -> None:
        super().__init__(Emulator())
        self._base_url = DEFAULT_BASE_URL
        self._interception: Interception | None = None

    def begin(self, settings: Settings) -> None:
        """Begin to intercept; ids and secrets follow from the seed."""
        from .intercept import Interception

        self.emulator.ids = Ids(settings.seed)
        self._base_url = settings.base_url
        self._interception = Interception(self.fake, Addresses((settings.base_url,)))
        self._interception.start()

    def end(self) -> None:
        """Stop it; `requests` is as it was."""
        if self._interception is not None:
            self._interception.stop()
        self.emulator.close()

    @property
    def base_url(self) -> str:
        """The address under which the fake is called."""
        return self._base_url

    def deliver(self) -> None:
        """Post the callbacks that are due."""
        if self.emulator.has_callbacks:
            self.deliverer.deliver_due()

    @property
    def other_hosts(self) -> str:
        """What becomes of calls to other hosts."""
        return self._interception.other_hosts if self._interception else "pass"

    @other_hosts.setter
    def other_hosts(self, choice: str) -> None:
        if self._interception is not None:
            self._interception.other_hosts = choice


class ServerDoor(_FakeBehindADoor):
    """A fake on a real port of this machine, for a whole session; it starts when it is first used."""

    has_socket = True

    def __init__(self) -> None:
        super().__init__(Emulator(background=True))
        self._server: Server | None = None
        self._process = 0

    def begin(self, settings: Settings) -> None:
        """Number jobs from the beginning again, unless somebody still has an instance."""
        with self.emulator.lock:
            if not len(self.emulator.instances):
                self.emulator.ids = Ids(f"{settings.seed} on a port")
                self.fake.strays.clear()
        self._running()

    def end(self) -> None:
        """A test is over; the server stays."""
        self._installed = False
        self.fake.strays.clear()
        self.deliverer.allowed_hosts = frozenset()

    def close(self) -> None:
        """The session is over: close the port."""
        if self._server is not None and self._process == os.getpid():
            self.deliverer.stop()
            self._server.stop()
        self._server = None
        self.emulator.close()

    def _running(self) -> Server:
        # Threads do not survive a fork: a copy of this process has to start a server of its own.
        if self._server is None or self._process != os.getpid():
            from .server import Server

            self.deliverer, self._process = _deliverer(self.emulator), os.getpid()
            self._server = Server(self.emulator, on_wake=self.deliverer.wake, on_exchange=self._note)
            self._server.start()
        return self._server

    def _note(self, request: Request, answer: Response | Disconnect, _seconds: float) -> None:
        self.fake.note(request, answer)

    @property
    def base_url(self) -> str:
        """The address of the port."""
        return f"{self._running().url}{BASE_PATH}"

    def deliver(self) -> None:
        """Post the callbacks that are due; what the server's own thread has taken of them is waited for."""
        self.deliverer.deliver_due(wait=True)
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


def _deliverer(emulator: Emulator) -> Deliverer:
    return Deliverer(emulator, to_allow="ocbulk.allow_callbacks_to('{host}')")


def create(door: Door, settings: Settings, directory: Directory = lambda: None) -> OcBulk:
    """A fresh instance behind a door; `directory` says where files of contacts go when there are any."""
    instance = door.emulator.create_instance(
        settings.connector, clock=ManualClock(), dialect=settings.dialect, quirks=settings.quirks
    )
    instance.faults = FaultPlan(socket=door.has_socket)
    if settings.job is not None:
        instance.plans.default = settings.job
    return OcBulk(door, instance, settings.seed, directory)
