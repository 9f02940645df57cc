"""Records, in SQLite: one table per object of an instance, found by OCNQL, paged by key.

    Store        the database: transactions, collections, failed rows
    Collection   the records of one object of one instance

A record is a row of flat columns (`nesting.py`); text and numbers are stored as such, everything else as a BLOB
of JSON, a missing value as NULL. An integer or generated primary key is SQLite's own row id, so that it costs
nothing and pages walk along it. `_visible` holds the instant (ms) from which a record shows up in lists.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from . import data_file
from .checks import Value
from .connectors import ObjectDefinition
from .errors import BadRequest, OcBulkError
from .json_text import write_json
from .nesting import nest
from .ocnql import Expr, Order
from .predicate import order_sql, to_sql

MAX_COLUMNS = 1900
NEVER = 2**62
"""A `_visible` instant that does not come."""

FAR = 10_000
"""Records that are passed over one by one rather than looking whether row ids have gaps."""

_MAX_PARAMETERS = 30_000
_ROWS_PER_STATEMENT = 100
_TEMPORARY = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32000;
"""
"""A store without a path is SQLite's own temporary database: in memory up to this cache, on disk beyond it."""

_SCHEMA = """
CREATE TABLE collections (id INTEGER PRIMARY KEY, instance INTEGER, name TEXT, columns TEXT, hidden INTEGER,
    keys TEXT, UNIQUE (instance, name));
CREATE TABLE failures (job TEXT, row INTEGER, status TEXT, PRIMARY KEY (job, row)) WITHOUT ROWID;
"""


class Taken(Exception):
    """A unique value is there already; `field` says which."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def encode(value: Value) -> Any:
    """A value as SQLite keeps it; raises `ValueError` with the reason for what JSON cannot carry."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("Not valid Unicode text") from None
        return value
    if value is None or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    written = write_json(value)
    return value if isinstance(value, float) else written


