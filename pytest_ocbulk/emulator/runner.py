"""What calls and testers do to jobs: begin them, move them by hand, bring them back, forget them.

What time and work do to them is in `lifecycle.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from . import jobs
from .clock import milliseconds
from .connectors import ObjectDefinition
from .errors import OcBulkError
from .instances import Instance
from .jobs import Job
from .lifecycle import Lifecycle
from .plans import JobPlan
from .results import extraction
from .tasks import Task, Work
from .timeline import Course, Step, Timeline
from .upload import Upload

if TYPE_CHECKING:
    from .announcing import Announced
    from .apply import Application
    from .documents import Pending

CANCELLING = Timeline.parse("CANCELLATION_PENDING CANCELLED")
"""The course of a job that was asked to end."""


class Runner(Lifecycle):
    """The jobs of an emulator."""

    # -- beginnings -------------------------------------------------------------------------------------

    def start(self, instance: Instance, job: Job, work: Work, plan: JobPlan) -> None:
        """Take over a job that was just created."""
        instance.jobs[job.id] = job
        instance.running.append(job)
        self._tasks[job.id] = task = Task(instance, job, work, plan)
        self.ledger.job(job)
        if (end := job.course.step.status) in jobs.TERMINAL:  # a timeline of one word
            self._go(instance, job, end, job.created, job.created, task)

    def upload(self, instance: Instance, job: Job, upload: Upload, plan: JobPlan) -> None:
        """Take over the job of an upload."""
        try:
            self.ledger.file(job, upload)
        except BaseException:
            upload.file.close()
            raise
        self.start(instance, job, self._application(instance, job, upload, plan), plan)

    def _application(self, instance: Instance, job: Job, upload: Upload, plan: JobPlan) -> Application:
        from .apply import Application  # what reads, checks and writes files, and only that needs it

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

    # -- moving by hand -----------------------------------------------------------------------------------

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
        self._refuse_ended(instance, job)
        if self._is_at_work(job):
            return
        if job.course.following is None:
            word = instance.dialect.word(job.status)
            raise OcBulkError(f"job {job.id} stays {word} for ever; finish() or fail() it")
        self._go(instance, job, job.course.take(now).status, now, now, self._tasks.get(job.id))

    def finish_job(self, instance: Instance, job: Job, now: float) -> None:
        """Go to the end of the timeline now, to success where it has none.

        A large upload on a server ends when its rows are applied. Raises `OcBulkError` when the job has ended.
        """
        self._refuse_ended(instance, job)
        while not job.terminal and not self._is_at_work(job):
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

    def _refuse_ended(self, instance: Instance, job: Job) -> None:
        if job.terminal:
            word = instance.dialect.word(job.status)
            raise OcBulkError(f"job {job.id} is {word} already, which is final")

    # -- across processes -------------------------------------------------------------------------------

    def pending(self, job: Job) -> Pending | None:
        """What is still to be done for a job, in a form that can be kept."""
        if (task := self._tasks.get(job.id)) is None:
            return None
        from .apply import Application
        from .documents import Pending  # for a data file

        pending = Pending(task.started, task.end, task.due, task.plan.fail_rows, task.plan.error)
        if isinstance(work := task.work, Application):
            pending.options, pending.done = work.options, work.done
            pending.written, pending.batch_begins = work.written, work.batch_begins
        return pending

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
            self.announcements.restore(job, announced)
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

    # -- ends -------------------------------------------------------------------------------------------

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
            self.announcements.forget(job)
            if task := self._tasks.pop(job.id, None):
                self._close(task)
        instance.running.clear()
        instance.jobs.clear()
        self.outbox.forget(instance.id)
        self.store.forget(instance.id)
