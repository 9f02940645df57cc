"""What outlives the process: written down before it is answered, read again at the next start.

    Ledger       keeps nothing: the store is temporary
    KeptLedger   keeps everything in the store's data file
    Unit         the emulator's lock on a data file

Who changes a job, an instance, a callback or a workflow tells the ledger. It writes when the lock is given back, in the
transaction that holds the rows of the same change: all of it is in the file, or none.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from tempfile import SpooledTemporaryFile
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, NoReturn, cast

from .callbacks import Callback
from .data_file import PART
from .documents import (
    callback_document,
    callback_of,
    instance_document,
    instance_of,
    job_document,
    job_of,
    transfer_document,
    transfer_of,
)
from .errors import OcBulkError
from .instances import Instance
from .jobs import Job
from .messages import SPOOL_BYTES
from .store import Store

if TYPE_CHECKING:
    from .emulator import Emulator


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


class DataFileLost(OcBulkError):
    """The data file could not be written. Memory and file are no longer the same, so nothing more is done."""


class Ledger:
    """Keeps nothing. `lock` is what everything that reads or changes the emulator holds meanwhile."""

    def __init__(self) -> None:
        self.lock: AbstractContextManager[object] = RLock()

    @property
    def kept(self) -> bool:
        """Whether anything outlives the process."""
        return False

    @property
    def failure(self) -> str:
        """Why nothing can be kept any more; empty while all is well."""
        return ""

    def instance(self, instance: Instance) -> None:
        """An instance is new or has changed."""

    def job(self, job: Job) -> None:
        """A job is new or has changed."""

    def file(self, job: Job, file: BinaryIO) -> None:
        """A job has been given a file."""

    def ended(self, job: Job) -> None:
        """A job has ended: its file is not needed any more."""

    def owes(self, callback: Callback) -> None:
        """A callback is to be posted, or to be tried again."""

    def settled(self, callback: Callback) -> None:
        """A callback was delivered or given up."""

    def transfers(self) -> None:
        """The runs of workflows have changed."""

    def empty(self, instance: Instance) -> None:
        """All jobs of an instance are forgotten; called while they are still known."""

    def gone(self, instance: Instance) -> None:
        """An instance that was empty is gone."""

    def restore(self, emulator: Emulator) -> None:
        """Bring back what was kept."""


class KeptLedger(Ledger):
    """Keeps everything in the data file of a store."""

    def __init__(self, store: Store) -> None:
        self.lock = Unit(self)
        self._store = store
        self._failure = ""
        self._emulator: Emulator | None = None
        self._counters = (0, 0, 0)
        self._instances: dict[int, Instance] = {}
        self._jobs: dict[str, Job] = {}
        self._callbacks: dict[int, Callback | None] = {}
        self._transfers = False

    @property
    def kept(self) -> bool:
        """True: that is what it is for."""
        return True

    @property
    def failure(self) -> str:
        """What went wrong when the file could not be written; what was answered until then is in it."""
        return self._failure

    # -- what has changed -------------------------------------------------------------------------------

    def instance(self, instance: Instance) -> None:
        """Write an instance down when the lock is given back."""
        self._instances[instance.id] = instance

    def job(self, job: Job) -> None:
        """Write a job down when the lock is given back."""
        self._jobs[job.id] = job

    def file(self, job: Job, file: BinaryIO) -> None:
        """Write a file down, in parts."""
        file.seek(0)
        while part := file.read(PART):
            self._store.db.execute("INSERT INTO files (job, data) VALUES (?, ?)", (job.id, part))

    def ended(self, job: Job) -> None:
        """Drop the file of a job."""
        self._store.db.execute("DELETE FROM files WHERE job = ?", (job.id,))

    def owes(self, callback: Callback) -> None:
        """Write a callback down when the lock is given back."""
        self._callbacks[callback.number] = callback

    def settled(self, callback: Callback) -> None:
        """Cross a callback out when the lock is given back."""
        self._callbacks[callback.number] = None

    def transfers(self) -> None:
        """Write the runs of workflows down when the lock is given back."""
        self._transfers = True

    def empty(self, instance: Instance) -> None:
        """Drop the jobs of an instance, their files and callbacks; called while they are still known."""
        db = self._store.db
        jobs = [(job,) for job in instance.jobs]
        db.executemany("DELETE FROM files WHERE job = ?", jobs)
        db.execute("DELETE FROM jobs WHERE instance = ?", (instance.id,))
        db.execute("DELETE FROM callbacks WHERE instance = ?", (instance.id,))
        for (job,) in jobs:
            self._jobs.pop(job, None)
        self._callbacks = {
            number: each
            for number, each in self._callbacks.items()
            if each is None or each.instance_id != instance.id
        }

    def gone(self, instance: Instance) -> None:
        """Drop an instance."""
        self._store.db.execute("DELETE FROM instances WHERE id = ?", (instance.id,))
        self._instances.pop(instance.id, None)

    # -- writing ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a transaction; raises `DataFileLost` once the file could not be written."""
        if self._failure:
            raise DataFileLost(self._failure)
        self._store.db.execute("BEGIN")

    def commit(self) -> None:
        """Write what has changed and end the transaction; raises `DataFileLost` when that fails."""
        try:
            self._save()
            self._store.db.execute("COMMIT")
        except sqlite3.Error as error:
            self._lose(error)

    def check(self, error: BaseException | None) -> None:
        """Raise `DataFileLost` if an error is one of the file, or has ended the transaction, which SQLite may do."""
        is_fatal = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _FATAL
        if is_fatal or not self._store.db.in_transaction:
            self._lose(error)

    def _lose(self, error: BaseException | None) -> NoReturn:
        if self._store.db.in_transaction:
            self._store.db.execute("ROLLBACK")
        first = error
        while first is not None and isinstance(first.__context__, sqlite3.Error):
            first = first.__context__  # a savepoint that was gone already hides why
        self._failure = (
            f"{self._store.path}: can no longer be written ({first}); what was answered until now is in it."
            " Make room and start the server again"
        )
        raise DataFileLost(self._failure) from error

    def _save(self) -> None:
        if self._emulator is None:
            return
        db, runner, ids = self._store.db, self._emulator.runner, self._emulator.ids
        while self._instances:
            number, instance = self._instances.popitem()
            self._write("instances", id=number, document=_text(instance_document(instance)))
        for job in self._jobs.values():
            text = _text(job_document(job, runner.pending(job), runner.announced(job)))
            db.execute(
                "INSERT INTO jobs (id, instance, document) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                (job.id, job.instance_id, text),
            )
        self._jobs.clear()
        while self._callbacks:
            number, owed = self._callbacks.popitem()
            if owed is None:
                db.execute("DELETE FROM callbacks WHERE number = ?", (number,))
            else:
                text = _text(callback_document(owed))
                self._write(
                    "callbacks", number=number, instance=owed.instance_id, document=text, body=owed.body
                )
        if self._transfers:
            self._transfers = False
            db.execute("DELETE FROM transfers")
            for run in self._emulator.transfers:
                self._write("transfers", id=run.id, document=_text(transfer_document(run)))
        if ids.counters != self._counters:
            self._counters = ids.counters
            self._write("meta", name="counters", value=_text(self._counters))

    def _write(self, table: str, **values: object) -> None:
        places = ", ".join("?" * len(values))
        self._store.db.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(values)}) VALUES ({places})", [*values.values()]
        )

    # -- reading ----------------------------------------------------------------------------------------

    def restore(self, emulator: Emulator) -> None:
        """Bring back what was kept; raises `OcBulkError` for what the emulator cannot have."""
        self._emulator = emulator
        try:
            with self.lock:
                self._restore(emulator)
        except BaseException:
            self._store.close()
            raise

    def _restore(self, emulator: Emulator) -> None:
        ids = emulator.ids
        counters = self._meta("counters")
        self._counters = tuple(json.loads(str(counters))) if counters else ids.counters
        ids.resume(self._counters, int(str(self._meta("runs"))))
        for (text,) in self._rows("SELECT document FROM instances ORDER BY id"):
            self._restore_instance(emulator, json.loads(str(text)))
        for text, body in self._rows("SELECT document, body FROM callbacks ORDER BY number"):
            emulator.runner.outbox.restore(callback_of(json.loads(str(text)), bytes(cast("bytes", body))))
        for (text,) in self._rows("SELECT document FROM jobs ORDER BY number"):
            self._restore_job(emulator, json.loads(str(text)))
        for (text,) in self._rows("SELECT document FROM transfers ORDER BY id"):
            run = transfer_of(json.loads(str(text)), emulator.instances.by_id)
            if run is not None:
                emulator.transfers.restore(run)

    def _restore_instance(self, emulator: Emulator, document: dict[str, object]) -> None:
        key = str(document["connector"])
        connector = emulator.connectors.get(key)
        if connector is None:
            raise OcBulkError(
                f"{self._store.path}: holds an instance of connector {key!r}, which is not known here;"
                f" start with --connector and the file of {key!r}, or choose another data file"
            )
        instance = instance_of(document, connector, emulator.defaults.clock())
        if emulator.defaults.timeline is not None:
            instance.plans.default = emulator.defaults.timeline
        emulator.instances.add(instance)
        for name in self._store.names(instance.id):
            shape = None if name.startswith("\0") else instance.shape(name)
            if shape is not None:
                self._store.collection(instance.id, name, shape)

    def _restore_job(self, emulator: Emulator, document: dict[str, object]) -> None:
        job, pending, announced = job_of(document)
        instance = emulator.instances.by_id(job.instance_id)
        if instance is None:
            return
        file = self._file_of(job) if pending is not None and pending.options is not None else None
        emulator.runner.resume(instance, job, pending, announced, file)

    def _file_of(self, job: Job) -> BinaryIO:
        file = cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115  # the job closes it
        for (part,) in self._rows("SELECT data FROM files WHERE job = ? ORDER BY number", job.id):
            file.write(cast("bytes", part))
        return file

    def _meta(self, name: str) -> object:
        found = next(self._rows("SELECT value FROM meta WHERE name = ?", name), (None,))
        return found[0]

    def _rows(self, query: str, *values: object) -> Iterator[tuple[object, ...]]:
        return iter(self._store.db.execute(query, values).fetchall())


class Unit:
    """The lock of an emulator on a data file: what was changed under it is in the file when it is given back."""

    def __init__(self, ledger: KeptLedger) -> None:
        self._ledger = ledger
        self._lock = RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if not self._depth:
                self._ledger.begin()
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
                self._ledger.check(error)
                self._ledger.commit()
        finally:
            self._lock.release()


def _text(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