def decode(value: Any) -> Any:
    """The value that `encode` kept."""
    return json.loads(value) if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a data file tells of a collection; `keys` as `Collection.keys` was when it was written."""

    table: str
    columns: list[str]
    hidden: bool
    keys: str


def stage_name(job: str) -> str:
    """The name of the collection in which the rows of a job wait; no object can be called so."""
    return f"\0stage {job}"


class Store:
    """The database. Temporary unless a path is given; opened when it is first needed.

    With a path it is a data file: what an earlier process wrote is there, and no other process can open it.
    """

    def __init__(self, path: str = "") -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._collections: dict[tuple[int, str], Collection] = {}
        self._kept: dict[tuple[int, str], _Kept] = {}  # and not used yet by this process
        self._undo: list[list[Callable[[], None]]] = []

    @property
    def db(self) -> sqlite3.Connection:
        """The connection; guarded by the emulator's lock, hence usable from any thread."""
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        if not self.path:
            connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            connection.executescript(_TEMPORARY + _SCHEMA)
            return connection
        connection = data_file.connect(self.path, _SCHEMA)
        query = "SELECT instance, name, id, columns, hidden, keys FROM collections"
        for instance, name, number, columns, hidden, keys in connection.execute(query):
            self._kept[instance, name] = _Kept(f"records_{number}", json.loads(columns), bool(hidden), keys)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one it is a part that can fail by itself."""
        begin, commit, rollback = ("BEGIN", "COMMIT", "ROLLBACK")
        if self.db.in_transaction:
            begin, commit, rollback = ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part")
        self.db.execute(begin)
        self._undo.append([])
        try:
            yield
        except BaseException:
            self.db.execute(rollback)
            if rollback != "ROLLBACK":
                self.db.execute(commit)
            for undo in reversed(self._undo.pop()):
                undo()
            raise
        self.db.execute(commit)
        done = self._undo.pop()
        if self._undo:
            self._undo[-1] += done

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Have `undo` called if the transaction at hand fails: what is known of a table has to follow the table."""
        if self._undo:
            self._undo[-1].append(undo)

    def collection(self, instance: int, name: str, shape: ObjectDefinition) -> Collection:
        """The records of an object of an instance; its table is made by the first write.

        Raises `OcBulkError` when a data file holds records of it under other keys.
        """
        found = self._collections.get((instance, name))
        if found is None:
            found = self._collections[instance, name] = Collection(self, instance, name, shape)
            if kept := self._kept.pop((instance, name), None):
                found.attach(kept.table, kept.columns, kept.hidden, kept.keys)
        return found

    def stage(self, job: str, target: Collection) -> Collection:
        """A collection in which the rows of a job wait: the target's columns, its key an ordinary one, no index."""
        name = stage_name(job)
        stage = self.collection(target.instance, name, ObjectDefinition(name, primary_key=""))
        stage.declared, stage.label = [*target.declared, *target.unique], target.name
        return stage

    def rename(self, source: Collection, target: Collection) -> None:
        """Let the table of one collection be known as another's."""
        query = "UPDATE collections SET name = ? WHERE instance = ? AND name = ?"
        self.db.execute(query, (target.name, source.instance, source.name))

    def names(self, instance: int) -> list[str]:
        """The names of the collections of an instance to which anything was ever written."""
        used = [
            name for (owner, name), each in self._collections.items() if owner == instance and each.exists
        ]
        return used + [name for owner, name in self._kept if owner == instance]

    def drop(self, instance: int, name: str) -> None:
        """Forget the records of one object, if there are any."""
        if kept := self._kept.pop((instance, name), None):
            self.collection(instance, name, ObjectDefinition(name)).table = kept.table
        if collection := self._collections.pop((instance, name), None):
            self.on_rollback(lambda: self._collections.update({(instance, name): collection}))
            collection.drop()

    def forget(self, instance: int) -> None:
        """Forget all records of an instance."""
        for name in [name for owner, name in [*self._collections, *self._kept] if owner == instance]:
            self.drop(instance, name)

    def add_failures(self, job: str, failures: Iterable[tuple[int, str]]) -> None:
        """Keep the failed rows of a job: row number and text."""
        self.db.executemany(
            "INSERT INTO failures VALUES (?, ?, ?)", [(job, row, text) for row, text in failures]
        )

    def failures(self, job: str, after: int, limit: int, offset: int = 0) -> list[tuple[int, str]]:
        """Failed rows of a job in row order: those behind row `after`, skipping `offset`, at most `limit`."""
        query = "SELECT row, status FROM failures WHERE job = ? AND row > ? ORDER BY row LIMIT ? OFFSET ?"
        return self.db.execute(query, (job, after, limit, offset)).fetchall() if self._connection else []

    def count_failures(self, job: str) -> int:
        """How many rows of a job have failed."""
        return int(self.db.execute("SELECT count(*) FROM failures WHERE job = ?", (job,)).fetchone()[0])

    def forget_failures(self, jobs: Iterable[str]) -> None:
        """Forget the failed rows of some jobs."""
        if self._connection:
            self.db.executemany("DELETE FROM failures WHERE job = ?", [(job,) for job in jobs])

    def close(self) -> None:
        """Close the database; what was temporary is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records: a condition, bounds on the time of change (ms), and what is visible at `now` (ms)."""

    where: Expr | None = None
    changed_from: int | None = None
    changed_to: int | None = None
    now: int | None = None


