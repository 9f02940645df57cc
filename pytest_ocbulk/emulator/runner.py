"""The life of jobs: accepted, moved along their timelines, worked off, ended, announced.

Everything that changes a job after its creation happens here, at an instant that is handed in. Nothing waits:
what is due by `now` is done, what is not is told by `next_due`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from . import jobs
from .apply import Application
from .callbacks import SIGNATURE_HEADER, SIGNATURE_KEY, Attempt, Callback, Outbox, sign
from .clock import milliseconds
from .connectors import ObjectDefinition
from .documents import Announced, Pending
from .errors import OcBulkError
from .faults import CALLBACK, Strike
from .instances import Instance
from .jobs import Job, JobEvent
from .plans import JobPlan
from .results import extraction
from .store import Store
from .timeline import Course, Step, Timeline
from .upload import Upload

if TYPE_CHECKING:
    from .ledger import Ledger

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

    def close(self) -> None:
        """Give back what is held open."""
        ...


@dataclass(slots=True)
class Task:
    """The work behind one job: what it does, its plan, and what its end is to be.

    `preparing`: a worker is at it without holding the lock, so that what it reads must not be closed.
    """

    instance: Instance
    job: Job
    work: Work
    plan: JobPlan = field(default_factory=JobPlan)
    end: str = jobs.COMPLETED
    due: float = 0.0
    started: bool = False
    preparing: bool = False


class Runner:
    """Moves jobs along. With `background` large uploads are left to `work`, which a door calls from a worker."""

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
        self.describe = describe
        self.ledger = ledger
        self.outbox = Outbox(ledger)
        self._tasks: dict[str, Task] = {}
        self._waiting: deque[Task] = deque()
        self._announced: dict[str, str | None] = {}  # ahead of their end, with the error they will show then
        self._applied_at = 0.0
        self._followers: dict[str, Callable[[], None]] = {}

    # -- beginnings -------------------------------------------------------------------------------------

    def start(self, instance: Instance, job: Job, work: Work, plan: JobPlan) -> None:
        """Take over a job that was just created."""
        instance.jobs[job.id] = job
        instance.running.append(job)
        self._tasks[job.id] = task = Task(instance, job, work, plan)
        self.ledger.job(job)
        if job.terminal:  # a timeline of one word: it ends as it begins
            end, job.events[0] = job.status, JobEvent(jobs.CREATED, job.created)
            self._go(instance, job, end, job.created, job.created, task)

    def upload(self, instance: Instance, job: Job, upload: Upload, plan: JobPlan) -> None:
        """Take over the job of an upload."""
        try:
            self.ledger.file(job, upload.file)
        except BaseException:
            upload.file.close()
            raise
        self.start(instance, job, self._application(instance, job, upload, plan), plan)

    def _application(self, instance: Instance, job: Job, upload: Upload, plan: JobPlan) -> Application:
        shape = instance.shape(job.object_name)
        late = max(instance.dialect.quirks.visibility_lag, shape.visible_after if shape else 0.0)

        def visible(first: int, count: int) -> list[int | None]:
            return instance.visibility.instants(first, count, milliseconds(self._applied_at), late)

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
        job.row_keys = work.slices.row_keys
        return work

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

    # -- across processes -------------------------------------------------------------------------------

    def pending(self, job: Job) -> Pending | None:
        """What is still to be done for a job, in a form that can be kept."""
        if (task := self._tasks.get(job.id)) is None:
            return None
        pending = Pending(task.started, task.end, task.due, task.plan.fail_rows, task.plan.error)
        if isinstance(work := task.work, Application):
            pending.options, pending.done = work.options, work.done
            pending.written, pending.batch_begins = work.written, work.batch_begins
        return pending

    def announced(self, job: Job) -> Announced | None:
        """Whether the callback of a job went out ahead of its end."""
        return Announced(self._announced[job.id]) if job.id in self._announced else None

    def resume(
        self,
        instance: Instance,
        job: Job,
        pending: Pending | None,
        announced: Announced | None,
        file: BinaryIO | None,
    ) -> None:
        """Take over a job of an earlier process where that one left it, an upload with its file."""
        instance.jobs[job.id] = job
        if job.terminal:
            return
        instance.running.append(job)
        if announced is not None:
            self._announced[job.id] = announced.error
        if pending is None:
            return
        plan = JobPlan(job.course.timeline, job.object_name, pending.fail_rows, pending.error)
        work: Work
        if file is not None and pending.options is not None:
            upload = Upload(file, job.file_size, pending.options)
            work = application = self._application(instance, job, upload, plan)
            application.resume(self.store, pending.done, pending.written, pending.batch_begins)
        else:
            work = extraction(self.store, instance, job)
        self._tasks[job.id] = task = Task(instance, job, work, plan, pending.end, pending.due)
        if pending.started:
            self._begin(task, instance.clock.now())

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
            _, number, job = heappop(due)
            self._step(instance, job, now)
            at = None if job.terminal else self._due(job)
            if at is not None and at <= now:
                heappush(due, (at, number, job))

    def _due(self, job: Job) -> float | None:
        """The instant of a job's next step; while its rows are being applied there is none."""
        task = self._tasks.get(job.id)
        return None if task is not None and task.started else job.course.due()

    def _step(self, instance: Instance, job: Job, now: float) -> None:
        """Take the next step of a job, which is due."""
        course, task = job.course, self._tasks.get(job.id)
        # A status that waited for looks leaves when it is next asked about, not back when it was entered.
        at = now if course.step.looks else course.entered + course.step.seconds
        self._go(instance, job, course.take(at).status, at, now, task)

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
        task.started = True
        if self.background and task.job.file_size > IN_THE_TICK:
            if task.job.status not in (jobs.RUNNING, jobs.CANCELLATION_PENDING):
                task.job.move(jobs.RUNNING, now)
            self._waiting.append(task)
            return
        while not task.work.finished:
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
        if job.callback_url and job.id not in self._announced:
            strike = instance.faults.take(CALLBACK)
            ended = replace(job, events=[*job.events, JobEvent(status, at)], finished=at)
            self._announce(instance, ended, strike, at)
            if (detour := strike.fault.detour(job.status, status)) is not None:
                self._announced[job.id], job.error = job.error, None
                job.course = Course(detour, at)
                return
        job.error = self._announced.pop(job.id, None) or job.error
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
        work.commit(self.store, piece, milliseconds(self._applied_at))
        self.ledger.job(job)
        job.records, job.failed, job.info = work.done, work.failed, work.info
        if work.finished:
            job.error = work.error or job.error
            self._enter(task.instance, job, work.failure_status if work.error else task.end, self._applied_at)

    # -- interference -----------------------------------------------------------------------------------

    def cancel(self, instance: Instance, job: Job, now: float) -> None:
        """Ask a job to end; it is CANCELLED at the next look (protocol.md 3.10)."""
        self.redirect(instance, job, CANCELLING, now)

    def redirect(self, instance: Instance, job: Job, timeline: Timeline, now: float) -> None:
        """Put a job on another course from now on."""
        if (task := self._tasks.get(job.id)) is not None:
            task.started = False
            if task in self._waiting:
                self._waiting.remove(task)
        self.ledger.job(job)
        job.course = Course(timeline, now)
        self._enter(instance, job, job.course.step.status, now)

    def advance_job(self, instance: Instance, job: Job, now: float) -> None:
        """Take one step of the timeline now, whatever it holds for.

        Raises `OcBulkError` when there is none: the job has ended, or holds its status for ever.
        """
        task = self._tasks.get(job.id)
        self._refuse_ended(instance, job)
        if task is not None and task.started:
            return
        if job.course.following is None:
            word = instance.dialect.word(job.status)
            raise OcBulkError(f"job {job.id} stays {word} for ever; finish() or fail() it")
        self._go(instance, job, job.course.take(now).status, now, now, task)

    def finish_job(self, instance: Instance, job: Job, now: float) -> None:
        """Go to the end of the timeline now, to success where it has none.

        A large upload on a server ends when its rows are applied. Raises `OcBulkError` when the job has ended.
        """
        self._refuse_ended(instance, job)
        while not job.terminal and self._due_or_held(job):
            if job.course.following is None:
                end = jobs.CANCELLED if job.status == jobs.CANCELLATION_PENDING else jobs.COMPLETED
                job.course = Course(Timeline((Step(job.status), Step(end))), now)
            self.advance_job(instance, job, now)

    def fail_job(
        self, instance: Instance, job: Job, error: str, now: float, status: str = jobs.ABORTED
    ) -> None:
        """End in ABORTED or ERROR now, whatever the timeline says; rows that are applied already stay.

        Raises `OcBulkError` when the job has ended, or for a status that is no failure.
        """
        self._refuse_ended(instance, job)
        if status not in jobs.FAILED:
            raise OcBulkError(f"a job fails as ABORTED or ERROR, got {status!r}")
        job.error = error
        self.redirect(instance, job, Timeline((Step(job.status), Step(status))), now)
        self._go(instance, job, job.course.take(now).status, now, now, None)

    def _due_or_held(self, job: Job) -> bool:
        task = self._tasks.get(job.id)
        return task is None or not task.started

    def _refuse_ended(self, instance: Instance, job: Job) -> None:
        if job.terminal:
            word = instance.dialect.word(job.status)
            raise OcBulkError(f"job {job.id} is {word} already, which is final")

    def close(self) -> None:
        """The process ends: give back what is held open. Nothing is dropped that a later one could go on with."""
        for task in self._tasks.values():
            task.work.close()

    def forget(self, instance: Instance) -> None:
        """Drop everything that belongs to an instance."""
        self.ledger.empty(instance)
        self.store.forget_failures(instance.jobs)
        for job in list(instance.running):
            self._followers.pop(job.id, None)
            if task := self._tasks.pop(job.id, None):
                self._close(task)
        instance.running.clear()
        instance.jobs.clear()
        self.outbox.forget(instance.id)
        self.store.forget(instance.id)

    # -- callbacks --------------------------------------------------------------------------------------

    def _announce(self, instance: Instance, job: Job, strike: Strike, at: float) -> None:
        """Put the notification of an end into the outbox, as the planned fault has it."""
        payload = self.describe(instance, job)
        if job.callback_payload is not None:
            payload["callback-payload"] = job.callback_payload
        body = json.dumps(payload, ensure_ascii=False).encode()
        headers, due = signed_headers(instance, body), at + instance.dialect.quirks.callback_lag
        url, fault = job.callback_url or "", str(strike)
        sent = strike.fault.callbacks(Callback(instance.id, job.id, url, body, headers, due, fault=fault))
        for callback in sent:
            self.outbox.add(callback)
        if not sent:
            instance.callbacks.add(
                Attempt(
                    due, job.id, url, body, headers, 1, "dropped", failure="a fault was planned", fault=fault
                )
            )


def signed_headers(instance: Instance, body: bytes) -> Mapping[str, str]:
    """The headers of a callback; signed over the raw bytes when the instance has a key (protocol.md 7)."""
    headers = {"Content-Type": "application/json;charset=UTF-8"}
    if key := instance.configuration.get(SIGNATURE_KEY):
        headers[SIGNATURE_HEADER] = sign(key, body)
    return headers
