"""A query job becomes a result: a snapshot of the selected records, streamed as CSV or JSON.

`Extraction` is the work of a query or download job; `csv_stream`, `json_lines` and `json_array` write what it found
in blocks, walking by key, so that a million records are never in memory (protocol.md 3.7).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from . import jobs
from .connectors import ObjectDefinition
from .instances import Instance
from .jobs import Job
from .ocnql import Select
from .predicate import to_sql
from .store import MAX_COLUMNS, Collection, Selection, Store, record

BLOCK_ROWS = 2000

Read = Callable[[int | None], list[tuple[Any, ...]]]
"""Reads the block of rows behind a row id; the emulator's lock is held inside."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a query asks for: a select, bounds on the time of change (ms), and how many records to pass over.

    `skip` is what the jobs took that this one continues.
    """

    select: Select
    changed_from: int | None = None
    changed_to: int | None = None
    skip: int = 0

    def selection(self, now: int) -> Selection:
        """The records to be taken, of those visible at `now` (ms)."""
        return Selection(self.select.where, self.changed_from, self.changed_to, now)

    def paths(self, source: Collection) -> list[str]:
        """The columns of the answer; a name that stands for a branch (`address`) means all its leaves."""
        return expand(self.select.fields, source) if self.select.fields else source.paths

    def unknown_field(self, source: Collection) -> str | None:
        """The first field that the records cannot have, wherever in the query it stands."""
        named = [*self.paths(source), *(each.field for each in self.select.order)]

        def noted(field: str) -> str:
            named.append(field)
            return "NULL"

        if self.select.where is not None:
            to_sql(self.select.where, noted)
        return next((field for field in named if not source.knows(field)), None)


def expand(names: Iterable[str], source: Collection) -> list[str]:
    """The columns that names stand for, each once: themselves, or the leaves below them (protocol.md 3.7, 9.2)."""
    expanded: list[str] = []
    for name in names:
        below = [path for path in source.paths if path.startswith((f"{name}.", f"{name}[*]"))]
        expanded += below if below and name not in source.paths else [name]
    return list(dict.fromkeys(expanded))


class Extraction:
    """The work of one query job: the selection is copied as it stands at the job's end."""

    failure_status = jobs.ERROR
    info: str | None = None

    def __init__(self, source: Collection, result: Collection, criteria: Criteria) -> None:
        self.source = source
        self.result = result
        self.criteria = criteria
        self.done = self.failed = 0
        self.error = ""
        self.finished = False

    def prepare(self) -> None:
        """Nothing can be done before the store is at hand."""

    def commit(self, store: Store, piece: object, now: int) -> None:  # noqa: ARG002  # as Application.commit
        """Copy the selection; an unknown field of a declared object ends the job (protocol.md 9.4)."""
        self.finished = True
        select = self.criteria.select
        if unknown := self.criteria.unknown_field(self.source):
            self.error = f"Unknown field {unknown!r} in {select.object}"
            return
        paths = self.criteria.paths(self.source)
        if len(paths) > MAX_COLUMNS:
            self.error = f"Expected at most {MAX_COLUMNS} fields of {select.object}, got {len(paths)}"
            return
        with store.transaction():
            self.done = self.source.copy_to(
                self.result,
                self.criteria.selection(now),
                paths,
                select.order,
                select.limit,
                self.criteria.skip,
            )

    def abandon(self) -> None:
        """Nothing was begun."""

    def close(self) -> None:
        """Nothing is held open."""


def extraction(store: Store, instance: Instance, job: Job) -> Extraction:
    """The work of a query job; its criteria say what is to be found."""
    if job.criteria is None:
        raise ValueError(f"job {job.id} is no query")
    shape = instance.shape(job.object_name) or ObjectDefinition(job.object_name)
    source = store.collection(instance.id, job.object_name, shape)
    return Extraction(source, store.collection(instance.id, result_name(job.id), RESULT), job.criteria)


def result_name(job_id: str) -> str:
    """The name of the collection that holds the result of a job; no object can be called so."""
    return f"\0result {job_id}"


RESULT = ObjectDefinition("\0result", primary_key="\0row")
"""Results are rows of any columns; their key is their place."""


def reader(source: Collection, criteria: Criteria, now: int, lock: AbstractContextManager[object]) -> Read:
    """Reads a query's records from where they are, at the instant `now` (ms): by key, or by counting under an order."""
    select, selection, paths, taken = criteria.select, criteria.selection(now), criteria.paths(source), 0

    def read(after: int | None) -> list[tuple[Any, ...]]:
        nonlocal taken
        size = BLOCK_ROWS if select.limit is None else min(BLOCK_ROWS, select.limit - taken)
        offset = criteria.skip + taken if select.order or not taken else 0
        with lock:
            rows = source.select(
                selection,
                paths=paths,
                order=select.order,
                after=None if select.order else after,
                offset=offset,
                limit=size,
            )
        taken += len(rows)
        return rows

    return read


def blocks(read: Read) -> Iterator[list[tuple[Any, ...]]]:
    """All rows of a collection in blocks, found by key."""
    after: int | None = None
    while rows := read(after):
        yield rows
        after = rows[-1][0]


def csv_stream(paths: list[str], read: Read) -> Iterator[bytes]:
    """CSV with a header row and LF line ends (protocol.md 3.7)."""
    header = [paths]
    for rows in blocks(read):
        yield _csv([*header, *([_cell(value) for value in row[1:]] for row in rows)])
        header = []
    if header:
        yield _csv(header)


Shown = Callable[[list[str], tuple[Any, ...]], dict[str, Any]]
"""Makes the JSON object of a row of values."""


def shown(*, nulls: bool, native: bool = True) -> Shown:
    """How rows become objects: with null values or without; `native=False` makes every value a text (3.7)."""
    if native:
        return lambda paths, row: record(paths, row, nulls=nulls)
    return lambda paths, row: record(paths, [_text(value) for value in row], nulls=nulls)


def json_lines(paths: list[str], read: Read, show: Shown) -> Iterator[bytes]:
    """One JSON object per line, each line ended; no records are an empty body (protocol.md 3.7)."""
    for rows in blocks(read):
        yield b"".join(_json(show(paths, row[1:])) + b"\n" for row in rows)


def json_array(paths: list[str], read: Read, show: Shown) -> Iterator[bytes]:
    """One JSON array."""
    opening = b"["
    for rows in blocks(read):
        yield opening + b",".join(_json(show(paths, row[1:])) for row in rows)
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    # A lone CR has to be quoted too, or readers end the row there; Python before 3.13 does so only where CR ends lines.
    if "\r" in text.getvalue():
        text = io.StringIO()
        for row in rows:
            line = io.StringIO()
            csv.writer(line, lineterminator="\r\n").writerow(row)
            text.write(line.getvalue().removesuffix("\r\n") + "\n")
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _text(value: Any) -> Any:
    """A kept value as text: true and 1.5 as JSON writes them, missing ones stay missing."""
    if value is None or isinstance(value, str):
        return value
    return value.decode() if isinstance(value, bytes) else json.dumps(value)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
