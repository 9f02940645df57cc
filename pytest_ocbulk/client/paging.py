"""Lists that come in pages, read as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .connection import NEXT_PAGE, Answer, Connection
from .errors import UnexpectedAnswer
from .waiting import http_date


def items_of(answer: Answer) -> list[Any]:
    """The list that an answer holds; raises `UnexpectedAnswer` if it holds anything else."""
    items = answer.json()
    if not isinstance(items, list):
        raise UnexpectedAnswer(f"{answer.call}: expected a list, got {str(items)[:60]!r}")
    return items


def pages(
    connection: Connection, *segments: str, params: Mapping[str, Any]
) -> Iterator[tuple[Any, float | None]]:
    """Items of all pages, each with the service's time of its page (seconds since 1970, None if not told).

    Ends at the page without a token, or at an empty one: some elements send a token with the last page
    (protocol.md 9.2). Parameters that are None are left out.
    """
    given = {name: value for name, value in params.items() if value is not None}
    token: str | None = None
    while True:
        answer = connection.get(*segments, params=given | ({"nextPage": token} if token else {}))
        items = items_of(answer)
        told = http_date(answer.headers.get("Date", ""))
        yield from ((item, told) for item in items)
        previous, token = token, answer.headers.get(NEXT_PAGE)
        if not items or not token:
            return
        if token == previous:
            raise UnexpectedAnswer(f"{answer.call}: the same page token came twice, {token!r}")
