"""Files become rows: CSV, JSON lines and JSON arrays, read as a stream in chunks.

A file that cannot be read beyond some row ends with a chunk that says so in `broken`, with the row named, and
holds the rows before it. Rows are counted from 1, without the header (protocol.md 3.9). The accepted forms are those of
protocol.md 6: comma-separated UTF-8 with a header row, with or without a byte order mark; JSON by lines or array.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, BinaryIO

from .checks import Value
from .nesting import flatten

BLOCK = 1024 * 1024
LINE_LIMIT = 16 * BLOCK
FIELD_LIMIT = csv.field_size_limit()
"""Characters in one CSV field; an unclosed quote cannot swallow more than this."""

_SUSPICIOUS = re.compile("[\0\ud800-\udfff]")


class BrokenFile(Exception):
    """The file as a whole cannot be taken; the text is the job's `error`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows under common columns.

    `first` is the number of the first row. `text`: all values are text, and an empty one means no value (CSV).
    `broken`: why the file cannot be read beyond these rows.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Value]]
    first: int
    text: bool
    broken: str = ""


def read(file: BinaryIO, file_format: str, size: int) -> Iterator[Chunk]:
    """Read a file as chunks of `size` rows; the last one may be shorter, and may be `broken`."""
    return _csv_chunks(file, size) if file_format == "csv" else _json_chunks(file, size)


def _csv_chunks(file: BinaryIO, size: int) -> Iterator[Chunk]:
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    try:
        columns = _header(reader, lines)
    except BrokenFile as error:
        yield Chunk((), (), 1, text=True, broken=str(error))
        return
    done = 0
    while True:
        rows: list[list[str]] = []
        complaint = _fill(rows, islice(reader, size), done)
        read_any = bool(rows)
        if [] in rows:  # blank lines are no rows
            rows = [row for row in rows if row]
        rows, complaint = _until_broken(rows, len(columns), done, lines.suspicious, complaint)
        if rows or complaint:
            yield Chunk(columns, rows, done + 1, text=True, broken=complaint)
            done += len(rows)
        if complaint or not read_any:
            return


def _fill(rows: list[list[str]], source: Iterable[list[str]], done: int) -> str:
    """Append rows as far as they can be read; return why reading stopped, if it broke."""
    try:
        rows.extend(source)  # keeps what came before an error
    except (csv.Error, BrokenFile) as error:
        return f"Row {done + len([row for row in rows if row]) + 1}: {_REASONS.get(str(error), error)}"
    return ""


_REASONS = {
    "unexpected end of data": "unclosed quote",
    f"field larger than field limit ({FIELD_LIMIT})": f"unclosed quote or a field beyond {FIELD_LIMIT} characters",
}


def _until_broken(
    rows: list[list[str]], width: int, done: int, suspicious: bool, complaint: str
) -> tuple[list[list[str]], str]:
    if not suspicious and set(map(len, rows)) <= {width}:
        return rows, complaint
    for at, row in enumerate(rows):
        reason = _defect(row, width, suspicious)
        if reason:
            return rows[:at], f"Row {done + at + 1}: {reason}"
    return rows, complaint


def _defect(row: list[str], width: int, suspicious: bool) -> str:
    if len(row) != width:
        return f"expected {width} columns as in the header, got {len(row)}"
    found = suspicious and _SUSPICIOUS.search("".join(row))
    if not found:
        return ""
    return "contains a NUL character" if found[0] == "\0" else "not valid UTF-8"


def _header(reader: Iterator[list[str]], lines: _Lines) -> tuple[str, ...]:
    rows: list[list[str]] = []
    complaint = _fill(rows, islice(filter(None, reader), 1), -1).replace("Row 0", "Header")
    if complaint:
        raise BrokenFile(complaint)
    if not rows:
        raise BrokenFile("The file is empty: expected a header row")
    header = rows[0]
    if defect := _defect(header, len(header), lines.suspicious):
        raise BrokenFile(f"Header: {defect}")
    for at, name in enumerate(header):
        if not name.strip():
            raise BrokenFile(f"Header: column {at + 1} has no name")
        if name in header[:at]:
            raise BrokenFile(f"Header: column {name!r} appears twice")
    return tuple(header)


