"""The JSON of the control API: what the server writes and `ControlClient` reads.

Instants are ISO 8601 in UTC, durations seconds. Secrets other than element tokens are in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from pytest_ocbulk.emulator.clock import ManualClock, iso
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.faults import PlannedFault
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.jobs import Job
from pytest_ocbulk.emulator.journal import Exchange
from pytest_ocbulk.emulator.plans import JobPlan
from pytest_ocbulk.jobs import spelled

CAPABILITIES = (
    "callbacks",
    "faults",
    "har",
    "journal",
    "jobs",
    "records",
    "timelines",
    "visibility",
    "warnings",
)


class Health(TypedDict):
    """Whether the server answers, which version it is, and what it can do; `clock` where time can be moved."""

    status: str
    version: str
    capabilities: list[str]
    instances: int


class StatusChange(TypedDict):
    """A status in the words of the dialect, and the seconds from the job's creation to it."""

    status: str
    after: float


class JobState(TypedDict):
    """One job; `error` is why the whole of it failed, `sha256` is that of the uploaded file."""

    id: str
    object: str
    direction: str
    status: str
    ended: bool
    timeline: str
    history: list[StatusChange]
    created: str
    records: int
    failed: int
    error: str | None
    file_size: int
    sha256: str
    callback_url: str | None


class PlanState(TypedDict):
    """A course that is planned for a coming job."""

    timeline: str
    object: str | None
    fail_rows: dict[str, str]
    error: str | None


class FaultState(TypedDict):
    """A planned fault: as it is written, its operation, how often it has fired, and whether it will again."""

    fault: str
    operation: str
    fired: int
    pending: bool
    state: str


class VisibilityState(TypedDict):
    """How late records of coming jobs show up, and which part of them does not."""

    lag: float
    partial: float | None


class ClockState(TypedDict):
    """The time of an instance; `elapsed` is how far a manual clock was moved, None for the machine's."""

    token: str
    now: str
    manual: bool
    elapsed: float | None


class InstanceState(TypedDict):
    """One instance and what belongs to it."""

    token: str
    connector: str
    name: str
    hub: str
    dialect: str
    clock: ClockState
    objects: dict[str, int]
    jobs: list[JobState]
    timelines: list[PlanState]
    default_timeline: str
    faults: list[FaultState]
    visibility: VisibilityState
    calls: int
    callbacks: list[str]


class ExchangeState(TypedDict):
    """One call and its answer; bodies as far as they are kept, secrets masked, `status` 0 for a reset."""

    at: str
    operation: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    size: int
    status: int
    answer_headers: dict[str, str]
    answer: str
    job: str
    fault: str


class JournalState(TypedDict):
    """The last calls of an instance, oldest first, and how many older ones are no longer kept."""

    exchanges: list[ExchangeState]
    forgotten: int


def program_version() -> str:
    """The version of this package, by its metadata."""
    from importlib.metadata import version  # only when asked: it takes a twentieth of the server's start

    return version("pytest-ocbulk")


def health(emulator: Emulator) -> Health:
    """The server as a whole."""
    movable = any(isinstance(each.clock, ManualClock) for each in emulator.instances)
    return Health(
        status="ok",
        version=program_version(),
        capabilities=sorted([*CAPABILITIES, *(["clock"] if movable else [])]),
        instances=len(emulator.instances),
    )


def instance_state(emulator: Emulator, instance: Instance) -> InstanceState:
    """An instance, as of now by its clock; under the emulator's lock."""
    emulator.runner.tick(instance, instance.clock.now())
    return InstanceState(
        token=instance.token,
        connector=instance.connector.key,
        name=instance.name,
        hub=instance.connector.hub,
        dialect=instance.dialect.name,
        clock=clock_state(instance),
        objects=dict(_counts(emulator, instance)),
        jobs=[job_state(instance, job) for job in instance.jobs.values()],
        timelines=[plan_state(instance, plan) for plan in instance.plans.pending],
        default_timeline=spelled(instance.plans.default, instance),
        faults=[fault_state(each) for each in instance.faults],
        visibility=visibility_state(instance),
        calls=instance.journal.total,
        callbacks=[str(each) for each in instance.callbacks],
    )


def _counts(emulator: Emulator, instance: Instance) -> Iterator[tuple[str, int]]:
    """How many records each object has that has any."""
    for name in [*instance.connector.objects, *instance.tables]:
        shape = instance.shape(name)
        if shape is not None and (count := emulator.store.collection(instance.id, name, shape).count()):
            yield name, count


def job_state(instance: Instance, job: Job) -> JobState:
    """One job."""
    word = instance.dialect.word
    return JobState(
        id=job.id,
        object=job.object_name,
        direction=job.direction,
        status=word(job.status),
        ended=job.terminal,
        timeline=spelled(job.course.timeline, instance),
        history=[
            StatusChange(status=word(each.status), after=round(each.at - job.created, 6))
            for each in job.events
        ],
        created=iso(job.created),
        records=job.records,
        failed=job.failed,
        error=job.error,
        file_size=job.file_size,
        sha256=job.digest,
        callback_url=job.callback_url,
    )


def plan_state(instance: Instance, plan: JobPlan) -> PlanState:
    """One planned course."""
    return PlanState(
        timeline=spelled(plan.timeline, instance),
        object=plan.object_name,
        fail_rows={str(row): text for row, text in plan.fail_rows.items()},
        error=plan.error,
    )


def fault_state(planned: PlannedFault) -> FaultState:
    """One planned fault."""
    return FaultState(
        fault=str(planned),
        operation=planned.operation,
        fired=planned.fired,
        pending=planned.pending,
        state=planned.describe() if planned.pending else f"{planned} has fired",
    )


def visibility_state(instance: Instance) -> VisibilityState:
    """When records of coming jobs show up."""
    return VisibilityState(lag=instance.visibility.lag, partial=instance.visibility.partial)


def clock_state(instance: Instance) -> ClockState:
    """The time of an instance."""
    clock = instance.clock
    manual = isinstance(clock, ManualClock)
    elapsed = round(clock.elapsed, 6) if isinstance(clock, ManualClock) else None
    return ClockState(token=instance.token, now=iso(clock.now()), manual=manual, elapsed=elapsed)


def exchange_state(exchange: Exchange) -> ExchangeState:
    """One call and its answer."""
    return ExchangeState(
        at=iso(exchange.at),
        operation=exchange.operation,
        method=exchange.method,
        path=exchange.path,
        query=dict(exchange.query),
        headers=exchange.shown_headers(),
        body=exchange.body.decode(errors="replace"),
        size=exchange.size,
        status=exchange.status,
        answer_headers=dict(exchange.answer_headers),
        answer=exchange.answer.decode(errors="replace"),
        job=exchange.job,
        fault=exchange.fault,
    )