class Collection:
    """The records of one object of one instance."""

    def __init__(self, store: Store, instance: int, name: str, shape: ObjectDefinition) -> None:
        self.store = store
        self.instance = instance
        self.name = self.label = name
        self.key = shape.primary_key
        key_field = shape.fields.get(self.key)
        self.key_is_text = key_field is not None and key_field.type != "integer"
        # Without declared fields the key may come with the records or not: then the row id stands in for it.
        self.key_is_open = not shape.declared
        self.key_is_row = key_field is not None and (key_field.read_only or key_field.type == "integer")
        self.unique = [name for name in shape.unique_fields if name != self.key]
        if key_field is not None and not self.key_is_row:
            self.unique.insert(0, self.key)
        self.sources = {each.name: each.source for each in shape.fields.values() if each.source}
        self.declared = [each for each in shape.fields if each != self.key and each not in self.sources]
        self.columns: dict[str, str] = {}
        self.hidden = False
        self.table = ""
        self._density: tuple[int, int, int] | None = None

    # -- shape ------------------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return bool(self.table)

    @property
    def paths(self) -> list[str]:
        """The names of all columns as a record shows them: the key first, if there is one."""
        key = [self.key] if self.key else []
        return [*key, *(path for path in self.columns if path != self.key), *self.sources]

    def column(self, path: str) -> str:
        """The SQL for a column; a name that no record has is NULL."""
        if path == self.key and self.key_is_row:
            # An expression without affinity: CAST AS TEXT would make the text '042' find key 42.
            return "('' || _seq)" if self.key_is_text else "_seq"
        if path == self.key and self.key_is_open:
            return f"COALESCE({self.columns[path]}, _seq)" if path in self.columns else "_seq"
        if source := self.sources.get(path):
            return f"strftime('%Y-%m-%dT%H:%M:%f', _{source} / 1000.0, 'unixepoch')"
        return self.columns.get(path, "NULL")

    def knows(self, path: str) -> bool:
        """Whether a record can have this column; without declared fields it can have any."""
        return not self.declared or path in self.declared or path in (self.key, *self.sources, *self.columns)

    def ensure(self, paths: Iterable[str]) -> None:
        """Make the table and the columns that are missing; raises `BadRequest` beyond `MAX_COLUMNS`."""
        self._density = None  # every write begins here
        makes_table = not self.table
        new = self._missing([*self.declared, *self.unique, *paths] if makes_table else paths)
        if not makes_table and not new:
            return
        if len(self.columns) + len(new) > MAX_COLUMNS:
            raise BadRequest(f"{self.label} cannot have more than {MAX_COLUMNS} columns")
        self._remember()
        columns = {path: f"c{position}" for position, path in enumerate(new, start=len(self.columns))}
        if makes_table:
            self._make_table(columns.values())
        else:
            for column in columns.values():
                self.store.db.execute(f"ALTER TABLE {self.table} ADD COLUMN {column}")
        self.columns |= columns
        if self.key_is_open and self.key in columns:
            self.unique = [self.key]
            self._guard()
        elif makes_table:
            self._guard()
        self._keep()

    @property
    def keys(self) -> str:
        """What the rows of the table depend on: the key, how it is kept, and what is unique."""
        unique = [] if self.key_is_open else self.unique
        return json.dumps([self.key, self.key_is_row, self.key_is_text, self.key_is_open, unique])

    def attach(self, table: str, columns: Sequence[str], hidden: bool, keys: str) -> None:
        """Take over a table that an earlier process wrote; raises `OcBulkError` when its keys were others."""
        if keys != self.keys:
            raise OcBulkError(
                f"{self.store.path}: the records of {self.name} were written with another key or other unique fields;"
                " use the connector file of then, or choose another data file"
            )
        self.table, self.hidden = table, hidden
        self.columns = {path: f"c{position}" for position, path in enumerate(columns)}
        if self.key_is_open and self.key in self.columns:
            self.unique = [self.key]
        self.ensure(self.declared)  # fields that were declared since

    def _keep(self) -> None:
        """Write down what a later process has to know of the table."""
        if self.store.path:
            values = (
                json.dumps([*self.columns]),
                self.hidden,
                self.keys,
                self.table.removeprefix("records_"),
            )
            query = "UPDATE collections SET columns = ?, hidden = ?, keys = ? WHERE id = ?"
            self.store.db.execute(query, values)

    def _hide(self) -> None:
        """Some records are not visible from the beginning."""
        if not self.hidden:
            self._remember()
            self.hidden = True
            self._keep()

    def _missing(self, paths: Iterable[str]) -> list[str]:
        known = {*self.columns, *self.sources, *([self.key] if self.key_is_row else [])}
        return [path for path in dict.fromkeys(paths) if path not in known]

    def _make_table(self, columns: Iterable[str]) -> None:
        """All columns at once: each further one makes SQLite read its schema again."""
        row = (self.instance, self.name)
        query = "INSERT INTO collections (instance, name) VALUES (?, ?)"
        self.table = f"records_{self.store.db.execute(query, row).lastrowid}"
        fixed = "_seq INTEGER PRIMARY KEY, _created INTEGER, _updated INTEGER, _visible INTEGER"
        self.store.db.execute(f"CREATE TABLE {self.table} ({', '.join([fixed, *columns])})")

    def _remember(self) -> None:
        """Come back to what is known of the table now, should the transaction fail."""
        before = self.table, dict(self.columns), list(self.unique), self.hidden

        def restore() -> None:
            self.table, self.columns, self.unique, self.hidden = before

        self.store.on_rollback(restore)

    def index(self, path: str, *, unique: bool = False) -> None:
        """Make looking up by this column fast; a `unique` one raises `sqlite3.IntegrityError` where it is not."""
        column = self.columns.get(path)
        if column and path not in self.unique:
            kind = "UNIQUE INDEX" if unique else "INDEX"
            name = self._unique_index(path) if unique else f"{self.table}_{column}_at"
            self.store.db.execute(f"CREATE {kind} IF NOT EXISTS {name} ON {self.table} ({column})")

    def drop(self) -> None:
        """Forget all records."""
        self._density = None
        if self.table:
            self._remember()
            number = int(self.table.removeprefix("records_"))
            self.store.db.execute(f"DROP TABLE {self.table}")
            self.store.db.execute("DELETE FROM collections WHERE id = ?", (number,))
            self.table, self.columns, self.hidden = "", {}, False
            self.unique = [] if self.key_is_open else self.unique

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
        if visible is not None:
            self._hide()
        columns = [self._writable(path) for path in paths]
        values = "".join(", NULLIF(?, '')" if at in blanks else ", ?" for at in range(len(columns)))
        head = (
            f"INSERT INTO {self.table} ({', '.join(['_created', '_updated', '_visible', *columns])}) VALUES "
        )
        one = f"(?1, ?1, ?2{values})"
        if first is not None:  # a later row without a row id gets the one after its predecessor
            head, one = head.replace("(", "(_seq, ", 1), one.replace("(", "(NULL, ", 1)
        step = min(_ROWS_PER_STATEMENT, max(1, _MAX_PARAMETERS // max(1, len(columns))))
        last = 0
        try:
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                statement = head + ", ".join([one] * len(part))
                if first is not None and not start:
                    statement = statement.replace("NULL", str(first), 1)
                cursor = self.store.db.execute(statement, (now, visible, *chain.from_iterable(part)))
                last = cursor.lastrowid or last
        except sqlite3.IntegrityError as error:
            raise Taken(self._named(error)) from None
        return last

    def _writable(self, path: str) -> str:
        return "_seq" if path == self.key and self.key_is_row else self.columns[path]

    def update(self, row: int, values: Mapping[str, Any], now: int) -> None:
        """Set encoded values of one record; raises `Taken` when a unique value belongs to another."""
        self.ensure(values)
        columns = [self._writable(path) for path in values]
        sets = ", ".join(f"{column} = ?" for column in columns)
        try:
            query = f"UPDATE {self.table} SET _updated = ?{', ' if sets else ''}{sets} WHERE _seq = ?"
            self.store.db.execute(query, (now, *values.values(), row))
        except sqlite3.IntegrityError as error:
            raise Taken(self._named(error)) from None

    def delete(self, row: int) -> None:
        """Remove one record."""
        self._density = None
        self.store.db.execute(f"DELETE FROM {self.table} WHERE _seq = ?", (row,))

    def absorb(self, other: Collection, now: int, visible: int | None) -> None:
        """Add all records of a stage in its order; their unique values are known to be free."""
        if not self.count() and visible is None and self.key not in other.columns:
            self._adopt(other)
            return
        self.ensure(other.columns)
        if visible is not None:
            self._hide()
        names = ", ".join(["_created", "_updated", "_visible", *map(self._writable, other.columns)])
        source = ", ".join(["?1", "?1", "?2", *other.columns.values()])
        statement = f"INSERT INTO {self.table} ({names}) SELECT {source} FROM {other.table} ORDER BY _seq"
        # Filling an index in the order of the rows costs several times what building it afterwards does.
        rebuild = other.count() > self.count()
        if rebuild:
            for path in self.unique:
                self.store.db.execute(f"DROP INDEX {self._unique_index(path)}")
        self.store.db.execute(statement, (now, visible))
        if rebuild:
            self._guard()

    def _adopt(self, other: Collection) -> None:
        """Take over the table of a stage as it is."""
        self.drop()
        self._remember()
        other._remember()
        self.store.rename(other, self)
        self.table, self.columns, other.table, other.columns = other.table, other.columns, "", {}
        self._guard()
        self._keep()

    def _guard(self) -> None:
        for path in reversed(
            self.unique
        ):  # SQLite tests the youngest index first, and names the one that fails
            name, column = self._unique_index(path), self.columns[path]
            self.store.db.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {self.table} ({column})")

    def _unique_index(self, path: str) -> str:
        return f"{self.table}_{self.columns[path]}"

    def repeated(self, path: str) -> list[int]:
        """The row ids of records whose value in this column an earlier one has."""
        column = self.columns[path]
        firsts = f"SELECT min(_seq) FROM {self.table} WHERE {column} IS NOT NULL GROUP BY {column}"
        query = f"SELECT _seq FROM {self.table} WHERE {column} IS NOT NULL AND _seq NOT IN ({firsts}) ORDER BY _seq"
        return [row for (row,) in self.store.db.execute(query)]

    def shared_with(self, other: Collection, path: str) -> list[int]:
        """The row ids of records whose value in this column a record of another collection has."""
        if not other.exists or not other.has(path):
            return []
        mine, theirs = self.columns[path], other._writable(path)
        query = f"SELECT mine._seq FROM {self.table} mine JOIN {other.table} theirs ON theirs.{theirs} = mine.{mine}"
        return sorted(row for (row,) in self.store.db.execute(query))

    def has(self, path: str) -> bool:
        """Whether there is such a column, the key included."""
        return path in self.columns or (path == self.key and self.key_is_row)

    def _named(self, error: sqlite3.IntegrityError) -> str:
        column = str(error).rpartition(".")[2]
        return next((path for path, name in self.columns.items() if name == column), self.key)

    # -- reading ----------------------------------------------------------------------------------------

    def row_of(self, path: str, value: Any) -> int | None:
        """The row id of the first record whose column has this value, compared as OCNQL compares."""
        if not self.exists:
            return None
        column = self._writable(path) if self.has(path) and not self.key_is_open else self.column(path)
        wanted = [value, _other_spelling(value)]
        found = self.store.db.execute(
            f"SELECT _seq FROM {self.table} WHERE {column} IN (?, ?) LIMIT 1", wanted
        ).fetchone()
        return found[0] if found else None

    def count(self, selection: Selection = Selection()) -> int:
        """How many records there are."""
        if not self.exists:
            return 0
        condition, values = self._condition(selection)
        return int(
            self.store.db.execute(f"SELECT count(*) FROM {self.table}{condition}", values).fetchone()[0]
        )

    def select(
        self,
        selection: Selection = Selection(),
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
        if (
            offset > FAR
            and not order
            and after is None
            and (start := self._dense_start(selection)) is not None
        ):
            after, offset = start + offset, 0
        condition, values = self._condition(selection, after)
        shown = ", ".join(["_seq", *map(self.column, self.paths if paths is None else paths)])
        ordering = f"{order_sql(order, self.column)}, _seq" if order else "_seq"
        query = f"SELECT {shown} FROM {self.table}{condition} ORDER BY {ordering} LIMIT ? OFFSET ?"
        return self.store.db.execute(query, (*values, limit, offset)).fetchall()

    def _dense_start(self, selection: Selection) -> int | None:
        """The row id before the first record if row ids have no gaps, so that a far page needs no counting; or None.

        Whether they have is found out once after each change.
        """
        if (
            selection.where is not None
            or selection.changed_from is not None
            or selection.changed_to is not None
        ):
            return None
        if self.hidden and selection.now is not None:
            return None
        if self._density is None:
            query = f"SELECT count(*), min(_seq), max(_seq) FROM {self.table}"
            self._density = self.store.db.execute(query).fetchone()
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
        condition, values = self._condition(selection)
        source = ", ".join(map(self.column, paths))
        ordering = f"{order_sql(order, self.column)}, _seq" if order else "_seq"
        names = ", ".join(target.columns[path] for path in paths)
        self.store.db.execute(
            f"INSERT INTO {target.table} ({names}) SELECT {source} FROM {self.table}{condition}"
            f" ORDER BY {ordering} LIMIT ? OFFSET ?",
            (*values, -1 if limit is None else limit, skip),
        )
        return target.count()

    def _condition(self, selection: Selection, after: int | None = None) -> tuple[str, list[Any]]:
        parts: list[str] = []
        values: list[Any] = []
        if after is not None:
            parts.append("_seq > ?")
            values.append(after)
        if selection.where is not None:
            sql, bound = to_sql(selection.where, self.column)
            parts.append(f"({sql})")
            values += bound
        for bound_at, test in ((selection.changed_from, ">="), (selection.changed_to, "<=")):
            if bound_at is not None:
                parts.append(f"_updated {test} ?")
                values.append(bound_at)
        if self.hidden and selection.now is not None:
            parts.append("(_visible IS NULL OR _visible <= ?)")
            values.append(selection.now)
        return (" WHERE " + " AND ".join(parts) if parts else ""), values


def record(paths: Sequence[str], values: Sequence[Any], *, nulls: bool = False) -> dict[str, Any]:
    """The JSON object of a row: nested, values decoded, missing ones left out unless `nulls`."""
    pairs = [
        (path, decode(value)) for path, value in zip(paths, values, strict=True) if nulls or value is not None
    ]
    return nest(pairs) if any("." in path or path.endswith("]") for path, _ in pairs) else dict(pairs)


def _other_spelling(value: Any) -> Any:
    """`12` for `"12"` and the other way round; a number in any other form is another text."""
    if isinstance(value, str):
        return int(value) if _NUMBER.fullmatch(value) else value
    return str(value)


_NUMBER = re.compile("-?[0-9]{1,18}")
