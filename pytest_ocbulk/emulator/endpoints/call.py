"""What an endpoint is given and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import BadRequest, NotFound, PayloadTooLarge, UnsupportedMediaType
from ..instances import Credentials, Instance
from ..jobs import Job
from ..json_text import read_json
from ..messages import JSON, Request

if TYPE_CHECKING:
    from ..emulator import Emulator

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a non-streaming request body (protocol.md 10)."""


@dataclass(slots=True)
class _Bodied:
    """A call whose body may be read as JSON."""

    emulator: Emulator
    request: Request
    names: Mapping[str, str]
    now: float

    def json_body(self) -> Any:
        """The JSON of the request body.

        Raises `BadRequest` when it is none, `UnsupportedMediaType` when it says to be something else, and
        `PayloadTooLarge` beyond `BODY_LIMIT` (413; an older edition of the limits says 429, protocol.md 10).
        """
        content_type = self.request.header("content-type")
        if content_type and "json" not in content_type.lower():
            raise UnsupportedMediaType(f"Expected Content-Type application/json, got {content_type}")
        if self.request.size > BODY_LIMIT:
            raise PayloadTooLarge(
                f"Expected a JSON body of at most {BODY_LIMIT} bytes, got {self.request.size}"
            )
        self.request.body.seek(0)
        try:
            return read_json(self.request.body.read())
        except ValueError as error:
            raise BadRequest(f"Expected a JSON body, got invalid JSON: {error}") from None

    def json_object(self) -> dict[str, Any]:
        """The JSON object of the request body; raises `BadRequest` when it is something else."""
        value = self.json_body()
        if not isinstance(value, dict):
            raise BadRequest(f"Expected a JSON object, got {json.dumps(value)[:40]}")
        return value


@dataclass(slots=True)
class Call(_Bodied):
    """One call of an instance: who asks for what, at which instant (seconds since 1970-01-01 UTC)."""

    instance: Instance
    job: str = ""

    def find_job(self) -> Job:
        """The job that the path names; raises `NotFound` (normalized table, protocol.md 2.3)."""
        number = self.names["id"]
        job = self.instance.jobs.get(number)
        if job is None:
            raise NotFound(f"No job found with ID {number}")
        self.job = number
        return job


@dataclass(slots=True)
class PlatformCall(_Bodied):
    """One call about instances or hubs: `user` holds the user and organization secrets, empty on public calls."""

    user: Credentials


@dataclass(slots=True)
class Answer:
    """What an endpoint answers: JSON, or the bytes of a file when `content_type` says so."""

    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    body: bytes | Iterator[bytes] | None = None
    status: int = 200