class _Lines:
    """The lines of a CSV file as text.

    `suspicious` is set once a block holds a NUL or is not UTF-8; its lines then carry the undecodable bytes as
    lone surrogates, so that the row they are in can be named.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.suspicious = False
        self._lines = chain.from_iterable(self._texts(file))

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def _texts(self, file: BinaryIO) -> Iterator[io.StringIO]:
        for block in _blocks(file):
            if b"\0" in block:
                self.suspicious = True
            try:
                text = block.decode()
            except UnicodeDecodeError:
                self.suspicious = True
                text = block.decode(errors="surrogateescape")
            # StringIO splits at line ends only; str.splitlines would also split at form feeds and the like.
            yield io.StringIO(text, newline="")


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file in blocks that end at a line end, without its byte order mark."""
    tail = file.read(BLOCK).removeprefix(b"\xef\xbb\xbf")
    while block := file.read(BLOCK):
        cut = tail.rfind(b"\n") + 1 or tail.rfind(b"\r", 0, -1) + 1
        if cut:
            yield tail[:cut]
        elif len(tail) > LINE_LIMIT:
            raise BrokenFile(f"a line of more than {LINE_LIMIT} bytes")
        tail = tail[cut:] + block
    if tail:
        yield tail


def _json_chunks(file: BinaryIO, size: int) -> Iterator[Chunk]:
    records = _json_records(file)
    done, complaint = 0, ""
    while not complaint:
        group: list[dict[str, Any]] = []
        try:
            group.extend(islice(records, size))
        except BrokenFile as error:
            complaint = f"Row {done + len(group) + 1}: {error}"
        if not group and not complaint:
            return
        columns = tuple(dict.fromkeys(name for record in group for name in record))
        rows = [[record.get(name) for name in columns] for record in group]
        yield Chunk(columns, rows, done + 1, text=False, broken=complaint)
        done += len(group)


def _json_records(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for value in _json_values(io.TextIOWrapper(_Unclosed(file), encoding="utf-8-sig", newline="")):
        if not isinstance(value, dict):
            raise BrokenFile(f"expected a JSON object, got {json.dumps(value)[:40]}")
        record = flatten(value)
        if _SUSPICIOUS.search("".join(record)):
            raise BrokenFile("a name contains a NUL character or is not valid Unicode text")
        yield record


class _Unclosed(io.BufferedReader):
    """A view of a file that does not close it when the text layer above is thrown away."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)  # type: ignore[arg-type]  # any binary file will do

    def close(self) -> None:
        """Leave the file to its owner."""


def _json_values(text: io.TextIOWrapper) -> Iterator[Any]:
    """The values of JSON lines or of one array, decoded one by one from a sliding window."""
    decode = json.JSONDecoder().raw_decode
    window = _more(text, "")
    position = _skip(window, 0, "")
    array = window[position : position + 1] == "["
    position += array
    while True:
        position = _skip(window, position, ",")
        if position < len(window):
            if array and window[position] == "]":
                _nothing_more(text, window[position + 1 :])
                return
            try:
                value, position = decode(window, position)
            except json.JSONDecodeError as error:
                window, position = _grown(text, window[position:], error.msg), 0
                continue
            except RecursionError:
                raise BrokenFile("JSON nested too deeply") from None
            yield value
        elif not (window := _more(text, "")):
            if array:
                raise BrokenFile("the JSON array is not closed")
            return
        else:
            position = 0


def _nothing_more(text: io.TextIOWrapper, window: str) -> None:
    """Make sure that the array was all there is: what follows it would be lost."""
    while window:
        if window.strip():
            raise BrokenFile(f"expected nothing behind the JSON array, got {window.strip()[:20]!r}")
        window = _more(text, "")


def _grown(text: io.TextIOWrapper, window: str, reason: str) -> str:
    """A window that failed to decode, with more behind it; at the end of the file it is simply wrong."""
    grown = _more(text, window)
    if len(grown) == len(window):
        raise BrokenFile(f"not valid JSON: {reason}")
    if len(grown) > LINE_LIMIT:
        raise BrokenFile(f"a JSON value of more than {LINE_LIMIT} characters")
    return grown


def _more(text: io.TextIOWrapper, window: str) -> str:
    try:
        return window + text.read(BLOCK)
    except UnicodeDecodeError:
        raise BrokenFile("not valid UTF-8") from None


def _skip(window: str, position: int, also: str) -> int:
    blank = " \t\r\n" + also
    while position < len(window) and window[position] in blank:
        position += 1
    return position
