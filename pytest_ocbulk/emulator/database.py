"""The SQLite database: opened when it is first needed, changed in transactions that memory follows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TEMPORARY = """
PRAGMA journal_mode = TRUNCATE;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -8000;
"""
"""A store without a path is SQLite's own temporary database: in memory up to this cache, on disk beyond it.

So is its journal: one kept in memory would hold a table of a million records while that is dropped. The cache is a
measured size: with a larger one indexes are built more slowly (by a third with 32 MB), with a smaller one read so.
"""

_SCHEMA = """
CREATE TABLE collections (id INTEGER PRIMARY KEY, instance INTEGER, name TEXT, columns TEXT, hidden INTEGER,
    keys TEXT, UNIQUE (instance, name));
CREATE TABLE failures (job TEXT, row INTEGER, status TEXT, PRIMARY KEY (job, row)) WITHOUT ROWID;
"""


class Database:
    """One SQLite database; temporary unless a path is given.

    With a path it is a data file: what an earlier process wrote is there, and no other process can open it.
    """

    def __init__(self, path: str = "") -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._undo: list[list[Callable[[], None]]] = []

    @property
    def db(self) -> sqlite3.Connection:
        """The connection; guarded by the emulator's lock, hence usable from any thread."""
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        if self.path:
            from . import data_file  # only now: few have one

            return data_file.connect(self.path, _SCHEMA)
        connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        connection.executescript(_TEMPORARY + _SCHEMA)
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
            if self.db.in_transaction:  # SQLite itself has rolled back when the disk is full
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

    def __del__(self) -> None:
        self.close()  # Python 3.13 and later complain about a connection that nobody closed

    def close(self) -> None:
        """Close the database; what was temporary is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
