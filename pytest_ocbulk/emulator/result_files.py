"""Results as files: CSV, JSON lines and JSON arrays, written block by block (protocol.md 3.7).

A block is first written the short way. What that cannot write (a value that is kept as JSON, a lone carriage return,
a dotted column) shows in the block, which is then written the long way; nearly none is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any

from .results import Read, blocks
from .stored_values import record

_VALUES = itemgetter(slice(1, None))
"""A row without its row id."""

_to_json = json.JSONEncoder(ensure_ascii=False).encode


def csv_stream(paths: list[str], read: Read) -> Iterator[bytes]:
    """CSV with a header row and LF line ends."""
    header: list[list[str]] = [paths]
    for rows in blocks(read):
        yield _csv([*header, *map(_VALUES, rows)])
        header = []
    if header:
        yield _csv(header)


@dataclass(frozen=True, slots=True)
class Shown:
    """How rows become objects: with null values or without; unless `native` every value is a text."""

    nulls: bool
    native: bool = True

    def __call__(self, paths: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
        """The JSON object of a row of values."""
        return record(paths, row if self.native else [_text(value) for value in row], nulls=self.nulls)

    def writer(self, paths: list[str]) -> Callable[[tuple[Any, ...]], str]:
        """Writes the JSON text of a row of values."""
        if not self.native or any("." in path or path.endswith("]") for path in paths):
            return lambda row: _to_json(self(paths, row))
        names = [f"{encode_basestring(path)}: " for path in paths]
        nulls = self.nulls

        def write(row: tuple[Any, ...]) -> str:
            pairs = [
                name + (encode_basestring(value) if type(value) is str else _literal(value))
                for name, value in zip(names, row, strict=True)
                if nulls or value is not None
            ]
            return f"{{{', '.join(pairs)}}}"

        return write


def json_lines(paths: list[str], read: Read, show: Shown) -> Iterator[bytes]:
    """One JSON object per line, each line ended; no records are an empty body."""
    write = show.writer(paths)
    for rows in blocks(read):
        yield "".join([write(row[1:]) + "\n" for row in rows]).encode()


def json_array(paths: list[str], read: Read, show: Shown) -> Iterator[bytes]:
    """One JSON array."""
    write, opening = show.writer(paths), "["
    for rows in blocks(read):
        yield (opening + ",".join([write(row[1:]) for row in rows])).encode()
        opening = ","
    yield b"[]" if opening == "[" else b"]"


def _csv(rows: list[Any]) -> bytes:
    text = _written(rows)
    if "b'" in text:  # there may be values that are kept as JSON: csv writes bytes as Python prints them
        text = _written([[_cell(value) for value in row] for row in rows])
    # A lone CR has to be quoted too, or readers end the row there; Python before 3.13 does so only where CR ends lines.
    if "\r" in text:
        lines = (_written([[_cell(value) for value in row]], end="\r\n").removesuffix("\r\n") for row in rows)
        text = "".join(line + "\n" for line in lines)
    return text.encode()


def _written(rows: list[Any], end: str = "\n") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _literal(value: Any) -> str:
    """A kept value that is no text, as JSON."""
    return value.decode() if isinstance(value, bytes) else _to_json(value)


def _text(value: Any) -> Any:
    """A kept value as text: true and 1.5 as JSON writes them, missing ones stay missing."""
    if value is None or isinstance(value, str):
        return value
    return value.decode() if isinstance(value, bytes) else json.dumps(value)
