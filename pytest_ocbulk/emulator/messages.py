"""The two messages that cross the seam: what a door hands in and what it delivers.

Doors own their frameworks; the core knows only these values. An element of the vocabulary of HTTP is
spelled here once: paths are split before they are decoded, header names are lower case on the way in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from .faults import Strike
    from .form import Form
    from .jobs import Job

BASE = ("elements", "api-v2")
BASE_PATH = "/elements/api-v2"
"""Where the API is: below the base path, in segments and as text."""

JSON = "application/json;charset=UTF-8"
"""The content type of what the service answers."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

SPOOL_BYTES = 1024 * 1024
"""Bodies up to this size stay in memory; larger ones are spooled to a temporary file by the door."""


@lru_cache(maxsize=64)
def http_date(second: int) -> str:
    """A second since 1970 (UTC) as HTTP writes it, `Mon, 01 Jan 2024 00:00:00 GMT`, in any locale (RFC 9110, 5.6.7).

    Remembered for the calls of that second.
    """
    when = datetime.fromtimestamp(second, UTC)
    return f"{_DAYS[when.weekday()]}, {when:%d} {_MONTHS[when.month - 1]} {when:%Y %H:%M:%S} GMT"


def unsendable(secret: str) -> str | None:
    """What keeps a secret from arriving in an Authorization header as it is, in words; None if nothing does.

    The pairs of that header are split at commas and lose the blanks around them (protocol.md 2.1).
    """
    if not secret.strip():
        return "is empty"
    if not (secret.isascii() and secret.isprintable()) or "," in secret:
        return "has a character that cannot stand in the header (a line break, a comma?)"
    return "begins or ends with a blank, which is not sent" if secret != secret.strip() else None


@dataclass(slots=True)
class Passage:
    """What the core noted about a call: beforehand the fault that hits it and its form, each None if still open.

    Afterwards `polled`, the job whose status was asked for.
    """

    strike: Strike | None = None
    form: Form | None = None
    polled: Job | None = None


@lru_cache(maxsize=1024)
def _decoded(target: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The segments and the query of a target; remembered, because a client that polls asks for the same again."""
    path, _, query = target.partition("?")
    pairs = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    return tuple(unquote(part) for part in path.split("/") if part), MappingProxyType(pairs)


@dataclass(frozen=True, slots=True)
class Request:
    """One call, as any door hands it in.

    `segments` are the decoded parts of the path, so that an encoded slash stays inside its segment.
    `headers` has lower-case names; repeated headers are joined by a comma. `body` is read at most once
    per use and can be sought; `size` is its length in bytes. `passage` is written by the core: a door that asks
    `receive` about a head hands the same object on with the body.
    """

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # with secrets in them
    body: BinaryIO = field(default_factory=io.BytesIO)
    size: int = 0
    passage: Passage = field(default_factory=Passage, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | BinaryIO = b"",
    ) -> Request:
        """Build a request from an encoded target (`/path%2Fx?y=1`); the one place that decodes it.

        Of a query key given twice the last one counts. A `body` file is measured by seeking to its end.
        """
        segments, pairs = _decoded(target)
        if isinstance(body, bytes):
            size, body = len(body), io.BytesIO(body)
        else:
            size = body.seek(0, io.SEEK_END)
            body.seek(0)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        return cls(method, segments, pairs, lowered, body, size)

    @property
    def path(self) -> str:
        """The decoded path, for people: `/elements/api-v2/objects`."""
        return "/" + "/".join(self.segments)

    def header(self, name: str, default: str = "") -> str:
        """The value of a header by its name in any case, or `default`."""
        return self.headers.get(name.lower(), default)


class Delivery(NamedTuple):
    """How an answer travels. A door with a socket performs it; the others say what they cannot do.

    Times are seconds, places are counted in bytes of the body.
    """

    delay: float = 0.0
    truncate_after: int | None = None
    stall_after: int | None = None
    stall: float = 0.0


PROMPT = Delivery()


class Response(NamedTuple):
    """An answer: `body` is bytes, or an iterator of bytes for answers that are not held in memory."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Iterator[bytes] = b""
    delivery: Delivery = PROMPT

    def delivered(self, delivery: Delivery) -> Response:
        """The same answer, travelling as told."""
        return self._replace(delivery=delivery)


class Disconnect(NamedTuple):
    """No answer: after `delay` seconds the connection is reset (RST)."""

    delay: float = 0.0


class Reception(NamedTuple):
    """How a request body is to be received, decided when its head has arrived.

    `limit` bytes are accepted at most (413 beyond it). After `stall_after` bytes reading pauses for
    `stall` seconds; after `reset_after` bytes the connection is reset; `bytes_per_second` reads slowly.
    """

    limit: int | None = None
    stall_after: int | None = None
    stall: float = 0.0
    reset_after: int | None = None
    bytes_per_second: int | None = None


OPEN_RECEPTION = Reception()
