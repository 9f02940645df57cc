"""How the rows of a file are written down: encoding, byte order mark, delimiter, line ends."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from encodings.aliases import aliases

from pytest_ocbulk.emulator.errors import OcBulkError, nearest

BOM = "\ufeff"

# Python's codecs of these names write a mark before every piece; here it is written once, before the header.
# Little-endian, so that a file is the same on every machine.
_MARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The form of a CSV file, checked when it is made.

    `encoding` is any text encoding of Python; `utf-8-sig`, `utf-16` and `utf-32` imply `bom` (and the last
    two little-endian order). `newline` is one of line feed, carriage return, or both. Raises `OcBulkError`
    for anything that could not be read back.
    """

    encoding: str = "utf-8"
    bom: bool = False
    delimiter: str = ","
    newline: str = "\n"

    def __post_init__(self) -> None:
        _check_encoding(self.encoding)
        _check_delimiter(self.delimiter)
        if self.newline not in ("\n", "\r\n", "\r"):
            raise OcBulkError(f"newline must be '\\n', '\\r\\n' or '\\r', got {self.newline!r}")
        if self.marked and not self.holds(BOM):
            raise OcBulkError(
                f"encoding {self.encoding!r} has no byte order mark; leave out bom=True or use 'utf-8'"
            )

    @property
    def codec(self) -> str:
        """Python's name of the encoding that each piece is written in, without marks."""
        name = codecs.lookup(self.encoding).name
        return _MARKED.get(name, name)

    @property
    def marked(self) -> bool:
        """Whether the file starts with a byte order mark."""
        return self.bom or codecs.lookup(self.encoding).name in _MARKED

    @property
    def as_the_service_reads(self) -> bool:
        """UTF-8 and commas: all that the service accepts (protocol.md 6)."""
        return self.codec == "utf-8" and self.delimiter == ","

    def holds(self, text: str) -> bool:
        """Whether the encoding has all characters of `text`."""
        try:
            self.encode(text)
        except UnicodeError:
            return False
        return True

    def encode(self, text: str, errors: str = "strict") -> bytes:
        """`text` in the file's encoding, without a byte order mark."""
        return text.encode(self.codec, errors)

    def cell(self, value: str) -> str:
        """One value, in quotes where they are needed (RFC 4180)."""
        quoted = any(mark in value for mark in ('"', "\r", "\n", self.delimiter))
        return '"' + value.replace('"', '""') + '"' if quoted else value

    def line(self, values: Iterable[str]) -> str:
        """One record with its line end."""
        return self.delimiter.join(map(self.cell, values)) + self.newline

    def head(self, names: Iterable[str]) -> str:
        """The header line, after the byte order mark where there is one."""
        return (BOM if self.marked else "") + self.line(names)


def _check_encoding(encoding: str) -> None:
    try:
        # Files are written in pieces, so a codec must not treat text as one whole (punycode does).
        whole, pieces = "ab".encode(encoding), "a".encode(encoding) + "b".encode(encoding)
    except LookupError as error:
        hint = nearest(encoding, {name.replace("_", "-") for name in aliases.values()})
        hint = hint if hint.startswith("; did") else "; use a text encoding of Python, such as 'utf-8'"
        raise OcBulkError(f"unknown encoding {encoding!r}{hint}") from error
    if whole != pieces and codecs.lookup(encoding).name not in _MARKED:
        raise OcBulkError(f"encoding {encoding!r} cannot be written in pieces; use another, such as 'utf-8'")


def _check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0':
        raise OcBulkError(
            "delimiter must be one character, not a letter, a digit, a quote, a line end or NUL; "
            f"got {delimiter!r}"
        )
