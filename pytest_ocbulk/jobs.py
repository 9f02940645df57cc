"""The jobs of a fake as a test sees and moves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from . import machine_time
from .emulator.endpoints.bulk import error_item
from .emulator.errors import OcBulkError
from .emulator.instances import Instance
from .emulator.jobs import SUCCESSFUL, Job
from .emulator.timeline import Timeline
from .evidence import Evidence, job_id

_PATIENCE = 60.0
_LOOK = 0.001
"""Seconds of the machine's time: how long an end is waited for, and how often it is looked for."""


class OcBulkJob:
    """One job: what became of it so far, and how to move it on. `settle` lets follow what a move causes.

    Whatever is asked about it, what is due by the clock happens first; asking is not a look of the timeline.
    """

    def __init__(self, evidence: Evidence, settle: Callable[[], None], job: Job) -> None:
        self._evidence = evidence
        self._emulator = evidence.emulator
        self._instance = evidence.instance
        self._settle = settle
        self._job = job

    def __repr__(self) -> str:
        return f"<job {self.id}: {self._job.direction} {self.object}, {self.timeline}, now {self.status}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OcBulkJob) and other._job is self._job

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def _present(self) -> Job:
        """The job as it is by the clock."""
        self._evidence.tick()
        return self._job

    @property
    def id(self) -> str:
        """The job's id, a decimal string."""
        return self._job.id

    @property
    def object(self) -> str:
        """The object that the job is about."""
        return self._job.object_name

    @property
    def direction(self) -> str:
        """`UPLOAD` or `DOWNLOAD`."""
        return self._job.direction

    @property
    def status(self) -> str:
        """The present status in the words of the dialect, by the clock; asking is not a look of the timeline."""
        return self._instance.dialect.word(self._present.status)

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self._present.terminal

    @property
    def timeline(self) -> str:
        """The planned course as one line of text, in the words of the dialect."""
        return spelled(self._present.course.timeline, self._instance)

    @property
    def history(self) -> list[tuple[str, float]]:
        """The statuses so far, each with the seconds from the job's creation to it."""
        word = self._instance.dialect.word
        return [(word(event.status), event.at - self._job.created) for event in self._present.events]

    @property
    def records_count(self) -> int:
        """Data rows settled so far, failed ones included."""
        return self._present.records

    @property
    def failed_count(self) -> int:
        """Rows that failed."""
        return self._present.failed

    @property
    def error(self) -> str | None:
        """Why the whole job failed, None if it did not."""
        return self._present.error

    @property
    def errors(self) -> list[dict[str, Any]]:
        """All failed rows, as `GET /bulk/{id}/errors` shows them."""
        return [error_item(row, text) for row, text in self._evidence.failures(self._present)]

    def advance(self) -> None:
        """Take one step of the timeline now, whatever it waits for."""
        with self._emulator.lock:
            self._emulator.runner.advance_job(self._instance, self._job, self._instance.clock.now())
        self._settle()

    def finish(self) -> None:
        """Go to the end of the timeline now, to success where it has none; a job that has succeeded stays as it is.

        A job on a server may get there by itself between two lines of a test, and a large one is waited for, up to a
        minute. Raises `OcBulkError` for one that failed, and for one that does not end.
        """
        with self._emulator.lock:
            if self._job.status not in SUCCESSFUL:
                self._emulator.runner.finish_job(self._instance, self._job, self._instance.clock.now())
        self._settle()
        if not self._job.terminal:
            self._await_end()
            self._settle()

    def _await_end(self) -> None:
        """Wait, in real time, for a server's worker to apply the rows of a large upload."""
        deadline = machine_time.monotonic() + _PATIENCE
        while not self._job.terminal:
            if machine_time.monotonic() > deadline:
                word = self._instance.dialect.word(self._job.status)
                raise OcBulkError(f"job {self.id} is still {word}, {_PATIENCE:g} s after finish()")
            machine_time.sleep(_LOOK)

    def fail(self, error: str, status: str = "ABORTED") -> None:
        """Fail now, `ABORTED` or `ERROR`, with this text as the job's error; rows that are applied already stay."""
        with self._emulator.lock:
            self._emulator.runner.fail_job(
                self._instance, self._job, error, self._instance.clock.now(), status
            )
        self._settle()


class OcBulkJobs(Sequence[OcBulkJob]):
    """The jobs of a fake, oldest first; by place (`jobs[-1]`) or by id (`jobs["1234"]`, `"1234" in jobs`)."""

    def __init__(self, evidence: Evidence, settle: Callable[[], None]) -> None:
        self._evidence = evidence
        self._instance = evidence.instance
        self._settle = settle

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"

    def __len__(self) -> int:
        return len(self._instance.jobs)

    def __iter__(self) -> Iterator[OcBulkJob]:
        for job in tuple(self._instance.jobs.values()):
            yield self._handle(job)

    def __contains__(self, which: object) -> bool:
        """Whether there is such a job: the job itself, or its id as text or number."""
        return which in tuple(self) if isinstance(which, OcBulkJob) else job_id(which) in self._instance.jobs

    @overload
    def __getitem__(self, which: int | str) -> OcBulkJob: ...

    @overload
    def __getitem__(self, which: slice) -> list[OcBulkJob]: ...

    def __getitem__(self, which: int | str | slice) -> OcBulkJob | list[OcBulkJob]:
        if isinstance(which, str):
            return self._handle(self._evidence.job(which))
        found = list(self)
        if isinstance(which, int) and not -len(found) <= which < len(found):
            hint = f"; by its id it is jobs['{which}']" if which in self else ""
            raise OcBulkError(f"there is no job at place {which}; {self._evidence.known_jobs()}{hint}")
        return found[which]

    def _handle(self, job: Job) -> OcBulkJob:
        return OcBulkJob(self._evidence, self._settle, job)


def spelled(timeline: Timeline, instance: Instance) -> str:
    """A timeline in the words of the instance's dialect."""
    return timeline.worded(instance.dialect.word)
