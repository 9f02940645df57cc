"""Uploaded files in a data file, in parts, from before their upload is answered until after its job has ended.

Large ones are put there part by part before their job exists, and taken away part by part after it: a transaction
of some hundred MB would keep everybody else waiting for seconds.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import count
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from .data_file import PART
from .messages import SPOOL_BYTES
from .store import Store

AT_ONCE = 4
"""Parts that are taken away in one transaction."""


class KeptFiles:
    """The files by a key: the id of their job, or one of their own if they were there before it."""

    def __init__(self, store: Store, lock: AbstractContextManager[object]) -> None:
        self._store = store
        self._lock = lock
        self._numbers = count(1)
        self._run = 0
        self._keys: dict[str, str] = {}
        self._unused: list[str] = []

    def begin_run(self, run: int) -> None:
        """Keys of this process differ from those of earlier ones."""
        self._run = run

    def put_ahead(self, file: BinaryIO) -> str:
        """Keep a file whose job does not exist yet; return its key. The lock is taken for each part."""
        key = f"ahead {self._run}-{next(self._numbers)}"
        file.seek(0)
        while part := file.read(PART):
            with self._lock:
                self._insert(key, part)
        return key

    def put(self, job: str, file: BinaryIO) -> None:
        """Keep the file of a job."""
        file.seek(0)
        while part := file.read(PART):
            self._insert(job, part)

    def _insert(self, key: str, part: bytes) -> None:
        self._store.db.execute("INSERT INTO files (job, data) VALUES (?, ?)", (key, part))

    def assign(self, job: str, key: str) -> None:
        """A file that was put there ahead is that of a job."""
        self._keys[job] = key

    def key_of(self, job: str) -> str:
        """The key of the file of a job."""
        return self._keys.get(job, job)

    def read(self, key: str) -> BinaryIO:
        """A file as a temporary one."""
        file = cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115  # the job closes it
        query = "SELECT data FROM files WHERE job = ? ORDER BY number"
        for (part,) in self._store.db.execute(query, (key,)):
            file.write(part)
        return file

    def drop(self, job: str) -> None:
        """The file of a job is not needed any more."""
        self._drop(self._keys.pop(job, job))

    def drop_unassigned(self, key: str) -> None:
        """A file that was put there ahead is not needed, unless it is that of a job."""
        if key not in self._keys.values():
            self._drop(key)

    def _drop(self, key: str) -> None:
        """A small one goes now, a large one with `tidy`."""
        self._unused.append(key)
        self.tidy()

    def keep_only(self, keys: set[str]) -> None:
        """Files with other keys are left over from uploads that were never accepted."""
        found = self._store.db.execute("SELECT DISTINCT job FROM files")
        self._unused += [key for (key,) in found if key not in keys]

    @property
    def untidy(self) -> bool:
        """Whether `tidy` has something to do."""
        return bool(self._unused)

    def tidy(self) -> bool:
        """Take away some parts of files that are not needed; whether there is more to do."""
        if self._unused:
            some = "SELECT number FROM files WHERE job = ? ORDER BY number LIMIT ?"
            query = f"DELETE FROM files WHERE number IN ({some})"
            gone = self._store.db.execute(query, (self._unused[0], AT_ONCE)).rowcount
            if gone < AT_ONCE:
                self._unused.pop(0)
        return self.untidy
