"""What was asked and answered, typed and bounded: the last exchanges of an instance.

Bodies are kept as excerpts, secrets are masked when an exchange is shown, never when it is compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .messages import Disconnect, Request, Response

CAPACITY = 5000
"""Exchanges kept per instance; the oldest go first."""

EXCERPT = 16 * 1024
"""Bytes kept of a body."""

EXCERPTS = 16 * 1024 * 1024
"""Bytes kept of all bodies of an instance; beyond it the oldest exchanges go."""

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


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

    def shown_headers(self) -> dict[str, str]:
        """The request headers with secrets masked."""
        return {name: "***" if name in _SECRET_HEADERS else value for name, value in self.headers.items()}


class Journal:
    """The last exchanges, oldest first."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque()
        self._kept = 0
        self.total = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

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
        status, headers, body = 0, {}, b""
        if isinstance(answer, Response):
            status, headers = answer.status, dict(answer.headers)
            body = answer.body[:EXCERPT] if isinstance(answer.body, bytes) else b""
        self._append(
            Exchange(
                at=at,
                operation=operation,
                method=request.method,
                path=request.path,
                query=request.query,
                headers=request.headers,
                body=excerpt(request),
                size=request.size,
                status=status,
                answer_headers=headers,
                answer=body,
                job=job,
                fault=fault,
            )
        )

    def _append(self, exchange: Exchange) -> None:
        self.total += 1
        self._exchanges.append(exchange)
        self._kept += len(exchange.body) + len(exchange.answer)
        while len(self._exchanges) > CAPACITY or self._kept > EXCERPTS:
            oldest = self._exchanges.popleft()
            self._kept -= len(oldest.body) + len(oldest.answer)

    @property
    def forgotten(self) -> int:
        """How many exchanges are no longer kept."""
        return self.total - len(self)

    def clear(self) -> None:
        """Forget all exchanges."""
        self._exchanges.clear()
        self.total = self._kept = 0


def excerpt(request: Request) -> bytes:
    """The beginning of a request body, at most `EXCERPT` bytes."""
    if not request.size or request.body.closed:
        return b""
    request.body.seek(0)
    return request.body.read(EXCERPT)
