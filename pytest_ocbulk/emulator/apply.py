"""An accepted upload becomes records: batch by batch, each wholly or not at all.

One `Application` is the work of one job. `prepare` reads and checks the next slice of the file and touches no
store; `commit` writes it. A server runs the two in a worker, holding the emulator's lock for `commit` only; in
process they run one after the other inside the tick.

A failing row takes its batch with it (protocol.md 5, "batch failure"): every row of the batch is counted as failed
and has an error item. Batches larger than a slice are collected in a stage and merged when all their rows are good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from . import jobs
from .checks import Value, check_column, conflict
from .connectors import WHOLE_FILE, ObjectDefinition
from .rows import BrokenFile, Chunk, read
from .store import Collection, Store, Taken, encode
from .upload import Options

SLICE = 1000
"""Rows that are written in one go, while the emulator's lock is held."""


@dataclass(slots=True)
class Slice:
    """Checked rows, ready to be written: faults by index, and why the file ends here if it is broken."""

    first: int = 0
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    faults: dict[int, str] = field(default_factory=dict)
    text: bool = False
    last: bool = False
    broken: str = ""


class Application:
    """The work of one upload job. `done` counts data rows that are settled, `failed` those that failed."""

    failure_status = jobs.ABORTED

    def __init__(
        self,
        job_id: str,
        file: BinaryIO,
        options: Options,
        shape: ObjectDefinition | None,
        object_name: str,
        target: Collection,
        batch_size: int,
        visible: Callable[[int, int], list[int | None]],
        fail_rows: Mapping[int, str] | None = None,
    ) -> None:
        self.job_id = job_id
        self.file = file
        self.options = options
        self.shape = shape
        self.object_name = object_name
        self.target = target
        self.action = options.action or "create"
        self.batch = options.batch_size or batch_size
        self.staged = self.batch == WHOLE_FILE or self.batch > SLICE
        self.visible = visible
        self.fail_rows = fail_rows or {}
        self.done = 0
        self.failed = 0
        self.settled = 0
        self.error = ""
        self.ignored: tuple[str, ...] = ()
        self.finished = False
        self._chunks = self._read()
        self._stage_faults: dict[int, str] = {}
        self._stage_first = 1

    @property
    def info(self) -> str | None:
        """What the status body's infoMessage says: columns that the object does not have."""
        return f"Ignored columns: {', '.join(self.ignored)}" if self.ignored else None

    def close(self) -> None:
        """Give the file back."""
        self.file.close()

    # -- reading and checking: no store ------------------------------------------------------------------

    def prepare(self) -> Slice:
        """Read and check the next slice of the file."""
        try:
            chunk = next(self._chunks, None)
            if chunk is None:
                return Slice(last=True)
            if chunk.broken:
                chunk = self._whole_batches(chunk)
            return self._checked(chunk) if chunk.rows else Slice(last=bool(chunk.broken), broken=chunk.broken)
        except BrokenFile as error:
            return Slice(last=True, broken=str(error))

    def _whole_batches(self, chunk: Chunk) -> Chunk:
        """The batch in which the file breaks is incomplete, so none of it is applied."""
        whole = 0 if self.staged else len(chunk.rows) // self.batch * self.batch
        return replace(chunk, rows=chunk.rows[:whole])

    def _read(self) -> Iterator[Chunk]:
        size = SLICE if self.staged else SLICE // self.batch * self.batch
        self.file.seek(0)
        return read(self.file, self.options.file_format, size)

    def _checked(self, chunk: Chunk) -> Slice:
        shape = self.shape
        if shape is None:
            text = f"{self.object_name}: No such object"
            faults = dict.fromkeys(range(len(chunk.rows)), text)
            return Slice(chunk.first, (), chunk.rows, faults, last=bool(chunk.broken), broken=chunk.broken)
        self._check_columns(shape, chunk)
        columns, kept = self._kept(shape, chunk)
        faults = dict(self.planned_faults(chunk.first, len(chunk.rows)))
        for at in reversed(range(len(columns))):  # the first column's complaint is the one that stays
            definition = shape.fields.get(columns[at])
            if definition is not None:
                kept[at], wrong = check_column(definition, kept[at])
                faults |= wrong
        if not chunk.text:
            kept = [self._encoded(column, faults) for column in kept]
        self._check_one_of(shape, columns, kept)
        rows = list(zip(*kept, strict=True)) if kept else [()] * len(chunk.rows)
        return Slice(chunk.first, columns, rows, faults, chunk.text, bool(chunk.broken), chunk.broken)

    def _check_columns(self, shape: ObjectDefinition, chunk: Chunk) -> None:
        """Checks on the whole file, which end the job ABORTED (protocol.md 3.3)."""
        if not chunk.text or chunk.first > 1:
            return
        missing = [f"'{name}'" for name in self._needed(shape) if name not in chunk.columns]
        if missing:
            raise BrokenFile(f"All {shape.name} records require {' and '.join(missing)}")

    def planned_faults(self, first: int, count: int) -> Iterator[tuple[int, str]]:
        """Rows of a slice that a test has condemned, by index (`next_job(fail_rows=...)`)."""
        for row, text in self.fail_rows.items():
            if first <= row < first + count:
                yield row - first, text

    def _needed(self, shape: ObjectDefinition) -> list[str]:
        if self.action == "create":
            return [each.name for each in shape.fields.values() if each.required]
        return [self.key]

    @property
    def key(self) -> str:
        """The field by which update and upsert find a record."""
        return self.options.key or (self.shape.primary_key if self.shape else "id")

    def _kept(self, shape: ObjectDefinition, chunk: Chunk) -> tuple[list[str], list[Sequence[Value]]]:
        """The columns that the object has, and their values; the others are left out and named."""
        names = list(chunk.columns)
        by_column = list(zip(*chunk.rows, strict=True))
        if not shape.declared:
            return names, list(by_column)
        keep = [at for at, name in enumerate(names) if self._writable(shape, name)]
        if len(keep) < len(names):
            self.ignored = tuple(name for at, name in enumerate(names) if at not in keep)
        columns, kept = [names[at] for at in keep], [by_column[at] for at in keep]
        if not chunk.text:
            nothing: tuple[Value, ...] = (None,) * len(chunk.rows)
            absent = [name for name in self._needed(shape) if name not in columns]
            columns, kept = columns + absent, kept + [nothing] * len(absent)
        return columns, list(kept)

    def _writable(self, shape: ObjectDefinition, name: str) -> bool:
        definition = shape.fields.get(name)
        return definition is not None and (
            not definition.read_only or (name == self.key and self.action != "create")
        )

    def _encoded(self, column: Sequence[Value], faults: dict[int, str]) -> list[Any]:
        encoded: list[Any] = []
        for at, value in enumerate(column):
            try:
                encoded.append(encode(value))
            except ValueError:
                encoded.append(None)
                faults[at] = f"{value!r}: Not valid Unicode text"
        return encoded

    def _check_one_of(
        self, shape: ObjectDefinition, columns: Sequence[str], kept: Sequence[Sequence[Value]]
    ) -> None:
        if not shape.requires_one_of:
            return
        present = [kept[columns.index(name)] for name in shape.requires_one_of if name in columns]
        if not present or not all(any(values) for values in zip(*present, strict=True)):
            names = " or ".join(f"'{name}'" for name in shape.requires_one_of)
            raise BrokenFile(f"All {shape.name} records require either {names}")

    # -- writing: under the emulator's lock ---------------------------------------------------------------

    def commit(self, store: Store, piece: Slice, now: int) -> None:
        """Write a slice; `now` is in ms. When `finished` is set, `error` tells whether the file was broken."""
        with store.transaction():
            if piece.rows:
                if self.staged:
                    self._stage(store, piece, now)
                else:
                    self._write(store, piece, now)
            if piece.last:
                self._finish(store, piece, now)

    def _write(self, store: Store, piece: Slice, now: int) -> None:
        if not piece.faults and self.action == "create":
            try:
                self._insert(store, piece.columns, piece.rows, now, piece.text)
            except Taken:
                pass  # some row is a duplicate: find out which, batch by batch
            else:
                self.done += len(piece.rows)
                return
        for start in range(0, len(piece.rows), self.batch):
            self._write_batch(store, piece, start, now)

    def _write_batch(self, store: Store, piece: Slice, start: int, now: int) -> None:
        rows = piece.rows[start : start + self.batch]
        faults = {
            at - start: piece.faults[at] for at in range(start, start + len(rows)) if at in piece.faults
        }
        if not faults:
            try:
                with store.transaction():
                    for at, row in enumerate(rows):  # noqa: B007  # names the row that failed
                        self._write_row(store, piece.columns, row, now, piece.text)
            except (Taken, _RowFault) as error:
                faults = {at: conflict(error.field) if isinstance(error, Taken) else str(error)}
        if faults:
            self._fail_batch(store, piece.first + start, len(rows), faults)
        self.done += len(rows)

    def _write_row(
        self,
        store: Store,
        columns: Sequence[str],
        row: Sequence[Any],
        now: int,
        text: bool,
    ) -> None:
        if self.action == "create":
            self._insert(store, columns, [row], now, text)
            return
        values = {
            name: None if text and value == "" else value for name, value in zip(columns, row, strict=True)
        }
        wanted = values.get(self.key)
        found = None if wanted is None else self.target.row_of(self.key, wanted)
        if found is not None:
            self.target.update(found, values, now)
        elif self.action == "update":
            raise _RowFault(f"{wanted}: No record found by {self.key}")
        else:
            self._insert(store, columns, [row], now, text)

    def _insert(
        self,
        store: Store,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        now: int,
        text: bool,
    ) -> None:
        visible = self.visible(self.settled + 1, len(rows))
        with store.transaction():
            start = 0
            while start < len(rows):  # runs of rows that become visible together; usually one
                end = start + 1
                while end < len(rows) and visible[end] == visible[start]:
                    end += 1
                self.target.insert(columns, rows[start:end], now, visible[start], text=text)
                start = end
        self.settled += len(rows)

    def _fail_batch(self, store: Store, first: int, size: int, faults: dict[int, str]) -> None:
        culprit = min(faults)
        others = f"Batch of rows {first}-{first + size - 1} failed: row {first + culprit}: {faults[culprit]}"
        store.add_failures(self.job_id, ((first + at, faults.get(at, others)) for at in range(size)))
        self.failed += size

    def _stage(self, store: Store, piece: Slice, now: int) -> None:
        """Put rows aside until their batch is complete; a faulty batch needs no more than its count."""
        rows, first = piece.rows, piece.first
        while len(rows):
            room = len(rows) if self.batch == WHOLE_FILE else self._stage_first + self.batch - first
            part, rest = rows[:room], rows[room:]
            offset = first - piece.first
            for at in range(len(part)):
                if offset + at in piece.faults:
                    self._stage_faults[first + at] = piece.faults[offset + at]
            if not self._stage_faults:
                self._stage_part(store, piece, part, first, now)
            self.done += len(part)
            rows, first = rest, first + len(part)
            if self.batch != WHOLE_FILE and first == self._stage_first + self.batch:
                self._merge(store, now)

    def _stage_part(
        self,
        store: Store,
        piece: Slice,
        part: Sequence[Sequence[Any]],
        first: int,
        now: int,
    ) -> None:
        stage = self._staging(store)
        try:
            with store.transaction():
                stage.insert(piece.columns, part, now, text=piece.text)
        except Taken:
            for at, row in enumerate(part):
                try:
                    stage.insert(piece.columns, [row], now, text=piece.text)
                except Taken as error:
                    self._stage_faults[first + at] = conflict(error.field)

    def _staging(self, store: Store) -> Collection:
        name = f"\0stage {self.job_id}"
        stage = store.collection(self.target.instance, name, ObjectDefinition(name, primary_key=""))
        if not stage.exists:
            # In the stage the key is an ordinary column: which ones were given and which are to be made must show.
            stage.declared = [*self.target.declared, self.target.key]
            stage.unique = [self.target.key, *self.target.unique] if self.action == "create" else []
            stage.ensure(())
        return stage

    def _merge(self, store: Store, now: int) -> None:
        """Settle the batch in the stage: all its rows become records, or all of them fail."""
        first, size = self._stage_first, self.done - self._stage_first + 1
        faults = self._stage_faults
        if not faults and size:
            faults = self._merge_rows(store, now)
        if faults:
            self._fail_batch(store, first, size, {row - first: text for row, text in faults.items()})
        store.drop(self.target.instance, f"\0stage {self.job_id}")
        self._stage_first, self._stage_faults = self.done + 1, {}

    def _merge_rows(self, store: Store, now: int) -> dict[int, str]:
        stage = self._staging(store)
        visible = set(self.visible(1, SLICE))
        if self.action == "create" and len(visible) == 1:
            try:
                with store.transaction():
                    self.target.absorb(stage, now, visible.pop())
            except Taken:
                pass  # find out which row, one by one
            else:
                return {}
        paths = list(stage.columns)
        at = 0  # the row that is being merged
        try:
            with store.transaction():
                for at, *row in stage.select(paths=paths):  # noqa: B007  # tells which row failed
                    self._write_row(store, paths, row, now, text=False)
        except (Taken, _RowFault) as error:
            text = conflict(error.field) if isinstance(error, Taken) else str(error)
            return {self._stage_first + at - 1: text}
        return {}

    def _finish(self, store: Store, piece: Slice, now: int) -> None:
        self.error = piece.broken
        if self.staged:
            if piece.broken:  # the batch in which the file breaks is incomplete, so none of it is applied
                self.done = self._stage_first - 1
                store.drop(self.target.instance, f"\0stage {self.job_id}")
            elif self.done >= self._stage_first:
                self._merge(store, now)
        self.finished = True
        self.file.close()


class _RowFault(Exception):
    """A row that cannot be applied, in the words of its error item."""
