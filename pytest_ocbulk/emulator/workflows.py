"""Workflows: the result of one instance's query becomes an upload to another (protocol.md 3.8).

A transfer has no engine of its own: it is a query job, and an upload job that begins when the first has ended well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import BinaryIO, cast

from . import jobs
from .instances import Instance
from .jobs import Job
from .messages import SPOOL_BYTES
from .reading import Reading
from .result_files import Shown, json_lines
from .results import RESULT, result_name
from .store import Store
from .upload import Options

RUNNING, COMPLETED, ERROR = "RUNNING", "COMPLETED", "ERROR"


@dataclass(slots=True, eq=False)
class Transfer:
    """One run of a workflow. `group` is the id that its creation answered; `parent` the first run of the same call.

    `options` are those of the upload that it ends with.
    """

    id: int
    group: str
    parent: int | None
    created: float
    source: Instance
    source_job: Job
    target: Instance
    target_object: str
    target_job: Job | None = None
    error: str = ""
    options: Options = field(default_factory=Options)

    @property
    def status(self) -> str:
        """RUNNING until both jobs have ended, then COMPLETED, or ERROR if either has not ended well."""
        last = self.target_job or self.source_job
        if self.error or last.status in jobs.TERMINAL - jobs.SUCCESSFUL:
            return ERROR
        return COMPLETED if self.target_job and last.terminal else RUNNING


class Transfers:
    """The runs of all workflows, oldest first."""

    def __init__(self) -> None:
        self._runs: list[Transfer] = []
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Transfer]:
        return iter(tuple(self._runs))

    def number(self) -> int:
        """The number of a new run."""
        return next(self._numbers)

    def add(self, run: Transfer) -> None:
        """Keep a run."""
        self._runs.append(run)

    def restore(self, run: Transfer) -> None:
        """Put a run of an earlier process back."""
        self._runs.append(run)
        self._numbers = count(run.id + 1)

    def forget(self, instance: Instance) -> None:
        """Drop the runs that began at an instance; those that would have ended there fail."""
        self._runs = [run for run in self._runs if run.source is not instance]
        for run in self._runs:
            if run.target is instance and run.status == RUNNING:
                run.error = "The target instance was deleted"


def result_file(store: Store, job: Job) -> tuple[BinaryIO, int]:
    """The result of a query job as a file of JSON lines, which keep types and nested values; and its size in bytes."""
    from tempfile import SpooledTemporaryFile  # few run workflows

    result = store.collection(job.instance_id, result_name(job.id), RESULT)
    file = cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115  # the upload job closes it
    lines = json_lines(Reading(result, list(result.columns)), Shown(nulls=False))
    size = sum(map(file.write, lines))
    file.seek(0)
    return file, size
