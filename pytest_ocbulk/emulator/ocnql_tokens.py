"""The words of the query language: text to tokens and back, and the error that names a place in the text.

The grammar that these words form is in `ocnql_grammar.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import BadRequest

MAX_LENGTH = 100_000
"""Characters in a query."""

Value = str | int | float | bool
"""A literal: text (bare dates too), a number, or true and false."""


class QueryError(BadRequest):
    """400 in the service's words `Error parsing query` (protocol.md 3.2), then what was expected and where.

    `position` counts characters from 1.
    """

    def __init__(self, expected: str, position: int, got: str) -> None:
        super().__init__(f"Error parsing query: expected {expected} at position {position}, got {got}")
        self.position = position


RESERVED = frozenset(["select", "from", "where", "and", "or", "not", "like", "in", "is", "null"])
"""Words that are a field or an object only inside backticks; otherwise an error would point at the wrong place."""
_KEYWORDS = RESERVED | {"order", "orderby", "by", "limit", "asc", "desc", "true", "false"}

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NAME = r"[\w$@#](?:[\w$@#./-]|\[(?:\*|[0-9]+)\])*"
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<text>'(?:[^']|'')*+'|\"(?:[^\"]|\"\")*+\")"
    r"|(?P<quoted>`(?:[^`]|``)*+`)"
    r"|(?P<open>['\"`])"
    rf"|(?P<date>{_DATE})(?![\w$@#./-])"
    rf"|(?P<number>{_NUMBER})(?![\w$@#./-])"
    rf"|(?P<name>{_NAME})"
    r"|(?P<mark>[<>!=]=|<>|.)",
    re.DOTALL,
)
END = "end"


class Token(NamedTuple):
    """`kind` is a group of _TOKEN or "end"; `text` is as written; `position` counts from 1."""

    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        """The keyword or sign that this token may be; nothing for literals."""
        return self.text.lower() if self.kind in ("name", "mark") else ""

    @property
    def shown(self) -> str:
        """The token as an error shows it."""
        if self.kind == END:
            return "the end of the query"
        text = self.text if len(self.text) <= 40 else self.text[:40] + "..."
        return text if self.kind in ("text", "quoted") else f"'{text}'"

    @property
    def unquoted(self) -> str:
        """The content of a quoted token."""
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a query and an END. Raises `QueryError` at an open quote and at what no query may hold."""
    _check_characters(text)
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "open":
            begin = f"(the text begins at position {match.start() + 1})"
            raise QueryError(f"a closing {match[0]} {begin}", len(text) + 1, "the end of the query")
        if kind != "space":
            yield Token(kind, match[0], match.start() + 1)
    yield Token(END, "", len(text) + 1)


def _check_characters(text: str) -> None:
    """Refuse what SQLite could not hold as text: SQL ends at a NUL, and a lone surrogate has no UTF-8."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"at most {MAX_LENGTH} characters", MAX_LENGTH + 1, f"{len(text)}")
    if match := re.search(r"[\0\ud800-\udfff]", text):
        raise QueryError("a Unicode character other than NUL", match.start() + 1, ascii(match[0]))


def number(text: str) -> int | float | None:
    """The number that a text spells, blanks around it allowed, or None. Integers beyond 64 bits become floats.

    Agrees with SQLite's numeric affinity (sqlite.org/datatype3.html): no hexadecimal, no `inf`, no `nan`.
    """
    text = text.strip(" \t\n\v\f\r")
    if not re.fullmatch(_NUMBER, text):
        return None
    if len(text) <= 20 and text.lstrip("+-").isdigit() and -(2**63) <= int(text) < 2**63:
        return int(text)
    return float(text)


def is_date(text: str) -> bool:
    """Whether a text has the form of an ISO date, with or without time, fraction and zone."""
    return re.fullmatch(_DATE, text) is not None


def spell_name(name: str) -> str:
    """A field or an object as a query writes it: bare where that is possible, else in backticks."""
    match = _TOKEN.fullmatch(name)
    bare = match is not None and match.lastgroup == "name" and name.lower() not in _KEYWORDS
    return name if bare else "`" + name.replace("`", "``") + "`"


def spell_value(value: Value) -> str:
    """A value as a query writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value).replace("inf", "1e999")
