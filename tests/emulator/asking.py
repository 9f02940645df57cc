"""The core asked directly: one instance on a clock that stands still, and the calls that tests make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import LIVE, Dialect
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH, Disconnect, Request, Response

SIGNATURE_KEY = "event.notification.signature.key"


@dataclass
class Asked:
    """An instance and everything that is asked of it. Its dialect is `live`, so jobs end COMPLETED."""

    connector: str = "marketing"
    dialect: Dialect = LIVE
    configuration: Mapping[str, str] = field(default_factory=dict)
    background: bool = False

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.emulator = Emulator(background=self.background)
        self.instance = self.another()

    def another(self) -> Instance:
        """One more instance on the same clock."""
        return self.emulator.create_instance(
            built_in(self.connector),
            clock=self.clock,
            dialect=self.dialect,
            configuration=dict(self.configuration),
        )

    def __enter__(self) -> Asked:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.emulator.close()

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Element {self.instance.token}, User {self.instance.user_secret}"}

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Request:
        return Request.of(method, BASE_PATH + path, {**self.authorization, **(headers or {})}, body)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response | Disconnect:
        return self.emulator.handle(self.request(method, path, body, headers))

    def answer(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        """The same, where an answer must come."""
        answer = self.ask(method, path, body, headers)
        assert isinstance(answer, Response)
        return answer

    def get(self, path: str) -> Any:
        """The JSON that a GET answers."""
        return json.loads(body_of(self.answer("GET", path)))

    def try_upload(self, csv: bytes, object: str = "contact", callback: str = "") -> Response | Disconnect:
        body, headers = form(csv)
        if callback:
            headers["Elements-Async-Callback-Url"] = callback
        return self.ask("POST", f"/bulk/{object}", body, headers)

    def upload(self, csv: bytes, object: str = "contact", callback: str = "") -> str:
        """The id of the job of an upload that goes well."""
        answer = self.try_upload(csv, object, callback)
        assert isinstance(answer, Response)
        assert answer.status == 200
        return str(json.loads(body_of(answer))["id"])

    def status(self, job: str) -> str:
        """The status word of a job: a look."""
        return str(self.get(f"/bulk/{job}/status")["status"])


def form(csv: bytes, metadata: Mapping[str, object] | None = None) -> tuple[bytes, dict[str, str]]:
    """The body and headers of an upload."""
    head = b'--B\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
    body = head % (b"file", b'; filename="a.csv"\r\nContent-Type: text/csv') + csv + b"\r\n"
    if metadata is not None:
        body += head % (b"metaData", b"") + json.dumps(metadata).encode() + b"\r\n"
    return body + b"--B--\r\n", {"Content-Type": "multipart/form-data; boundary=B"}


def body_of(answer: Response) -> bytes:
    """The whole body of an answer."""
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


def contacts(*names: str) -> bytes:
    """A CSV of contacts."""
    rows = "".join(f"{name}@example.com,{name}\n" for name in names)
    return f"C_EmailAddress,C_FirstName\n{rows}".encode()
