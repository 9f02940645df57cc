"""All that is kept in rows: the records of every object of every instance, and the failed rows of jobs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from .collection import Collection
from .connectors import ObjectDefinition
from .database import Database
from .table import PREFIX


class _Kept(NamedTuple):
    """What a data file tells of a collection; `keys` as `Collection.keys` was when it was written."""

    table: str
    columns: list[str]
    hidden: bool
    keys: str


def stage_name(job: str) -> str:
    """The name of the collection in which the rows of a job wait; no object can be called so."""
    return f"\0stage {job}"


class Store(Database):
    """The collections by instance and name, and the failed rows by job, in one database."""

    def __init__(self, path: str = "") -> None:
        super().__init__(path)
        self._collections: dict[tuple[int, str], Collection] = {}
        self._kept: dict[tuple[int, str], _Kept] = {}  # and not used yet by this process

    def _open(self) -> sqlite3.Connection:
        connection = super()._open()
        if not self.path:
            return connection
        query = "SELECT instance, name, id, columns, hidden, keys FROM collections"
        for instance, name, number, columns, hidden, keys in connection.execute(query):
            self._kept[instance, name] = _Kept(f"{PREFIX}{number}", json.loads(columns), bool(hidden), keys)
        return connection

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
