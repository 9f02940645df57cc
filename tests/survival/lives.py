"""An emulator that ends without a word and goes on from its data file, as a process does that is killed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import Connector, built_in
from pytest_ocbulk.emulator.emulator import Defaults, Emulator
from pytest_ocbulk.emulator.instances import Credentials, Instance
from pytest_ocbulk.emulator.messages import BASE_PATH, Request, Response
from pytest_ocbulk.emulator.store import Store

USER = Credentials(user="user", organization="organization")
_NUMBERS = count(1)


class Lives:
    """One instance of a connector; without a folder on a temporary store, which does not survive `die`.

    Large uploads are left to `work` when there is a `background`.
    """

    def __init__(
        self,
        folder: Path | None,
        connector: str = "marketing",
        *,
        background: bool = True,
        connectors: Mapping[str, Connector] | None = None,
    ) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.background = background
        self.connectors = connectors
        self.path = self._next_path()
        self.emulator = self._born()
        found = (connectors or {}).get(connector) or built_in(connector)
        self.token = self.emulator.create_instance(
            found, user_secret=USER.user, organization_secret=USER.organization
        ).token

    def _next_path(self) -> str:
        return str(self.folder / f"life-{next(_NUMBERS)}.ocbulk") if self.folder else ""

    def _born(self) -> Emulator:
        return Emulator(
            store=Store(self.path),
            background=self.background,
            known_user=USER,
            defaults=Defaults(clock=lambda: self.clock),
            connectors=self.connectors,
        )

    @property
    def instance(self) -> Instance:
        """The instance in its present life."""
        found = self.emulator.instances.get(self.token)
        assert found is not None
        return found

    def die(self) -> None:
        """End with what is on disk at this moment, and be born from it."""
        before, self.path = self.path, self._next_path()
        for end in ("", "-wal"):
            if Path(before + end).exists():
                shutil.copyfile(before + end, self.path + end)
        self.emulator.close()
        self.emulator = self._born()

    # -- calls ------------------------------------------------------------------------------------------

    def ask(self, method: str, target: str, body: Any = b"", token: str = "", **headers: str) -> Any:
        """Make a call; the answer's status, and its body: JSON if it is any, else text."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given["Authorization"] = (
            f"Element {token or self.token}, User {USER.user}, Organization {USER.organization}"
        )
        if not isinstance(body, bytes):
            body, given["Content-Type"] = json.dumps(body).encode(), "application/json"
        answer = self.emulator.handle(Request.of(method, BASE_PATH + target, given, body))
        assert isinstance(answer, Response)
        text = (answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)).decode()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def get(self, target: str) -> Any:
        """The body of what a GET answers with 200."""
        status, body = self.ask("GET", target)
        assert status == 200, body
        return body

    def upload(
        self, name: str, file: str, metadata: Mapping[str, object] | None = None, callback: str = ""
    ) -> str:
        """Upload a file; the id of the job that was answered to be CREATED."""
        headers = {"Elements_Async_Callback_Url": callback} if callback else {}
        status, stub = self.ask(
            "POST",
            f"/bulk/{name}",
            form(file, metadata),
            Content_Type="multipart/form-data; boundary=B",
            **headers,
        )
        assert (status, stub["status"]) == (200, "CREATED"), stub
        return str(stub["id"])

    def status(self, job: str) -> str:
        """Look at a job."""
        return str(self.get(f"/bulk/{job}/status")["status"])

    def count(self, name: str) -> int:
        """How many records an object has; lists of databases stop at 50."""
        shape = self.instance.shape(name)
        assert shape is not None
        return self.emulator.store.collection(self.instance.id, name, shape).count()

    def finish(self, job: str) -> Any:
        """Work until a job has ended; its last status body."""
        for _ in range(1000):
            body = self.get(f"/bulk/{job}/status")
            if body["status"] not in ("CREATED", "RUNNING", "CANCELLATION_PENDING"):
                return body
            while self.emulator.work():
                pass
        raise AssertionError(f"job {job} does not end")


@contextmanager
def lives(folder: Path | None, *arguments: Any, **options: Any) -> Iterator[Lives]:
    """`Lives`, closed at the end."""
    living = Lives(folder, *arguments, **options)
    try:
        yield living
    finally:
        living.emulator.close()


def form(file: str, metadata: Mapping[str, object] | None = None) -> bytes:
    """A multipart body with boundary `B`."""
    parts = [f'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n{file}']
    if metadata is not None:
        parts.append(f'Content-Disposition: form-data; name="metaData"\r\n\r\n{json.dumps(metadata)}')
    return "".join(f"--B\r\n{part}\r\n" for part in parts).encode() + b"--B--\r\n"


def contacts(first: int, last: int, *, wide: int = 0) -> str:
    """A CSV of the contacts numbered from `first` to `last`, each row wider by `wide` characters."""
    rows = (f"{number}@example.com,Name {number},{'x' * wide}\n" for number in range(first, last + 1))
    return "C_EmailAddress,C_FirstName,C_Title\n" + "".join(rows)
