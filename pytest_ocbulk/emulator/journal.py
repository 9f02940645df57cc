"""What was asked and answered, typed and bounded: the last exchanges of an instance.

Bodies are kept as excerpts, secrets are masked when an exchange is shown, never when it is compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .messages import Disconnect, Request, Response
from .oldest_first import OldestFirst

CAPACITY = 5000
"""Exchanges kept per instance; the oldest go first."""

EXCERPT = 16 * 1024
"""Bytes kept of a body."""

EXCERPTS = 16 * 1024 * 1024
"""Bytes kept of all bodies of an instance; beyond it the oldest exchanges go."""

_SECRET = ("authorization", "cookie", "key", "password", "secret", "token")
"""Words in the names of headers whose values are never shown."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer.

    `at` is in seconds since 1970-01-01 UTC by the instance's clock; `operation` is the name that faults use
    (`upload`, `status`, ...), empty for an unknown path; `fault` names the injected fault, if any; `job` the job
    that the exchange is about. `status` is 0 when the connection was reset.
    """

    at: float
    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)  # with secrets in them
    body: bytes
    size: int
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes
    job: str = ""
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status or 'connection reset'}"

    def shown_headers(self) -> dict[str, str]:
        """The request headers with secrets masked."""
        return {
            name: "***" if any(word in name for word in _SECRET) else value
            for name, value in self.headers.items()
        }


_Noted = tuple[int, float, str, tuple[Any, ...], tuple[int, Mapping[str, str], bytes], str, str]
"""What is kept of an exchange, with its weight in bytes: an `Exchange` is made of it when somebody looks."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


def _exchange(noted: _Noted) -> Exchange:
    _, at, operation, (method, segments, query, headers, body, size), answered, job, fault = noted
    path = "/" + "/".join(segments)
    return Exchange(at, operation, method, path, query, headers, body, size, *answered, job, fault)


class Journal(OldestFirst[Exchange]):
    """The last exchanges, oldest first."""

    def __init__(self) -> None:
        self._noted: deque[_Noted] = deque()
        self._kept = 0
        self.total = 0

    def _copy(self) -> list[Exchange]:
        return [_exchange(each) for each in tuple(self._noted)]

    def __len__(self) -> int:
        return len(self._noted)

    def add(
        self,
        at: float,
        operation: str,
        request: Request,
        answer: Response | Disconnect,
        *,
        job: str = "",
        fault: str = "",
    ) -> None:
        """Write one exchange down."""
        status, headers, told = 0, _NOTHING, b""
        if isinstance(answer, Response):
            status, headers = answer.status, answer.headers
            told = answer.body[:EXCERPT] if isinstance(answer.body, bytes) else b""
        body = excerpt(request)
        weight = len(body) + len(told)
        asked = (request.method, request.segments, request.query, request.headers, body, request.size)
        self._noted.append((weight, at, operation, asked, (status, headers, told), job, fault))
        self.total += 1
        self._kept += weight
        while len(self._noted) > CAPACITY or self._kept > EXCERPTS:
            self._kept -= self._noted.popleft()[0]

    @property
    def forgotten(self) -> int:
        """How many exchanges are no longer kept."""
        return self.total - len(self)

    def clear(self) -> None:
        """Forget all exchanges."""
        self._noted.clear()
        self.total = self._kept = 0


def excerpt(request: Request) -> bytes:
    """The beginning of a request body, at most `EXCERPT` bytes."""
    if not request.size or request.body.closed:
        return b""
    request.body.seek(0)
    return request.body.read(EXCERPT)
