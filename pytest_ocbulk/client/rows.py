"""Rows out of a result file, one at a time, whatever shape the element gave it.

JSON results come as JSON lines, as one array, as one bare object or as nothing at all, all under the same content
type (protocol.md 3.7). One scanner reads them all: it takes values from the text and lets the rest pass.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import UnexpectedAnswer

Row = dict[str, Any]

_DECODER = json.JSONDecoder()


def json_rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    """The objects of a JSON result in their order. Raises `UnexpectedAnswer` for anything that is not rows.

    Held in memory is one chunk and one row, never the file.
    """
    scanner = _Scanner()
    for text in _text(chunks):
        yield from scanner.feed(text)
    yield from scanner.finish()


class _Scanner:
    """Finds JSON objects in text that comes in pieces cut anywhere."""

    def __init__(self) -> None:
        self._rest = ""
        self._retry_at = 1
        self._depth = 0  # 1 inside the brackets of an array
        self._rows = 0

    def feed(self, text: str) -> Iterator[Row]:
        self._rest += text
        if len(self._rest) < self._retry_at:  # an unfinished row is tried again only when it has doubled
            return
        position = self._skip(0)
        while position < len(self._rest):
            try:
                value, position = _DECODER.raw_decode(self._rest, position)
            except json.JSONDecodeError:
                break
            yield self._row(value)
            position = self._skip(position)
        self._rest = self._rest[position:]
        self._retry_at = 2 * len(self._rest)

    def finish(self) -> Iterator[Row]:
        """The body has ended: the rows not yet found, then nothing may be left over."""
        self._retry_at = 0
        yield from self.feed("")
        if self._rest:
            raise UnexpectedAnswer(
                f"expected JSON rows to the end, got {self._rest[:60]!r} after row {self._rows}"
            )
        if self._depth:
            raise UnexpectedAnswer(f"expected the array to be closed, it ends after row {self._rows}")

    def _skip(self, position: int) -> int:
        """Past blanks, commas and the brackets of an array around the rows."""
        while position < len(self._rest) and self._rest[position] in " \t\r\n,[]":
            self._depth += {"[": 1, "]": -1}.get(self._rest[position], 0)
            position += 1
        return position

    def _row(self, value: object) -> Row:
        self._rows += 1
        if not isinstance(value, dict):
            raise UnexpectedAnswer(f"expected row {self._rows} to be an object, got {str(value)[:60]!r}")
        return value


def csv_rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a CSV result as dictionaries of texts by its header; none for an empty body.

    Raises `UnexpectedAnswer` for a row that is longer or shorter than the header.
    """
    table = _table(chunks)
    header = next(table, [])
    blank = [""] if len(header) == 1 else []  # an empty only cell is written as an empty line
    for number, line in enumerate(table, start=1):
        cells = line or blank
        if len(cells) != len(header):
            raise UnexpectedAnswer(f"expected {len(header)} columns in row {number}, got {len(cells)}")
        yield dict(zip(header, cells, strict=True))


def _table(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    number = 0  # of the row after the one just read; the header is row 0
    try:
        for cells in csv.reader(_lines(chunks)):
            number += 1
            yield cells
    except csv.Error as fault:
        raise UnexpectedAnswer(f"expected CSV in row {number}, got a fault: {fault}") from None


def _text(chunks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnexpectedAnswer(f"expected UTF-8, got {error.object[error.start : error.end]!r}") from None


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends; only a line feed ends one, as `csv` wants it."""
    rest = ""
    for text in _text(chunks):
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield line + "\n"
    if rest:
        yield rest
