"""Pages of a list: sizes, and the opaque tokens that name the next one.

A token names the last row that was shown (`after`), so that the next page is found by key and not by counting;
under an `orderBy` it names the number of rows shown (`offset`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from .errors import BadRequest

_Row = TypeVar("_Row")

PAGE_SIZE = 200
LARGEST = 10**9
"""The largest number of a page, and the largest size that may be asked for."""

MAX_PAGE_SIZE = 5000


class Page(NamedTuple):
    """One page: at most `size` rows behind row `after`, or after skipping `offset` rows."""

    size: int
    after: int | None = None
    offset: int = 0


def page_of(query: Mapping[str, str], cap: int | None = None) -> Page:
    """Read `pageSize`, `page` (from 1) and `nextPage`; of the last two the token wins (protocol.md 9.2).

    `cap` is the most rows a connector returns at once. Raises `BadRequest` for what is no number or token.
    """
    size = min(_number(query, "pageSize", PAGE_SIZE), MAX_PAGE_SIZE, cap or MAX_PAGE_SIZE)
    if token := query.get("nextPage"):
        kind, number = _read(token)
        return Page(size, after=number) if kind == "a" else Page(size, offset=number)
    return Page(size, offset=(_number(query, "page", 1) - 1) * size)


def fields_of(query: Mapping[str, str]) -> tuple[str, ...]:
    """The names in `fields`, a comma list (protocol.md 9.2); none stands for all."""
    names = (name.strip() for name in query.get("fields", "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def token(kind: str, number: int) -> str:
    """A page token: kind `a` continues behind row `number`, kind `o` skips `number` rows."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def cut(
    found: Sequence[_Row], size: int, following: Callable[[_Row], str], *, always: bool
) -> tuple[Sequence[_Row], dict[str, str]]:
    """The rows of a page and its headers, out of the rows found: one more than `size` tells that there are more.

    `following` makes the token from the last row shown. There is none on the last page (protocol.md 3.9, 9.2); with
    `always` there is one as long as a row is shown, as some elements have it.
    """
    shown = found[:size]
    headers = {"elements-returned-count": str(len(shown))}
    if shown and (always or len(found) > size):
        headers["elements-next-page-token"] = following(shown[-1])
    return shown, headers


def _read(text: str) -> tuple[str, int]:
    try:
        kind, _, number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        if kind in ("a", "o") and 0 <= int(number) < 2**63:
            return kind, int(number)
    except ValueError:
        pass
    raise BadRequest(f"Expected nextPage to be a token of an earlier page, got {text!r}")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:12]) <= LARGEST:
        raise BadRequest(f"Expected {name} to be a number from 1 to {LARGEST}, got {text!r}")
    return int(text)
