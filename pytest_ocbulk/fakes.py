"""The fakes of one test: made as its fixtures ask for them, told apart when it fails, judged and closed at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from .doors import Directory, InProcessDoor, ServerDoor, create
from .emulator.connectors import Connector
from .emulator.dialect import Dialect
from .emulator.timeline import Timeline
from .handle import Door, OcBulk
from .hiding import HIDDEN
from .in_process import Stray
from .leftovers import Leftover, advice, complaint, leftovers, stray_calls
from .settings import Settings, read_settings
from .story import story

Told = ParamSpec("Told")


def _tells_all_the_same(tell: Callable[Told, str]) -> Callable[Told, str]:
    """What goes wrong in telling about a test is told instead: in pytest's hooks it would cost the whole session."""

    @wraps(tell)
    def tell_or_say_why_not(*about: Told.args, **more: Told.kwargs) -> str:
        try:
            return tell(*about, **more)
        except Exception as error:
            return (
                f"pytest-ocbulk could not tell what happened in the fake: {type(error).__name__}: {error}; "
                "that is a mistake of pytest-ocbulk, please report it"
            )

    return tell_or_say_why_not


class Fakes:
    """What the fixtures of one test share; whether it `passed`, and whether any part of it (a subtest) `failed`.

    `values` are the test's settings by name, `name` is the test's id, connector files are looked for in `folder`,
    `directory` says where files of contacts go, `server` gives the session's door with a socket.
    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, object],
        folder: Callable[[], Path],
        directory: Directory,
        server: Callable[[], ServerDoor],
    ) -> None:
        self.passed = self.failed = False
        self._name = name
        self._values = dict(values)
        self._folder = folder
        self._directory = directory
        self._server = server
        self._doors: list[InProcessDoor | ServerDoor] = []
        self._allow: frozenset[str] = frozenset()
        self._handles: list[OcBulk] = []
        self._first: dict[bool, OcBulk] = {}

    def main(self, *, served: bool) -> OcBulk:
        """The fake that the fixture `ocbulk` (or, served, `ocbulk_server`) stands for."""
        if served not in self._first:
            self._first[served] = self.make(served=served)
        return self._first[served]

    def make(self, changes: Mapping[str, object] = {}, *, served: bool) -> OcBulk:
        """Another fake, with some settings changed. Raises `OcBulkError` for settings that are none."""
        settings = read_settings({**self._values, **changes}, self._name, self._folder)
        self._allow |= settings.allow
        handle = create(self._door(settings, served), settings, self._directory)
        self._handles.append(handle)
        return handle

    def _door(self, settings: Settings, served: bool) -> Door:
        """The door of this test: opened by the first fake that needs it."""
        for door in self._doors:
            if door.has_socket == served:
                return door
        fresh = self._server() if served else InProcessDoor()
        fresh.begin(settings)
        self._doors.append(fresh)
        return fresh

    @_tells_all_the_same
    def story(self, error: BaseException | None = None) -> str:
        """What happened, for the report of a test that failed with `error`."""
        strays = [
            f"answered {each.status}: {each.method} {each.path}{advice(each)}" for each in self._strays()
        ]
        hints = [HIDDEN] if any(door.hidden(error) for door in self._doors) else []
        told = ["\n".join(strays), *hints]
        return "\n\n".join([*(story(handle.evidence) for handle in self._handles), *filter(None, told)])

    @_tells_all_the_same
    def warnings(self) -> str:
        """What the code under test certainly did wrong, a line each, whatever the test says; empty if nothing."""
        if "client_warning" in self._allow:
            return ""
        return "\n".join(line for handle in self._handles for line in handle.warnings())

    def _strays(self) -> list[Stray]:
        return [each for door in self._doors for each in door.fake.strays]

    def deliver(self) -> None:
        """Post the callbacks that are due, and wait for those that are on their way."""
        for door in self._doors:
            door.deliverer.deliver_due(wait=True)

    @_tells_all_the_same
    def close(self) -> str:
        """Give everything back; a complaint about what was left behind and should not be, empty if all is well."""
        found: list[Leftover] = []
        try:
            self.deliver()
            for handle in self._handles:
                found += leftovers(handle.evidence)
            found += stray_calls(self._strays())
        finally:
            for handle in self._handles:
                handle.close()
            for door in self._doors:
                door.end()
        return complaint(found, self._allow)


class MakeOcBulk:
    """Makes fakes: the value of the fixture `make_ocbulk`."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    def __call__(
        self,
        *,
        connector: str | Connector | None = None,
        dialect: str | Dialect | None = None,
        job: str | Timeline | None = None,
        quirks: Mapping[str, object] | None = None,
        seed: int | str | None = None,
        server: bool = False,
    ) -> OcBulk:
        """A fresh fake; what is not given is as the test's marker and options say.

        All fakes of a test live in one service: jobs are numbered through, and each has its own secrets. `server`: on
        a real port instead of in this process.
        """
        given = {"connector": connector, "dialect": dialect, "job": job, "quirks": quirks, "seed": seed}
        changes = {name: value for name, value in given.items() if value is not None}
        return self._fakes.make(changes, served=server)
