"""The life of jobs: accepted, moved along their timelines, worked off, ended, announced.

Everything that changes a job after its creation happens here, at an instant that is handed in. Nothing waits:
what is due by `now` is done, what is not is told by `next_due`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from . import jobs
from .apply import Application
from .callbacks import SIGNATURE_HEADER, SIGNATURE_KEY, Callback, sign
from .connectors import ObjectDefinition
from .instances import Instance
from .jobs import Job
from .plans import JobPlan
from .store import Store
from .timeline import Course, Timeline
from .upload import Upload

IN_THE_TICK = 256 * 1024
"""Uploads up to this many bytes are applied inside the tick even where a worker is at hand."""

CANCELLING = Timeline.parse("CANCELLATION_PENDING CANCELLED")
DEFAULT_ERRORS = {
    jobs.ABORTED: "The job was aborted",
    jobs.ERROR: "The job failed at the provider",
}


class Work(Protocol):
    """What a job does: pieces are prepared without the store and committed under the emulator's lock."""

    done: int
    failed: int
    error: str
    finished: bool
    failure_status: str

    @property
    def info(self) -> str | None:
        """The job's infoMessage."""
        ...

    def prepare(self) -> Any:
        """Make the next piece ready."""
        ...

    def commit(self, store: Store, piece: Any, now: int) -> None:
        """Write a piece; `now` is in ms."""
        ...

    def abandon(self) -> None:
        """The job has ended: drop what was not finished, give back what is held open."""
        ...


@dataclass(slots=True)
class Task:
    """The work behind one job: what it does, and what its end is to be (from the plan)."""

    instance: Instance
    job: Job
    work: Work
    end: str = jobs.COMPLETED
    error: str | None = None
    due: float = 0.0
    started: bool = False


