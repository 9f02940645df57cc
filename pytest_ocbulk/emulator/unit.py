"""The lock of an emulator on a data file: a unit of work, all of it in the file when it is given back, or none.

The rows of a change and what the ledger writes down of it are in one transaction. When the file can no longer be
written, memory is ahead of it: from then on the lock is not given to anybody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from threading import RLock
from types import TracebackType
from typing import NoReturn

from .database import Database
from .ledger import DataFileLost

_FATAL = frozenset(
    (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
    )
)
"""What is wrong with the file, and not with a statement."""


class Unit:
    """Taking the lock begins a transaction, giving it back calls `save` and commits.

    Both raise `DataFileLost` once the file could not be written; `failure` then says why, and is empty before.
    """

    def __init__(self, database: Database, save: Callable[[], None]) -> None:
        self.failure = ""
        self._database = database
        self._save = save
        self._lock = RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if not self._depth:
                self._begin()
        except BaseException:
            self._lock.release()
            raise
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was changed before an error is changed in memory too, so it is kept as well.
        self._depth -= 1
        try:
            if not self._depth:
                self._check(error)
                self._commit()
        finally:
            self._lock.release()

    def _begin(self) -> None:
        if self.failure:
            raise DataFileLost(self.failure)
        self._database.db.execute("BEGIN")

    def _commit(self) -> None:
        try:
            self._save()
            self._database.db.execute("COMMIT")
        except sqlite3.Error as error:
            self._lose(error)

    def _check(self, error: BaseException | None) -> None:
        """Give the file up if an error is one of the file, or has ended the transaction, which SQLite may do."""
        is_fatal = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _FATAL
        if is_fatal or not self._database.db.in_transaction:
            self._lose(error)

    def _lose(self, error: BaseException | None) -> NoReturn:
        if self._database.db.in_transaction:
            self._database.db.execute("ROLLBACK")
        first = error
        while first is not None and isinstance(first.__context__, sqlite3.Error):
            first = first.__context__  # a savepoint that was gone already hides why
        self.failure = (
            f"{self._database.path}: can no longer be written ({first}); what was answered until now is in it."
            " Make room and start the server again"
        )
        raise DataFileLost(self.failure) from error
