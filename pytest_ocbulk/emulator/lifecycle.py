"""The life of jobs: moved along their timelines, worked off, ended, announced.

Everything happens at an instant that is handed in (seconds since 1970-01-01 UTC by the instance's clock). Nothing
waits: what is due by `now` is done, what is not is told by `next_due`.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

from . import jobs
from .announcing import Announcements
from .callbacks import Outbox
from .clock import milliseconds
from .instances import Instance
from .jobs import Job
from .store import Store
from .tasks import Task
from .timeline import Course

if TYPE_CHECKING:
    from .ledger import Ledger

IN_THE_TICK = 256 * 1024
"""Uploads up to this many bytes are applied inside the tick even where a worker is at hand."""

DEFAULT_ERRORS = {
    jobs.ABORTED: "The job was aborted",
    jobs.ERROR: "The job failed at the provider",
}


class Lifecycle:
    """What time and work do to jobs. With `background` the work of large uploads is left to `next_task`.

    `describe` gives the status body of a job, which is what a callback posts.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        background: bool,
        describe: Callable[[Instance, Job], dict[str, object]],
    ) -> None:
        self.store = store
        self.background = background
        self.ledger = ledger
        self.outbox = Outbox(ledger)
        self.announcements = Announcements(self.outbox, describe)
        self._tasks: dict[str, Task] = {}
        self._waiting: deque[Task] = deque()
        self._applied_at = 0.0
        self._followers: dict[str, Callable[[], None]] = {}

    # -- the course of time -----------------------------------------------------------------------------

    def tick(self, instance: Instance, now: float) -> None:
        """Do all that is due for the jobs of an instance, in the order in which it was due."""
        due = [
            (at, number, job)
            for number, job in enumerate(instance.running)
            if (at := self._due(job)) is not None and at <= now
        ]
        heapify(due)
        while due:
            at, number, job = heappop(due)
            self._step(instance, job, at, now)
            following = None if job.terminal else self._due(job)
            if following is not None and following <= now:
                heappush(due, (following, number, job))

    def _due(self, job: Job) -> float | None:
        """The instant of a job's next step; while its rows are being applied there is none."""
        return None if self._is_at_work(job) else job.course.due()

    def _is_at_work(self, job: Job) -> bool:
        """Whether a job's rows are being applied, so that it moves when that is done and not before."""
        task = self._tasks.get(job.id)
        return task is not None and task.started

    def _step(self, instance: Instance, job: Job, due: float, now: float) -> None:
        """Take the next step of a job, which was due at an instant."""
        # A status that waited for looks leaves when it is next asked about, not back when it was entered.
        at = now if job.course.step.looks else due
        self._go(instance, job, job.course.take(at).status, at, now, self._tasks.get(job.id))

    def _go(
        self, instance: Instance, job: Job, status: str, at: float, now: float, task: Task | None
    ) -> None:
        """Enter a status at the instant `at`; success has to be earned by work first."""
        self.ledger.job(job)
        if status in jobs.SUCCESSFUL and task is not None:
            task.end, task.due = status, at
            self._begin(task, now)
        else:
            self._enter(instance, job, status, at)

    def _begin(self, task: Task, now: float) -> None:
        """Begin the work; it is done when this returns, unless a worker is to do it."""
        task.started = True
        if self.background and task.job.file_size > IN_THE_TICK:
            task.job.move(jobs.RUNNING, now)
            self._waiting.append(task)
            return
        while task.job.id in self._tasks and not task.work.finished:
            self._advance(task, task.work.prepare(), now)

    def _enter(self, instance: Instance, job: Job, status: str, at: float) -> None:
        """Change the status."""
        if status in jobs.TERMINAL:
            self._end(instance, job, status, at)
        else:
            job.move(status, at)

    def _end(self, instance: Instance, job: Job, status: str, at: float) -> None:
        """The end is announced, then shown; a planned fault may put a time between the two."""
        task = self._tasks.pop(job.id, None)
        if status in jobs.FAILED:
            job.error = job.error or (task.plan.error if task else None) or DEFAULT_ERRORS[status]
        if task is not None:
            self.ledger.ended(job)
            self._close(task)
            instance.plans.note_unreached(task.plan, job)
        if job.callback_url and self.announcements.of(job) is None:
            detour = self.announcements.announce(instance, job, status, at)
            if detour is not None:
                job.course = Course(detour, at)
                return
        if announced := self.announcements.forget(job):
            job.error = announced.error or job.error
        job.move(status, at)
        instance.running.remove(job)
        if then := self._followers.pop(job.id, None):
            then()

    def _close(self, task: Task) -> None:
        """Give back what the work holds, unless a worker is at it: then `advance` does it."""
        if task in self._waiting:
            self._waiting.remove(task)
        if not task.preparing:
            task.work.abandon()

    def next_due(self, instance: Instance) -> float | None:
        """The instant at which `tick` has something to do for an instance, None if there is none."""
        return min((due for job in instance.running if (due := self._due(job)) is not None), default=None)

    # -- work -------------------------------------------------------------------------------------------

    def next_task(self) -> Task | None:
        """The task that a worker is to go on with; it prepares a piece without the lock and brings it to `advance`."""
        if not self._waiting:
            return None
        self._waiting[0].preparing = True
        return self._waiting[0]

    @property
    def has_work(self) -> bool:
        """Whether there is something for a worker to do."""
        return bool(self._waiting)

    def advance(self, task: Task, piece: Any, now: float) -> None:
        """Write what `task.work.prepare()` has prepared, None if it failed; under the emulator's lock."""
        task.preparing = False
        if task not in self._waiting:  # ended while the piece was being prepared
            if task.job.id not in self._tasks:
                task.work.abandon()
            return
        if piece is not None:
            self._advance(task, piece, now)
        if task in self._waiting and len(self._waiting) > 1:
            self._waiting.rotate(-1)  # take turns, so that a small upload does not wait for a large one

    def _advance(self, task: Task, piece: Any, now: float) -> None:
        job, work = task.job, task.work
        self._applied_at = now if task in self._waiting else max(task.due, job.events[-1].at)
        try:
            work.commit(self.store, piece, milliseconds(self._applied_at))
        except sqlite3.Error as error:
            self._break_off(task, error)
            return
        self.ledger.job(job)
        job.records, job.failed, job.info = work.done, work.failed, work.info
        if work.finished:
            job.error = work.error or job.error
            self._enter(task.instance, job, work.failure_status if work.error else task.end, self._applied_at)

    def _break_off(self, task: Task, error: sqlite3.Error) -> None:
        """End a job whose rows cannot be written, as when the disk is full: to go on would leave some of them out.

        A data file is given up as a whole instead (`unit.py`).
        """
        if self.store.path:
            raise error
        job, work = task.job, task.work
        job.records, job.failed = work.done, work.failed
        job.error = f"The fake could not write the rows: {error}"
        self._enter(task.instance, job, work.failure_status, self._applied_at)

    # -- who looks on -------------------------------------------------------------------------------------

    def follow(self, job: Job, then: Callable[[], None]) -> None:
        """Call `then` when a job has ended, at once if it has already; not when its instance is forgotten."""
        if job.terminal:
            then()
        else:
            self._followers[job.id] = then

    def look(self, job: Job) -> None:
        """The status of a job was shown once."""
        job.course.look()
        if job.course.step.looks:
            self.ledger.job(job)
