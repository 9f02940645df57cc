"""Reading what a query or job found, block by block, so that a million records are never in memory.

A block in which every value is a text comes from SQLite as one text. Measured, reading and writing it takes three
quarters of the time that single values take.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING, Any

from .blocks import Block, TextBlock
from .collection import Collection
from .selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from .ocnql import Order

BLOCK_ROWS = 500


class Reading:
    """The records of a selection, once from beginning to end: by key, or by counting under an order.

    `lock` is held while a block is read. Of the selection `skip` records are passed over and at most `limit` taken.
    """

    def __init__(
        self,
        source: Collection,
        paths: Sequence[str],
        selection: Selection = EVERYTHING,
        *,
        order: tuple[Order, ...] = (),
        skip: int = 0,
        limit: int | None = None,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self.paths = paths
        self._source = source
        self._selection = selection
        self._order = order
        self._skip = skip
        self._limit = limit
        self._lock = nullcontext() if lock is None else lock
        self._taken = 0
        self._last: int | None = None
        self._ended = False

    def blocks(self) -> Iterator[Block]:
        """All blocks. The first one tells whether it is worth asking for texts."""
        rows = self._rows()
        if rows:
            yield _by_values(rows)
        # Where SQLite has to sort, because of an order or an index, it would write all records as JSON before.
        unsorted = not self._order and self._selection.where is None
        if not self._ended and unsorted and _kinds(rows) <= {str, type(None)}:
            yield from self._texts()
        while not self._ended:
            if rows := self._rows():
                yield _by_values(rows)

    def _texts(self) -> Iterator[Block]:
        """The blocks up to the first that is not all texts; whether later ones are is not asked any more."""
        while not self._ended:
            try:
                with self._lock:
                    text, count, last = self._source.select_json(self._selection, **self._place())
            except sqlite3.DatabaseError:  # there is a value that SQLite does not write as JSON
                return
            block = TextBlock.of_json(text, count, len(self.paths))
            if block is None:
                return
            self._advance(count, last)
            if count:
                yield block

    def _rows(self) -> list[tuple[Any, ...]]:
        with self._lock:
            rows = self._source.select(self._selection, order=self._order, **self._place())
        self._advance(len(rows), rows[-1][0] if rows else 0)
        return rows

    def _place(self) -> dict[str, Any]:
        """Where the next block is found."""
        return {
            "paths": self.paths,
            "after": None if self._order else self._last,
            "offset": self._skip + self._taken if self._order or not self._taken else 0,
            "limit": self._size,
        }

    @property
    def _size(self) -> int:
        return BLOCK_ROWS if self._limit is None else min(BLOCK_ROWS, self._limit - self._taken)

    def _advance(self, count: int, last: int) -> None:
        """A block was read; one that is not full is the last."""
        full = count == self._size
        self._taken += count
        self._last = last
        self._ended = not full or self._taken == self._limit


def _by_values(rows: Sequence[Sequence[Any]]) -> Block:
    _, *columns = zip(*rows, strict=True)
    return Block(columns)


def _kinds(rows: Sequence[Sequence[Any]]) -> set[type]:
    return set(map(type, chain.from_iterable(row[1:] for row in rows)))
