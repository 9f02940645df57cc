"""Which form of an answer the `Accept` header asks for (406 when none fits, protocol.md 2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import NotAcceptable


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """The media type that an `Accept` header likes best; the first one offered without a header, None if none fits.

    Of types liked equally the one named exactly goes before one that only a wildcard covers, then the one named first.
    """
    if not accept.strip():
        return offered[0]
    ranges = _ranges(accept)
    liked: list[tuple[float, int, int, str]] = []
    for media_type in offered:
        covering = [each for each in ranges if _covers(each.pattern, media_type)]
        if covering:  # the most exact range speaks for a type
            best = min(covering, key=lambda each: each.pattern.count("*"))
            liked.append((-best.quality, best.pattern.count("*"), best.place, media_type))
    first = min(liked, key=lambda each: each[:3], default=None)
    return first[3] if first and first[0] < 0 else None


def require(accept: str, offered: Sequence[str]) -> None:
    """Raise `NotAcceptable` when none of the offered media types will do; nothing offered: the endpoint decides."""
    if not accept or not offered or "*/*" in accept or offered[0] in accept:
        return  # nearly every call
    if preferred(accept, offered) is None:
        raise NotAcceptable(f"Expected Accept to cover {' or '.join(offered)}, got {accept}")


class _Range(NamedTuple):
    """One item of an `Accept` header."""

    pattern: str
    quality: float
    place: int


def _ranges(accept: str) -> list[_Range]:
    ranges: list[_Range] = []
    for place, part in enumerate(accept.lower().split(",")):
        pattern, *parameters = (piece.strip() for piece in part.split(";"))
        ranges.append(_Range(pattern, _quality(parameters), place))
    return ranges


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _covers(pattern: str, media_type: str) -> bool:
    if pattern in ("*/*", "*"):
        return True
    return pattern == media_type or (pattern.endswith("/*") and media_type.startswith(pattern[:-1]))
