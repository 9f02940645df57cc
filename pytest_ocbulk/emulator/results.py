"""A query job becomes a result: a snapshot of the selected records, streamed as CSV or JSON.

`Extraction` is the work of a query or download job; `csv_stream`, `json_lines` and `json_array` write what it found
in blocks, walking by key, so that a million records are never in memory (protocol.md 3.7).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from . import jobs
from .connectors import ObjectDefinition
from .ocnql import Select
from .store import Collection, Selection, Store, record

BLOCK_ROWS = 2000

Read = Callable[[int | None], list[tuple[Any, ...]]]
"""Reads the block of rows behind a row id; the emulator's lock is held inside."""


class Extraction:
    """The work of one query job: the selection is copied as it stands at the job's end."""

    failure_status = jobs.ERROR
    info: str | None = None

    def __init__(
        self, source: Collection | None, result: Collection, select: Select, selection: Selection
    ) -> None:
        self.source = source
        self.result = result
        self.select = select
        self.selection = selection
        self.done = self.failed = 0
        self.error = ""
        self.finished = False

    def prepare(self) -> None:
        """Nothing can be done before the store is at hand."""

    def commit(self, store: Store, piece: object, now: int) -> None:  # noqa: ARG002  # as Application.commit
        """Copy the selection; an unknown field of a declared object ends the job (protocol.md 9.4)."""
        self.finished = True
        if self.source is None:
            return
        paths = list(self.select.fields) or self.source.paths
        unknown = [path for path in paths if not self.source.knows(path)]
        if unknown:
            self.error = f"Unknown field {unknown[0]!r} in {self.select.object}"
            return
        selection = Selection(
            self.select.where, self.selection.changed_from, self.selection.changed_to, self.selection.now
        )
        with store.transaction():
            self.done = self.source.copy_to(
                self.result, selection, paths, self.select.order, self.select.limit
            )

    def close(self) -> None:
        """Nothing is held open."""


def result_name(job_id: str) -> str:
    """The name of the collection that holds the result of a job; no object can be called so."""
    return f"\0result {job_id}"


RESULT = ObjectDefinition("\0result", primary_key="\0row")
"""Results are rows of any columns; their key is their place."""


def blocks(read: Read) -> Iterator[list[tuple[Any, ...]]]:
    """All rows of a collection in blocks, found by key."""
    after: int | None = None
    while rows := read(after):
        yield rows
        after = rows[-1][0]


def csv_stream(paths: list[str], read: Read) -> Iterator[bytes]:
    """CSV with a header row and LF line ends (protocol.md 3.7)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(paths)
    for rows in blocks(read):
        writer.writerows([_cell(value) for value in row[1:]] for row in rows)
        yield _taken(text)
    if text.tell():
        yield _taken(text)


def json_lines(paths: list[str], read: Read, *, nulls: bool) -> Iterator[bytes]:
    """One JSON object per line, each line ended; no records are an empty body (protocol.md 3.7)."""
    for rows in blocks(read):
        yield b"".join(_json(record(paths, row[1:], nulls=nulls)) + b"\n" for row in rows)


def json_array(paths: list[str], read: Read, *, nulls: bool) -> Iterator[bytes]:
    """One JSON array."""
    opening = b"["
    for rows in blocks(read):
        yield opening + b",".join(_json(record(paths, row[1:], nulls=nulls)) for row in rows)
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


def _taken(text: io.StringIO) -> bytes:
    block = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return block


def _cell(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
