"""What outlives the process: written down before it is answered, read again at the next start.

Who changes a job, an instance, a callback or a workflow tells the ledger. This one keeps nothing, for a store that is
temporary; the one of a data file is in `kept_ledger.py`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import RLock
from typing import TYPE_CHECKING, BinaryIO

from .callbacks import Callback
from .errors import OcBulkError
from .instances import Instance
from .jobs import Job

if TYPE_CHECKING:
    from .emulator import Emulator
    from .upload import Upload


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

    def file_ahead(self, file: BinaryIO) -> str:  # noqa: ARG002  # a data file keeps it
        """A file has come whose job does not exist yet; called without the lock. Its key, empty if it is not kept."""
        return ""

    def file_unwanted(self, key: str) -> None:
        """A file that has come ahead is not needed if no job has been given it."""

    def file(self, job: Job, upload: Upload) -> None:
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

    @property
    def untidy(self) -> bool:
        """Whether `tidy` has something to do."""
        return False

    def tidy(self) -> bool:
        """Take away some of what is not needed any more, called without the lock; whether there is more to do."""
        return False

    def restore(self, emulator: Emulator) -> None:
        """Bring back what was kept."""
