"""Rows put aside until they can become records together.

A stage is a table without indexes in which a row's id is its number in the file. When its rows are complete they are
compared with each other and with the records there are by a few statements over whole tables, which is what makes
a million rows fast; only where rows stand in each other's way are they taken one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .checks import conflict
from .connectors import WHOLE_FILE
from .slices import SLICE, Slice
from .store import Store

if TYPE_CHECKING:
    from .apply import Application


class Stage:
    """The rows of one upload on their way; `first` is the number of the first row of the batch at hand."""

    def __init__(self, store: Store, work: Application, first: int = 1) -> None:
        self._store = store
        self._work = work
        self._target = work.target
        self.first = first
        self._end = work.done
        self._rows = store.stage(work.job_id, work.target)
        self._faults = dict(store.failures(self._rows.name, 0, -1)) if work.done else {}

    def add(self, piece: Slice, now: int) -> None:
        """Put checked rows aside; rows that cannot become records are reported as far as that is settled."""
        self._end = piece.first + len(piece.rows) - 1
        if self._work.slices.larger_than_a_slice:
            self._add_to_large_batches(piece, now)
            return
        size = self._work.batch
        failed = {at // size for at in piece.faults}
        for start, end, bad in _runs(len(piece.rows), size, failed):
            if not bad:
                self._rows.insert(
                    piece.columns, piece.rows[start:end], now, blanks=piece.blanks, first=piece.first + start
                )
                continue
            for at in range(start, end, size):
                faults = {row - at: piece.faults[row] for row in range(at, at + size) if row in piece.faults}
                self._work.fail_batch(self._store, piece.first + at, min(size, end - at), faults)

    def _add_to_large_batches(self, piece: Slice, now: int) -> None:
        start = 0
        while start < len(piece.rows):
            row = piece.first + start
            room = len(piece.rows) if self._work.batch == WHOLE_FILE else self.first + self._work.batch - row
            end = min(len(piece.rows), start + room)
            self._note({piece.first + at: text for at, text in piece.faults.items() if start <= at < end})
            if not self._faults:  # of a batch that fails no more than the numbers is needed
                self._rows.insert(piece.columns, piece.rows[start:end], now, blanks=piece.blanks, first=row)
            if end - start == room and self._work.batch != WHOLE_FILE:
                self._settle_batch(piece.first + end - 1, now)
            start = end

    def _note(self, faults: dict[int, str]) -> None:
        """Remember what is wrong with the batch at hand, also for a process that may have to go on with it."""
        self._faults |= faults
        if self._store.path:
            self._store.add_failures(self._rows.name, faults.items())

    def _settle_batch(self, last: int, now: int) -> None:
        """A batch larger than a slice is complete: its rows become records, or all of them fail."""
        faults = self._faults or self._merge(now)
        if faults:
            first = self.first
            relative = {row - first: text for row, text in faults.items()}
            self._work.fail_batch(self._store, first, last - first + 1, relative)
        self._rows.drop()  # its indexes too: the rows of the next batch may repeat each other
        self._store.forget_failures([self._rows.name])
        self.first, self._faults = last + 1, {}

    def finish(self, now: int, *, broken: bool) -> None:
        """All rows have been seen; of a batch in which the file breaks none becomes a record."""
        if not self._work.slices.larger_than_a_slice:
            faults = self._merge(now)
            self._work.failed += len(faults)
            self._store.add_failures(self._work.job_id, sorted(faults.items()))
        elif broken:
            self._work.done = self.first - 1
        elif self._end >= self.first:
            self._settle_batch(self._end, now)
        self.drop()

    def drop(self) -> None:
        """Forget the stage."""
        self._store.forget_failures([self._rows.name])
        self._store.drop(self._target.instance, self._rows.name)

    # -- becoming records ---------------------------------------------------------------------------------

    def _merge(self, now: int) -> dict[int, str]:
        """Turn the staged rows into records; return the faults by row number.

        In batches of one the rows at fault are left out; a larger batch is merged wholly or not at all, and
        batches that fit into a slice have been reported by the time this returns.
        """
        work = self._work
        if not self._rows.exists or not self._rows.columns:
            return {}
        visible = set(work.visible(1, SLICE))
        if work.action != "create" or len(visible) > 1:
            return self._merge_one_by_one(now)
        faults = self._conflicts()
        if faults and (work.batch != 1 or len(self._unique) > 1):
            return self._merge_one_by_one(now)
        for row in faults:
            self._rows.delete(row)
        self._target.absorb(self._rows, now, visible.pop())
        return faults

    @property
    def _unique(self) -> list[str]:
        keys = [self._target.key] if self._target.key_is_row else []
        paths = [*keys, *self._target.unique, *([self._target.key] if self._target.key_is_open else [])]
        return [path for path in dict.fromkeys(paths) if path in self._rows.columns]

    def _conflicts(self) -> dict[int, str]:
        """Rows whose unique values are those of an earlier row or of a record."""
        faults: dict[int, str] = {}
        for path in reversed(self._unique):  # the first field's complaint is the one that stays
            try:
                self._rows.index(path, unique=True)
            except sqlite3.IntegrityError:
                self._rows.index(path)
                faults |= dict.fromkeys(self._rows.repeated(path), conflict(path))
            faults |= dict.fromkeys(self._rows.shared_with(self._target, path), conflict(path))
        return faults

    def _merge_one_by_one(self, now: int) -> dict[int, str]:
        work = self._work
        piece = Slice(columns=list(self._rows.columns))
        large = work.slices.larger_than_a_slice
        if large:
            faults = work.write_rows(self._store, piece, (row[1:] for row in self._read()), now)
            return {self.first + at: text for at, text in faults.items()}
        for _, batch in groupby(self._read(), key=lambda row: (row[0] - 1) // work.batch):
            rows = list(batch)
            faults = work.write_rows(self._store, piece, [row[1:] for row in rows], now)
            if faults:
                work.fail_batch(self._store, rows[0][0], len(rows), faults)
        return {}

    def _read(self) -> Iterator[tuple[Any, ...]]:
        after = 0
        paths = list(self._rows.columns)
        while rows := self._rows.select(paths=paths, after=after, limit=SLICE):
            yield from rows
            after = rows[-1][0]


def _runs(count: int, size: int, failed: set[int]) -> Sequence[tuple[int, int, bool]]:
    """Neighbouring batches of a slice that go the same way, as ranges of rows."""
    if not failed:
        return [(0, count, False)]
    runs: list[tuple[int, int, bool]] = []
    for batch in range(-(-count // size)):
        start, end, bad = batch * size, min(count, (batch + 1) * size), batch in failed
        if runs and runs[-1][2] == bad:
            runs[-1] = (runs[-1][0], end, bad)
        else:
            runs.append((start, end, bad))
    return runs
