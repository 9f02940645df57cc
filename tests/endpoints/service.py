"""One instance of the fake and the calls that the tests of the endpoints make on it, without any door."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import Connector, built_in, load
from pytest_ocbulk.emulator.dialect import LIVE, Dialect
from pytest_ocbulk.emulator.emulator import Defaults, Emulator
from pytest_ocbulk.emulator.instances import Credentials, Instance
from pytest_ocbulk.emulator.messages import Request, Response

BASE = "/elements/api-v2"
USER = Credentials(user="user-secret", organization="organization-secret")
PLATFORM = f"User {USER.user}, Organization {USER.organization}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of a refusal, whose body has the vendor's shape."""
        body = self.json
        assert list(body) == ["requestId", "message"], body
        assert body["requestId"] == self.headers["elements-request-id"]
        return str(body["message"])


@dataclass(slots=True)
class Service:
    """An emulator with one instance, and the credentials to call it."""

    instance: Instance
    emulator: Emulator
    clock: ManualClock
    headers: dict[str, str] = field(default_factory=dict)
    opened: ClassVar[list[Service]] = []

    @classmethod
    def of(
        cls, connector: str | Connector = "marketing", dialect: Dialect = LIVE, **quirks: object
    ) -> Service:
        """A fresh emulator with one instance of a connector, in the dialect of the live service."""
        clock = ManualClock()
        emulator = Emulator(known_user=USER, defaults=Defaults(clock=lambda: clock))
        service = cls.__new__(cls)
        service.emulator, service.clock = emulator, clock
        service.instance = service.instantiate(connector, dialect=dialect, quirks=quirks)
        cls.opened.append(service)
        service.headers = {"Authorization": f"Element {service.instance.token}, {PLATFORM}"}
        return service

    def instantiate(self, connector: str | Connector, **options: Any) -> Instance:
        """One more instance of the same user."""
        return self.emulator.create_instance(
            built_in(connector) if isinstance(connector, str) else connector,
            user_secret=USER.user,
            organization_secret=USER.organization,
            **options,
        )

    def ask(self, method: str, target: str, body: Any = b"", **headers: str) -> Reply:
        """Make a call; `body` is bytes, or a value to be sent as JSON. Header names are written with `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given = {"Content-Type": "application/json", **given}
        response = self.emulator.handle(Request.of(method, BASE + target, {**self.headers, **given}, body))
        assert isinstance(response, Response)
        read = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        return Reply(response.status, dict(response.headers), read)

    def get(self, target: str, **headers: str) -> Reply:
        return self.ask("GET", target, **headers)

    def post(self, target: str, body: Any = b"", **headers: str) -> Reply:
        return self.ask("POST", target, body, **headers)

    def upload(self, name: str, file: str, metadata: dict[str, Any] | None = None, **headers: str) -> Reply:
        """Upload a file the way curl -F does."""
        return self.post(
            f"/bulk/{name}", form(file, metadata), Content_Type="multipart/form-data; boundary=B", **headers
        )

    def finished(self, reply: Reply) -> Any:
        """The status body of the job that an answer is about."""
        assert reply.status == 200, reply.text
        return self.get(f"/bulk/{reply.json['id']}/status").json

    def fill(self, name: str, *records: dict[str, Any]) -> list[Any]:
        """Create records one by one; return what was answered."""
        replies = [self.post(f"/{name}", record) for record in records]
        assert {reply.status for reply in replies} <= {200}, [reply.text for reply in replies]
        return [reply.json for reply in replies]


def form(file: str | None, metadata: dict[str, Any] | None = None) -> bytes:
    """A multipart body with boundary `B`."""
    parts = []
    if file is not None:
        parts.append(f'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n{file}')
    if metadata is not None:
        parts.append(f'Content-Disposition: form-data; name="metaData"\r\n\r\n{json.dumps(metadata)}')
    return "".join(f"--B\r\n{part}\r\n" for part in parts).encode() + b"--B--\r\n"


def connector(folder: Path, text: str) -> Connector:
    """A connector from the text of a file, which needs not say key, name and hub."""
    path = folder / "own.toml"
    path.write_text(f'key = "own"\nname = "Own"\nhub = "general"\n{text}', encoding="utf-8")
    return load(path)
