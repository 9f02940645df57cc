"""An accepted upload becomes records: batch by batch, each wholly or not at all.

One `Application` is the work of one job. `prepare` reads and checks the next slice and touches no store; `commit`
writes it. A server runs the two in a worker, holding the emulator's lock for `commit` only; in process they run
one after the other inside the tick.

A failing row takes its batch with it (protocol.md 5, "batch failure"): every row of the batch is counted as failed
and has an error item. Small files are written directly; the others are collected in a stage (`stage.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from . import jobs
from .checks import conflict
from .collection import Collection, Taken
from .connectors import ObjectDefinition
from .errors import BadRequest
from .slices import SLICE, Slice, Slices
from .stage import Stage
from .store import Store
from .upload import Options


class RowFault(Exception):
    """A row that cannot be applied, in the words of its error item."""


class Application:
    """The work of one upload job. `done` counts the rows that were read, `failed` those of them that failed."""

    failure_status = jobs.ABORTED

    def __init__(
        self,
        job_id: str,
        file: BinaryIO,
        options: Options,
        shape: ObjectDefinition | None,
        target: Collection,
        batch_size: int,
        visible: Callable[[int, int], list[int | None]],
        fail_rows: Mapping[int, str] | None = None,
    ) -> None:
        self.job_id = job_id
        self.file = file
        self.options = options
        self.target = target
        self.visible = visible
        self.action = options.action or "create"
        self.batch = options.batch_size or batch_size
        self.slices = Slices(file, options, shape, target.name, self.batch, fail_rows or {})
        self.done = 0
        self.failed = 0
        self.error = ""
        self.finished = False
        self.written = 0
        self._passed = 0
        self._stage: Stage | None = None

    @property
    def info(self) -> str | None:
        """What the status body's infoMessage says: columns that the object does not have."""
        return f"Ignored columns: {', '.join(self.slices.ignored)}" if self.slices.ignored else None

    def prepare(self) -> Slice:
        """Read and check the next slice of the file."""
        piece = self.slices.next()
        while piece.rows and piece.end <= self._passed and not piece.last:
            piece = self.slices.next()
        return piece.after(self._passed)

    @property
    def batch_begins(self) -> int:
        """The number of the row at which the batch begins whose rows wait for its end; 0 if none do."""
        return self._stage.first if self._stage is not None else 0

    def resume(self, store: Store, done: int, written: int, batch_begins: int) -> None:
        """Go on where an earlier process ended: the first `done` rows were seen to, `written` of them are records."""
        self.done = self._passed = done
        self.written = written
        self.failed = store.count_failures(self.job_id)
        if batch_begins:
            self._stage = Stage(store, self, batch_begins)

    def commit(self, store: Store, piece: Slice, now: int) -> None:
        """Write a slice; `now` is in ms. When `finished` is set, `error` tells whether the file was broken."""
        failed = self.failed
        try:
            self._commit(store, piece, now)
        except BadRequest as error:
            # More columns than a table can have: as if the file broke before this slice.
            self.failed = failed
            self._give_up(store, error.message, now)

    def _commit(self, store: Store, piece: Slice, now: int) -> None:
        with store.transaction():
            if self.action != "create":
                self.target.expect_lookups(self.slices.key)
            if piece.rows:
                if self._stage is None and self._wants_stage(piece):
                    self._stage = Stage(store, self)
                if self._stage is not None:
                    self._stage.add(piece, now)
                else:
                    self._write(store, piece, now)
                self.done += len(piece.rows)
            if piece.last:
                self._finish(piece, now)

    def _wants_stage(self, piece: Slice) -> bool:
        """A batch beyond a slice must wait for its end; creating many rows is faster without indexes."""
        return self.slices.larger_than_a_slice or (self.action == "create" and len(piece.rows) > SLICE // 2)

    def _finish(self, piece: Slice, now: int) -> None:
        self.error = piece.broken
        if self._stage is not None:
            self._stage.finish(now, broken=bool(piece.broken))
        self.finished = True
        self.close()

    def _give_up(self, store: Store, reason: str, now: int) -> None:
        try:
            with store.transaction():
                self._finish(Slice(last=True, broken=reason), now)
        except BadRequest:  # what is in the stage does not fit either
            self.done, self.error, self.finished = self.failed, reason, True
            self.abandon()

    def close(self) -> None:
        """Give the file back."""
        self.file.close()

    def abandon(self) -> None:
        """The job ended before its work did: nothing more is applied."""
        if self._stage is not None:
            self._stage.drop()
        self.close()

    # -- writing directly ---------------------------------------------------------------------------------

    def _write(self, store: Store, piece: Slice, now: int) -> None:
        if not piece.faults and self.action == "create":
            try:
                self.insert(store, piece, piece.rows, now)
            except Taken:
                pass  # some row is a duplicate: find out which, batch by batch
            else:
                return
        for start in range(0, len(piece.rows), self.batch):
            self._write_batch(store, piece, start, now)

    def _write_batch(self, store: Store, piece: Slice, start: int, now: int) -> None:
        rows = piece.rows[start : start + self.batch]
        faults = {
            at - start: piece.faults[at] for at in range(start, start + len(rows)) if at in piece.faults
        }
        if not faults:
            faults = self.write_rows(store, piece, rows, now)
        if faults:
            self.fail_batch(store, piece.first + start, len(rows), faults)

    def write_rows(self, store: Store, piece: Slice, rows: Any, now: int) -> dict[int, str]:
        """Write rows one by one, all or none; return what is wrong with the one that could not be."""
        at = 0
        try:
            with store.transaction():
                for at, row in enumerate(rows):  # noqa: B007  # tells which row failed
                    self._write_row(store, piece, row, now)
        except (Taken, RowFault) as error:
            return {at: conflict(error.field) if isinstance(error, Taken) else str(error)}
        return {}

    def _write_row(self, store: Store, piece: Slice, row: Any, now: int) -> None:
        if self.action == "create":
            self.insert(store, piece, [row], now)
            return
        values = {
            name: None if value == "" and at in piece.blanks else value
            for at, (name, value) in enumerate(zip(piece.columns, row, strict=True))
        }
        key = self.slices.key
        wanted = values.get(key)
        found = None if wanted is None else self.target.row_of(key, wanted)
        if found is not None:
            self.target.update(found, values, now)
        elif self.action == "update":
            raise RowFault(f"{wanted}: No record found by {key}")
        else:
            self.insert(store, piece, [row], now)

    def insert(self, store: Store, piece: Slice, rows: Any, now: int) -> None:
        """Add new records; raises `Taken`, and then none of them was added."""
        visible = self.visible(self.written + 1, len(rows))
        with store.transaction():
            start = 0
            while start < len(rows):  # runs of rows that become visible together; usually one
                end = start + 1
                while end < len(rows) and visible[end] == visible[start]:
                    end += 1
                self.target.insert(piece.columns, rows[start:end], now, visible[start], blanks=piece.blanks)
                start = end
        self.written += len(rows)

    def fail_batch(self, store: Store, first: int, size: int, faults: Mapping[int, str]) -> None:
        """Report a batch that failed: the rows at fault in their own words, the others by the first of them."""
        culprit = min(faults)
        others = f"Batch of rows {first}-{first + size - 1} failed: row {first + culprit}: {faults[culprit]}"
        store.add_failures(self.job_id, ((first + at, faults.get(at, others)) for at in range(size)))
        self.failed += size
