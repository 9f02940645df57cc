"""The fake as a target: behind each of its doors, under a clock that the client's waiting moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import requests

from pytest_ocbulk.addresses import DEFAULT_BASE_URL, Addresses
from pytest_ocbulk.asgi import AsgiApp
from pytest_ocbulk.delivery import Deliverer
from pytest_ocbulk.emulator.callbacks import SIGNATURE_KEY
from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import DIALECTS, dialect_named
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError, nearest
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.in_process import InProcess
from pytest_ocbulk.intercept import Interception
from pytest_ocbulk.server import Server

from .asgi_session import asgi_session
from .receiving import Mailbox, Receiver
from .settings import example
from .target import Target

COURSE = Timeline.parse("CREATED 1s RUNNING 2s COMPLETE")
"""How a job goes at these fakes: there is a while in which it can be cancelled, as at the real service."""

KEY = "contract-signature-key"

OpenDoor = Callable[[Emulator], AbstractContextManager[tuple[str, requests.Session]]]
"""From a fake to the base URL and the session by which it is reached."""


@contextmanager
def _requests(emulator: Emulator) -> Iterator[tuple[str, requests.Session]]:
    """In-process, at the service's own address."""
    interception = Interception(InProcess(emulator), Addresses((DEFAULT_BASE_URL,)))
    interception.start()
    try:
        with requests.Session() as session:
            yield DEFAULT_BASE_URL, session
    finally:
        interception.stop()


@contextmanager
def _asgi(emulator: Emulator) -> Iterator[tuple[str, requests.Session]]:
    with asgi_session(AsgiApp(InProcess(emulator))) as session:
        yield f"http://fake{BASE_PATH}", session


@contextmanager
def _socket(emulator: Emulator) -> Iterator[tuple[str, requests.Session]]:
    with Server(emulator) as server, requests.Session() as session:
        yield server.url + BASE_PATH, session


DOORS: dict[str, OpenDoor] = {"requests": _requests, "asgi": _asgi, "socket": _socket}
"""All doors of the fake."""


@contextmanager
def fake(
    door: str = "socket",
    dialect: str = "documented",
    connector: str = "marketing",
    *,
    quirks: Mapping[str, object] | None = None,
    emulator: Emulator | None = None,
) -> Iterator[Target]:
    """A fresh fake behind a door as a target; raises `OcBulkError` for an unknown name.

    `emulator` is one to use instead of a new one; it is closed at the end all the same.
    """
    if door not in DOORS:
        raise OcBulkError(f"unknown door {door!r}{nearest(door, DOORS)}")
    settings = example(connector)
    clock, emulator = ManualClock(), emulator or Emulator()
    instance = emulator.create_instance(
        built_in(connector),
        clock=clock,
        dialect=dialect_named(dialect),
        quirks=quirks,
        configuration={SIGNATURE_KEY: KEY},
    )
    instance.plans.default = COURSE
    with ExitStack() as stack:
        stack.callback(emulator.close)
        base_url, session = stack.enter_context(DOORS[door](emulator))
        mailbox = stack.enter_context(_mailbox(emulator))
        yield Target(
            name=f"fake ({door}, {dialect})",
            base_url=base_url,
            secrets=_secrets(instance),
            settings=replace(settings, callback_url=mailbox.url),
            session=session,
            sleep=clock.advance,
            clock=clock.now,
            mailbox=mailbox,
            signature_key=KEY,
            is_fake=True,
        )


def _secrets(instance: Instance) -> dict[str, str]:
    return {
        "Element": instance.token,
        "User": instance.user_secret,
        "Organization": instance.organization_secret,
    }


@contextmanager
def _mailbox(emulator: Emulator) -> Iterator[Mailbox]:
    """A receiver to which due callbacks are posted when somebody looks."""
    deliverer = Deliverer(emulator)

    def settle() -> None:
        emulator.tick()
        deliverer.deliver_due(wait=True)

    with Receiver("127.0.0.1:0") as receiver:
        receiver.mailbox.settle = settle
        yield receiver.mailbox


ALL_FAKES = [(door, dialect) for door in DOORS for dialect in DIALECTS]
"""Every door in every dialect."""
