"""The ledger of a data file: what has changed is written when the lock is given back.

It is written in the transaction that holds the rows of the same change (`unit.py`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

from .callbacks import Callback
from .documents import callback_document, instance_document, job_document, transfer_document
from .instances import Instance
from .jobs import Job
from .kept_files import KeptFiles
from .ledger import Ledger
from .restoring import restore, resume_numbers
from .store import Store
from .unit import Unit

if TYPE_CHECKING:
    from .emulator import Emulator
    from .runner import Runner
    from .upload import Upload


class KeptLedger(Ledger):
    """Keeps everything in the data file of a store."""

    def __init__(self, store: Store) -> None:
        self.lock: Unit = Unit(store, self._save)
        self._store = store
        self._emulator: Emulator | None = None
        self.files = KeptFiles(store, self.lock)
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
        return self.lock.failure

    def restore(self, emulator: Emulator) -> None:
        """Bring back what was kept; raises `OcBulkError` for what the emulator cannot have."""
        self._emulator = emulator
        try:
            with self.lock:
                self.files.begin_run(resume_numbers(emulator))
                self._counters = emulator.ids.counters
                restore(emulator, self.files)
        except BaseException:
            self._store.close()
            raise

    # -- what has changed -------------------------------------------------------------------------------

    def instance(self, instance: Instance) -> None:
        """Write an instance down when the lock is given back."""
        self._instances[instance.id] = instance

    def job(self, job: Job) -> None:
        """Write a job down when the lock is given back."""
        self._jobs[job.id] = job

    def file_ahead(self, file: BinaryIO) -> str:
        """Write a file down, part by part."""
        return self.files.put_ahead(file)

    def file_unwanted(self, key: str) -> None:
        """Drop a file that was written down ahead, unless a job has it."""
        self.files.drop_unassigned(key)

    def file(self, job: Job, upload: Upload) -> None:
        """Write a file down, unless it is already."""
        if upload.kept:
            self.files.assign(job.id, upload.kept)
        else:
            self.files.put(job.id, upload.file)

    def ended(self, job: Job) -> None:
        """Drop the file of a job."""
        self.files.drop(job.id)

    @property
    def untidy(self) -> bool:
        """Whether there are parts of files that are not needed."""
        return self.files.untidy

    def tidy(self) -> bool:
        """Take away some parts of files that are not needed."""
        with self.lock:
            return self.files.tidy()

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
        db.execute("DELETE FROM jobs WHERE instance = ?", (instance.id,))
        db.execute("DELETE FROM callbacks WHERE instance = ?", (instance.id,))
        for job in instance.jobs:
            self._jobs.pop(job, None)
            self.files.drop(job)
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

    def _save(self) -> None:
        if self._emulator is None:
            return
        while self._instances:
            number, instance = self._instances.popitem()
            self._write("instances", id=number, document=_text(instance_document(instance)))
        self._save_jobs(self._emulator.runner)
        self._save_callbacks()
        if self._transfers:
            self._transfers = False
            self._store.db.execute("DELETE FROM transfers")
            for run in self._emulator.transfers:
                self._write("transfers", id=run.id, document=_text(transfer_document(run)))
        if self._emulator.ids.counters != self._counters:
            self._counters = self._emulator.ids.counters
            self._write("meta", name="counters", value=_text(self._counters))

    def _save_jobs(self, runner: Runner) -> None:
        for job in self._jobs.values():
            if (pending := runner.pending(job)) is not None:
                pending.file = self.files.key_of(job.id)
            text = _text(job_document(job, pending, runner.announcements.of(job)))
            self._store.db.execute(
                "INSERT INTO jobs (id, instance, document) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                (job.id, job.instance_id, text),
            )
        self._jobs.clear()

    def _save_callbacks(self) -> None:
        while self._callbacks:
            number, owed = self._callbacks.popitem()
            if owed is None:
                self._store.db.execute("DELETE FROM callbacks WHERE number = ?", (number,))
                continue
            document = _text(callback_document(owed))
            self._write(
                "callbacks", number=number, instance=owed.instance_id, document=document, body=owed.body
            )

    def _write(self, table: str, **values: object) -> None:
        places = ", ".join("?" * len(values))
        self._store.db.execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(values)}) VALUES ({places})", [*values.values()]
        )


def _text(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