class Runner:
    """Moves jobs along. With `background` large uploads are left to `work`, which a door calls from a worker."""

    def __init__(
        self, store: Store, *, background: bool, describe: Callable[[Instance, Job], dict[str, object]]
    ) -> None:
        self.store = store
        self.background = background
        self.describe = describe
        self.outbox: list[Callback] = []
        self._tasks: dict[str, Task] = {}
        self._waiting: deque[Task] = deque()

    # -- beginnings -------------------------------------------------------------------------------------

    def start(self, instance: Instance, job: Job, work: Work, plan: JobPlan) -> None:
        """Take over a job that was just created."""
        instance.jobs[job.id] = job
        instance.running.append(job)
        self._tasks[job.id] = Task(instance, job, work, error=plan.error)

    def upload(self, instance: Instance, job: Job, upload: Upload, plan: JobPlan) -> None:
        """Take over the job of an upload."""
        shape = instance.shape(job.object_name)
        late = max(instance.dialect.quirks.visibility_lag, shape.visible_after if shape else 0.0)

        def visible(first: int, count: int) -> list[int | None]:
            return instance.visibility.instants(first, count, milliseconds(instance.clock.now()), late)

        work = Application(
            job.id,
            upload.file,
            upload.options,
            shape,
            self.store.collection(instance.id, job.object_name, shape or ObjectDefinition(job.object_name)),
            instance.connector.batch_size,
            visible,
            plan.fail_rows,
        )
        self.start(instance, job, work, plan)

    # -- the course of time -----------------------------------------------------------------------------

    def tick(self, instance: Instance, now: float) -> None:
        """Do all that is due for the jobs of an instance."""
        for job in tuple(instance.running):
            self._move(instance, job, now)

    def _move(self, instance: Instance, job: Job, now: float) -> None:
        task = self._tasks.get(job.id)
        if task is not None and task.started:
            return  # its rows are being applied; the status changes when that is done
        for step, at in job.course.moves(now):
            if step.status in jobs.SUCCESSFUL and task is not None:
                task.end, task.due = step.status, at
                self._begin(task, now)
                return
            self._enter(instance, job, step.status, at)

    def _begin(self, task: Task, now: float) -> None:
        task.started = True
        if self.background and task.job.file_size > IN_THE_TICK:
            if task.job.status not in (jobs.RUNNING, jobs.CANCELLATION_PENDING):
                task.job.move(jobs.RUNNING, now)
            self._waiting.append(task)
            return
        while not task.work.finished:
            self._advance(task, task.work.prepare(), now)

    def _enter(self, instance: Instance, job: Job, status: str, at: float) -> None:
        """Change the status; an end settles the counts and is announced."""
        if status in jobs.FAILED:
            task = self._tasks.get(job.id)
            job.error = job.error or (task.error if task else None) or DEFAULT_ERRORS[status]
        job.move(status, at)
        if job.terminal:
            if task := self._tasks.pop(job.id, None):
                task.work.abandon()
            instance.running.remove(job)
            self._announce(instance, job, at)

    def next_due(self, instance: Instance) -> float | None:
        """The instant at which `tick` has something to do for an instance, None if there is none."""
        dues = [job.course.due() for job in instance.running if not self._is_applying(job)]
        return min((due for due in dues if due is not None), default=None)

    def _is_applying(self, job: Job) -> bool:
        task = self._tasks.get(job.id)
        return task is not None and task.started

    # -- work -------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> Task | None:
        """The task that a worker is to go on with."""
        while self._waiting and self._waiting[0].job.terminal:
            self._waiting.popleft()
        return self._waiting[0] if self._waiting else None

    def advance(self, task: Task, piece: Any, now: float) -> None:
        """Write what `task.work.prepare()` has prepared; under the emulator's lock."""
        if task.job.terminal:  # cancelled while the slice was being prepared
            return
        self._advance(task, piece, now)
        if task.work.finished and self._waiting and self._waiting[0] is task:
            self._waiting.popleft()
        elif len(self._waiting) > 1:  # take turns, so that a small upload does not wait for a large one
            self._waiting.rotate(-1)

    def _advance(self, task: Task, piece: Any, now: float) -> None:
        job, work = task.job, task.work
        work.commit(self.store, piece, milliseconds(now))
        job.records, job.failed, job.info = work.done, work.failed, work.info
        if not work.finished:
            return
        at = now if task in self._waiting else max(task.due, job.events[-1].at)
        job.error = work.error or job.error
        self._enter(task.instance, job, work.failure_status if work.error else task.end, at)

    # -- interference -----------------------------------------------------------------------------------

    def cancel(self, instance: Instance, job: Job, now: float) -> None:
        """Ask a job to end; it is CANCELLED at the next look (protocol.md 3.10)."""
        task = self._tasks.get(job.id)
        if task is not None:
            task.started = False
            if task in self._waiting:
                self._waiting.remove(task)
        self.redirect(instance, job, CANCELLING, now)

    def redirect(self, instance: Instance, job: Job, timeline: Timeline, now: float) -> None:
        """Put a job on another course from now on."""
        job.course = Course(timeline, now)
        self._enter(instance, job, job.course.step.status, now)

    def advance_job(self, instance: Instance, job: Job, now: float) -> None:
        """Take one step of the timeline now, whatever it holds for."""
        task = self._tasks.get(job.id)
        step = job.course.following
        if step is None or (task is not None and task.started):
            return
        if step.status in jobs.SUCCESSFUL and task is not None:
            task.end, task.due = step.status, now
            self._begin(task, now)
        else:
            self._enter(instance, job, step.status, now)
        job.course.take(now)

    def forget(self, instance: Instance) -> None:
        """Drop everything that belongs to an instance."""
        for job in list(instance.running):
            if task := self._tasks.pop(job.id, None):
                task.work.abandon()
                if task in self._waiting:
                    self._waiting.remove(task)
        instance.running.clear()
        instance.jobs.clear()
        self.outbox = [each for each in self.outbox if each.instance_id != instance.id]
        self.store.forget(instance.id)

    # -- callbacks --------------------------------------------------------------------------------------

    def _announce(self, instance: Instance, job: Job, at: float) -> None:
        if not job.callback_url:
            return
        payload = self.describe(instance, job)
        if job.callback_payload is not None:
            payload["callback-payload"] = job.callback_payload
        body = json.dumps(payload, ensure_ascii=False).encode()
        due = at + instance.dialect.quirks.callback_lag
        self.outbox.append(
            Callback(instance.id, job.id, job.callback_url, body, signed_headers(instance, body), due)
        )

    def take_callbacks(self, now_of: Callable[[int], float]) -> list[Callback]:
        """Take the callbacks that are due; `now_of` tells the present instant of an instance."""
        due = [each for each in self.outbox if each.due <= now_of(each.instance_id)]
        self.outbox = [each for each in self.outbox if each not in due]
        return due


def signed_headers(instance: Instance, body: bytes) -> Mapping[str, str]:
    """The headers of a callback; signed over the raw bytes when the instance has a key (protocol.md 7)."""
    headers = {"Content-Type": "application/json;charset=UTF-8"}
    if key := instance.configuration.get(SIGNATURE_KEY):
        headers[SIGNATURE_HEADER] = sign(key, body)
    return headers


def milliseconds(instant: float) -> int:
    """An instant as the store and the wire count it."""
    return round(instant * 1000)
