"""Names of result files with the date in them: `{yyyy-MM-dd HH:mm:ss}_MyFile` (protocol.md 3.2, ECW).

The date masks are Java's. The API description lists the valid ones; others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from .errors import BadRequest

MASKS = (
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "yyyy-MM-dd'T'HH:mm:ss.SXXX",
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy.MM.dd G 'at' HH:mm:ss z",
    "h:mm a",
    "yyyyy.MMMMM.dd GGG hh:mm aaa",
    "yyMMddHHmmssZ",
)

_BRACES = re.compile(r"\{([^{}]*)\}")
_PIECE = re.compile(r"'([^']*)'|([A-Za-z])\2*")


def dated(name: str, instant: float) -> str:
    """A file name with the mask in its braces filled in, in UTC; raises `BadRequest` for a mask that is not valid."""
    moment = datetime.fromtimestamp(instant, UTC)
    return _BRACES.sub(lambda braces: _filled(braces[1], moment), name)


def disposition(name: str) -> str:
    """The `Content-Disposition` of a file of that name; what a header cannot hold becomes `_`."""
    return f'attachment; filename="{re.sub(r"[^ !#-Z^-~[]|]", "_", name)}"'


def _filled(mask: str, moment: datetime) -> str:
    if mask not in MASKS:
        raise BadRequest(
            f"Expected the date format in fileName to be one of {', '.join(MASKS)}, got {mask!r}"
        )
    return _PIECE.sub(lambda piece: _part(piece, moment), mask)


def _part(piece: re.Match[str], moment: datetime) -> str:
    letter = piece[2]
    return piece[1] if letter is None else _LETTERS[letter](moment, len(piece[0]))


def _year(moment: datetime, width: int) -> str:
    return f"{moment:%y}" if width == 2 else str(moment.year).zfill(width)


def _month(moment: datetime, width: int) -> str:
    return f"{moment:%B}" if width > 3 else str(moment.month).zfill(width)


def _millisecond(moment: datetime, width: int) -> str:
    return str(moment.microsecond // 1000).zfill(width)


_LETTERS: dict[str, Callable[[datetime, int], str]] = {
    "y": _year,
    "M": _month,
    "d": lambda moment, width: str(moment.day).zfill(width),
    "H": lambda moment, width: str(moment.hour).zfill(width),
    "h": lambda moment, width: str(moment.hour % 12 or 12).zfill(width),
    "m": lambda moment, width: str(moment.minute).zfill(width),
    "s": lambda moment, width: str(moment.second).zfill(width),
    "S": _millisecond,
    "a": lambda moment, _: "PM" if moment.hour >= 12 else "AM",
    "G": lambda moment, width: "AD",  # noqa: ARG005  # no other era can be now
    "X": lambda moment, width: "Z",  # noqa: ARG005  # UTC, as Java writes it
    "Z": lambda moment, width: "+0000",  # noqa: ARG005
    "z": lambda moment, width: "UTC",  # noqa: ARG005
}
