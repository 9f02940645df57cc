"""The table of a collection: its columns come as records bring them, and follow the transactions.

A record is a row of flat columns (`nesting.py`). An integer or generated primary key is SQLite's own row id, so that
it costs nothing and pages walk along it. `_visible` holds the instant (ms) from which a record shows up in lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from .connectors import ObjectDefinition
from .database import Database
from .errors import BadRequest, OcBulkError

MAX_COLUMNS = 1900
"""Columns of a table; SQLite takes 2000, the fixed ones included."""

PREFIX = "records_"
"""A table is called so and by its number in the list of collections."""


class Table:
    """The columns and indexes under which the records of one object of one instance are kept."""

    def __init__(self, database: Database, instance: int, name: str, shape: ObjectDefinition) -> None:
        self.database = database
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
        self.remember()
        columns = {path: f"c{position}" for position, path in enumerate(new, start=len(self.columns))}
        if makes_table:
            self._make_table(columns.values())
        else:
            for column in columns.values():
                self.database.db.execute(f"ALTER TABLE {self.table} ADD COLUMN {column}")
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
                f"{self.database.path}: the records of {self.name} were written with another key or other unique"
                " fields; use the connector file of then, or choose another data file"
            )
        self.table, self.hidden = table, hidden
        self.columns = {path: f"c{position}" for position, path in enumerate(columns)}
        if self.key_is_open and self.key in self.columns:
            self.unique = [self.key]
        for path in self.columns:  # a later upload should not have to keep them up
            self.drop_index(path)
        self.ensure(self.declared)  # fields that were declared since

    @property
    def _number(self) -> int:
        """The row of the table in the list of collections."""
        return int(self.table.removeprefix(PREFIX))

    def _keep(self) -> None:
        """Write down what a later process has to know of the table."""
        if self.database.path:
            values = (json.dumps([*self.columns]), self.hidden, self.keys, self._number)
            query = "UPDATE collections SET columns = ?, hidden = ?, keys = ? WHERE id = ?"
            self.database.db.execute(query, values)

    def _hide(self) -> None:
        """Some records are not visible from the beginning."""
        if not self.hidden:
            self.remember()
            self.hidden = True
            self._keep()

    def _missing(self, paths: Iterable[str]) -> list[str]:
        known = {*self.columns, *self.sources, *([self.key] if self.key_is_row else [])}
        return [path for path in dict.fromkeys(paths) if path not in known]

    def _make_table(self, columns: Iterable[str]) -> None:
        """All columns at once: each further one makes SQLite read its schema again."""
        row = (self.instance, self.name)
        query = "INSERT INTO collections (instance, name) VALUES (?, ?)"
        self.table = f"{PREFIX}{self.database.db.execute(query, row).lastrowid}"
        fixed = "_seq INTEGER PRIMARY KEY, _created INTEGER, _updated INTEGER, _visible INTEGER"
        self.database.db.execute(f"CREATE TABLE {self.table} ({', '.join([fixed, *columns])})")

    def remember(self) -> None:
        """Come back to what is known of the table now, should the transaction fail."""
        before = self.table, dict(self.columns), list(self.unique), self.hidden

        def restore() -> None:
            self.table, self.columns, self.unique, self.hidden = before

        self.database.on_rollback(restore)

    def index(self, path: str, *, unique: bool = False) -> None:
        """Make looking up by this column fast; a `unique` one raises `sqlite3.IntegrityError` where it is not."""
        column = self.columns.get(path)
        if column and path not in self.unique:
            kind = "UNIQUE INDEX" if unique else "INDEX"
            name = self._unique_index(path) if unique else self._plain_index(path)
            self.database.db.execute(f"CREATE {kind} IF NOT EXISTS {name} ON {self.table} ({column})")

    def drop_index(self, path: str) -> None:
        """Take back `index(path)`."""
        self.database.db.execute(f"DROP INDEX IF EXISTS {self._plain_index(path)}")

    def drop(self) -> None:
        """Forget all records."""
        self._density = None
        if self.table:
            self.remember()
            self.database.db.execute("DELETE FROM collections WHERE id = ?", (self._number,))
            self.database.db.execute(f"DROP TABLE {self.table}")
            self.table, self.columns, self.hidden = "", {}, False
            self.unique = [] if self.key_is_open else self.unique

    def _guard(self) -> None:
        """Let the database refuse unique values that are there already."""
        # SQLite tests the youngest index first, and names the one that fails.
        for path in reversed(self.unique):
            name, column = self._unique_index(path), self.columns[path]
            self.database.db.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {self.table} ({column})")

    def _unique_index(self, path: str) -> str:
        return f"{self.table}_{self.columns[path]}"

    def _plain_index(self, path: str) -> str:
        return f"{self.table}_{self.columns[path]}_at"

    def has(self, path: str) -> bool:
        """Whether there is such a column, the key included."""
        return path in self.columns or (path == self.key and self.key_is_row)

    def writable(self, path: str) -> str:
        """The SQL name under which a column is written."""
        return "_seq" if path == self.key and self.key_is_row else self.columns[path]
