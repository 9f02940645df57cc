"""The records of one object of one instance: added, changed, found and counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from .connectors import ObjectDefinition
from .database import Database
from .lookups import Lookups, looked_up
from .predicate_sql import order_sql
from .selection import EVERYTHING, Selection
from .stored_values import other_spelling
from .table import Table

if TYPE_CHECKING:
    from .ocnql import Order

FAR = 10_000
"""Records that are passed over one by one rather than looking whether row ids have gaps."""

_MAX_PARAMETERS = 30_000
_MANY = 500
_ROWS_PER_STATEMENT, _ROWS_AMONG_MANY = 10, 100
"""Rows that one INSERT takes: for a hundred is the fastest once it is prepared, which takes as long as 200 rows."""


class Taken(Exception):
    """A unique value is there already; `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Collection(Table):
    """The records; values come and go encoded (`stored_values.py`)."""

    def __init__(self, database: Database, instance: int, name: str, shape: ObjectDefinition) -> None:
        super().__init__(database, instance, name, shape)
        self._lookups = Lookups()

    # -- writing ----------------------------------------------------------------------------------------

    def insert(
        self,
        paths: Sequence[str],
        rows: Sequence[Sequence[Any]],
        now: int,
        visible: int | None = None,
        *,
        blanks: frozenset[int] = frozenset(),
        first: int | None = None,
    ) -> int:
        """Add rows of encoded values; return the last row id. `blanks`: columns in which an empty value is none.

        `first` is the row id of the first row; the others follow it. Raises `Taken` when a unique value is there
        already; then nothing of this call was added if it ran in a transaction of its own.
        """
        self.ensure(paths)
        many = len(rows) >= _MANY
        if many:
            self._drop_lookups()
        if visible is not None:
            self._hide()
        columns = tuple(self.writable(path) for path in paths)
        most = _ROWS_AMONG_MANY if many else _ROWS_PER_STATEMENT
        step = min(most, max(1, _MAX_PARAMETERS // max(1, len(columns))))
        last = 0
        try:
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                statement = _insertion(self.table, columns, blanks, len(part), numbered=first is not None)
                numbers = () if first is None else (first + start,)
                values = (now, now, visible, *numbers, *chain.from_iterable(part))
                last = self.database.db.execute(statement, values).lastrowid or last
        except sqlite3.IntegrityError as error:
            raise Taken(self._named(error)) from None
        return last

    def update(self, row: int, values: Mapping[str, Any], now: int) -> None:
        """Set encoded values of one record; raises `Taken` when a unique value belongs to another."""
        self.ensure(values)
        columns = [self.writable(path) for path in values]
        sets = ", ".join(f"{column} = ?" for column in columns)
        try:
            query = f"UPDATE {self.table} SET _updated = ?{', ' if sets else ''}{sets} WHERE _seq = ?"
            self.database.db.execute(query, (now, *values.values(), row))
        except sqlite3.IntegrityError as error:
            raise Taken(self._named(error)) from None

    def delete(self, row: int) -> None:
        """Remove one record."""
        self._density = None
        self.database.db.execute(f"DELETE FROM {self.table} WHERE _seq = ?", (row,))

    def absorb(self, other: Collection, now: int, visible: int | None) -> None:
        """Add all records of a stage in its order; their unique values are known to be free."""
        if not self.count() and visible is None and self.key not in other.columns:
            self._adopt(other)
            return
        self.ensure(other.columns)
        self._drop_lookups()
        if visible is not None:
            self._hide()
        names = ", ".join(["_created", "_updated", "_visible", *map(self.writable, other.columns)])
        source = ", ".join(["?", "?", "?", *other.columns.values()])
        statement = f"INSERT INTO {self.table} ({names}) SELECT {source} FROM {other.table} ORDER BY _seq"
        # Filling an index in the order of the rows costs several times what building it afterwards does.
        rebuild = other.count() > self.count()
        if rebuild:
            for path in self.unique:
                self.database.db.execute(f"DROP INDEX {self._unique_index(path)}")
        self.database.db.execute(statement, (now, now, visible))
        if rebuild:
            self._guard()

    def _adopt(self, other: Collection) -> None:
        """Take over the table of a stage as it is."""
        self.drop()
        self._lookups.forget()
        self.remember()
        other.remember()
        query = "UPDATE collections SET name = ? WHERE instance = ? AND name = ?"
        self.database.db.execute(query, (self.name, other.instance, other.name))
        self.table, self.columns, other.table, other.columns = other.table, other.columns, "", {}
        self._guard()
        self._keep()

    def repeated(self, path: str) -> list[int]:
        """The row ids of records whose value in this column an earlier one has."""
        column = self.columns[path]
        firsts = f"SELECT min(_seq) FROM {self.table} WHERE {column} IS NOT NULL GROUP BY {column}"
        query = f"SELECT _seq FROM {self.table} WHERE {column} IS NOT NULL AND _seq NOT IN ({firsts}) ORDER BY _seq"
        return [row for (row,) in self.database.db.execute(query)]

    def shared_with(self, other: Collection, path: str) -> list[int]:
        """The row ids of records whose value in this column a record of another collection has."""
        if not other.exists or not other.has(path):
            return []
        mine, theirs = self.columns[path], other.writable(path)
        query = f"SELECT mine._seq FROM {self.table} mine JOIN {other.table} theirs ON theirs.{theirs} = mine.{mine}"
        return sorted(row for (row,) in self.database.db.execute(query))

    def _named(self, error: sqlite3.IntegrityError) -> str:
        column = str(error).rpartition(".")[2]
        return next((path for path, name in self.columns.items() if name == column), self.key)

    # -- reading ----------------------------------------------------------------------------------------

    def row_of(self, path: str, value: Any) -> int | None:
        """The row id of the first record whose column has this value, compared as OCNQL compares."""
        if not self.exists:
            return None
        column = self.writable(path) if self.has(path) and not self.key_is_open else self.column(path)
        wanted = [value, other_spelling(value)]
        found = self.database.db.execute(
            f"SELECT _seq FROM {self.table} WHERE {column} IN (?, ?) LIMIT 1", wanted
        ).fetchone()
        return found[0] if found else None

    def count(self, selection: Selection = EVERYTHING) -> int:
        """How many records there are."""
        if not self.exists:
            return 0
        condition, values = selection.condition(self.column, hidden=self.hidden)
        return int(
            self.database.db.execute(f"SELECT count(*) FROM {self.table}{condition}", values).fetchone()[0]
        )

    def select(
        self,
        selection: Selection = EVERYTHING,
        *,
        paths: Sequence[str] | None = None,
        order: tuple[Order, ...] = (),
        after: int | None = None,
        offset: int = 0,
        limit: int = -1,
    ) -> list[tuple[Any, ...]]:
        """Rows of `(row id, *values of paths)`: behind row id `after`, skipping `offset`, at most `limit`."""
        if not self.exists:
            return []
        shown = ", ".join(["_seq", *map(self.column, self.paths if paths is None else paths)])
        query, values = self._selecting(shown, selection, order, after, offset, limit)
        return self.database.db.execute(query, values).fetchall()

    def select_json(
        self,
        selection: Selection = EVERYTHING,
        *,
        paths: Sequence[str],
        after: int | None = None,
        offset: int = 0,
        limit: int = -1,
    ) -> tuple[str, int, int]:
        """The same rows as JSON arrays with commas between them, their number, and the last row id.

        A missing value is written as `[""]`. Raises `sqlite3.DatabaseError` for values that SQLite cannot write as
        JSON; floats it writes in its own way.
        """
        if not self.exists:
            return "", 0, 0
        cells = ", ".join([f"""IFNULL({self.column(path)}, JSON('[""]'))""" for path in paths])
        shown = f"_seq, JSON_ARRAY({cells}) AS line"
        query, values = self._selecting(shown, selection, (), after, offset, limit)
        query = f"SELECT IFNULL(GROUP_CONCAT(line), ''), COUNT(*), IFNULL(MAX(_seq), 0) FROM ({query})"
        text, rows, last = self.database.db.execute(query, values).fetchone()
        return text, rows, last

    def _selecting(
        self,
        shown: str,
        selection: Selection,
        order: tuple[Order, ...],
        after: int | None,
        offset: int,
        limit: int,
    ) -> tuple[str, tuple[Any, ...]]:
        """The query for what is `shown` of rows, and the values it binds."""
        if field := looked_up(selection.where):
            self._note_lookup(field)
        if offset > FAR and not order and after is None:
            start = self._dense_start(selection)
            if start is not None:
                after, offset = start + offset, 0
        condition, values = selection.condition(self.column, hidden=self.hidden, after=after)
        ordering = self._ordering(order)
        query = f"SELECT {shown} FROM {self.table}{condition} ORDER BY {ordering} LIMIT ? OFFSET ?"
        return query, (*values, limit, offset)

    def expect_lookups(self, path: str) -> None:
        """Many records are going to be looked for by the value of a column: give it an index."""
        if self._is_unindexed(path):
            self.index(path)
            self._lookups.indexed.add(path)
            self.database.on_rollback(lambda: self._lookups.indexed.discard(path))

    def _note_lookup(self, path: str) -> None:
        """Records are looked for by the value of a column: give it an index when it has become worth one."""
        if self._is_unindexed(path):
            (rows,) = self.database.db.execute(f"SELECT max(_seq) FROM {self.table}").fetchone()
            if self._lookups.note(path, rows or 0):
                self.expect_lookups(path)

    def _is_unindexed(self, path: str) -> bool:
        return path in self.columns and path not in self.unique and path not in self._lookups.indexed

    def _drop_lookups(self) -> None:
        """Many rows are to come: each would have to find its place in these indexes."""
        for path in self._lookups.forget():
            self.drop_index(path)

    def _ordering(self, order: tuple[Order, ...]) -> str:
        return f"{order_sql(order, self.column)}, _seq" if order else "_seq"

    def _dense_start(self, selection: Selection) -> int | None:
        """The row id before the first record if row ids have no gaps, so that a far page needs no counting; or None.

        Whether they have is found out once after each change.
        """
        if not selection.is_everything(hidden=self.hidden):
            return None
        if self._density is None:
            query = f"SELECT count(*), min(_seq), max(_seq) FROM {self.table}"
            self._density = self.database.db.execute(query).fetchone()
        count, first, last = self._density
        return first - 1 if count and last - first == count - 1 else None

    def copy_to(
        self,
        target: Collection,
        selection: Selection,
        paths: Sequence[str],
        order: tuple[Order, ...],
        limit: int | None,
        skip: int = 0,
    ) -> int:
        """Write a selection, less its first `skip` records, into another, empty collection; return their number."""
        target.ensure(paths)
        if not self.exists:
            return 0
        condition, values = selection.condition(self.column, hidden=self.hidden)
        source = ", ".join(map(self.column, paths))
        names = ", ".join(target.columns[path] for path in paths)
        self.database.db.execute(
            f"INSERT INTO {target.table} ({names}) SELECT {source} FROM {self.table}{condition}"
            f" ORDER BY {self._ordering(order)} LIMIT ? OFFSET ?",
            (*values, -1 if limit is None else limit, skip),
        )
        return target.count()


@lru_cache(maxsize=64)
def _insertion(
    table: str, columns: tuple[str, ...], blanks: frozenset[int], rows: int, *, numbered: bool
) -> str:
    """An INSERT of several rows, whose values follow the two instants, `_visible` and the row id if it is `numbered`.

    The text is made once: SQLite's driver knows a statement again by it. What all rows share is selected beside them,
    as `?1` in each row is refused by some Pythons (3.12.0 to 3.12.3).
    """
    names = ["_created", "_updated", "_visible", *columns]
    first = one = ", ".join("NULLIF(?, '')" if at in blanks else "?" for at in range(len(columns)))
    if "_seq" not in columns:  # a row without a row id gets the one after its predecessor
        names.insert(3, "_seq")
        more = f", {one}" if one else ""
        first, one = f"{'?' if numbered else 'NULL'}{more}", f"NULL{more}"
    rest = f", ({one})" * (rows - 1)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT ?, ?, ?, * FROM (VALUES ({first}){rest})"
