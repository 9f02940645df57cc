"""Instances, jobs, callbacks and workflows as JSON documents of the data file, and back.

A document holds what outlives the process. What a tester plans - faults, coming jobs, visibility - and what was
observed - journal, tries of callbacks - belongs to the session and is in none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .announcing import Announced
from .callbacks import Callback
from .clock import Clock
from .connectors import Connector
from .dialect import dialect_named
from .instances import Instance
from .jobs import COMPLETED, Job, JobEvent
from .ocnql import And, Comparison, In, IsNull, Like, Not, Or, Order, Select
from .results import Criteria
from .timeline import Course, Step, Timeline
from .upload import Options
from .workflows import Transfer

Document = dict[str, Any]

_NODES = {
    each.__name__: each
    for each in (And, Comparison, Criteria, In, IsNull, Like, Not, Options, Or, Order, Select)
}
_COURSE = frozenset({"course", "events", "row_keys", "criteria"})
_PLAIN = tuple(each.name for each in fields(Job) if each.name not in _COURSE)
_ABOUT_TRANSFER = ("id", "group", "parent", "created", "target_object", "error")
_ABOUT_INSTANCE = ("id", "token", "user_secret", "organization_secret", "name", "created", "disabled")


@dataclass(slots=True)
class Pending:
    """What is still to be done for a job.

    `fail_rows` and `error` are those of its plan; `end` and `due` what the work is to earn and when. Of uploads:
    `options` as they were asked for, the key of the `file`, how many rows are `done`, and are `written` as records, and
    where the batch begins whose rows still wait.
    """

    started: bool = False
    end: str = COMPLETED
    due: float = 0.0
    fail_rows: Mapping[int, str] = field(default_factory=dict)
    error: str | None = None
    options: Options | None = None
    file: str = ""
    done: int = 0
    written: int = 0
    batch_begins: int = 0


def instance_document(instance: Instance) -> Document:
    """What is kept of an instance; its connector by key."""
    return {
        **{name: getattr(instance, name) for name in _ABOUT_INSTANCE},
        "connector": instance.connector.key,
        "dialect": instance.dialect.name,
        "quirks": asdict(instance.dialect.quirks),
        "tags": list(instance.tags),
        "configuration": instance.configuration,
    }


def instance_of(document: Document, connector: Connector, clock: Clock) -> Instance:
    """The instance that a document tells of, with its connector as it is now."""
    return Instance(
        **{name: document[name] for name in _ABOUT_INSTANCE},
        connector=connector,
        dialect=dialect_named(document["dialect"]).with_quirks(document["quirks"]),
        clock=clock,
        tags=tuple(document["tags"]),
        configuration=document["configuration"],
    )


def job_document(job: Job, pending: Pending | None, announced: Announced | None) -> Document:
    """What is kept of a job, and of the work behind it if there is any."""
    course = job.course
    document = {name: getattr(job, name) for name in _PLAIN}
    document["criteria"] = _packed(job.criteria)
    document["events"] = [[event.status, event.at] for event in job.events]
    document["course"] = [_steps(course.timeline), course.entered, course.index, course.looks]
    if pending is not None:
        document["pending"] = {
            each.name: _packed(getattr(pending, each.name)) for each in fields(Pending)
        } | {"fail_rows": list(pending.fail_rows.items())}
    if announced is not None:
        document["announced"] = announced.error
    return document


def job_of(document: Document) -> tuple[Job, Pending | None, Announced | None]:
    """The job that a document tells of, and what is still to be done for it."""
    steps, entered, index, looks = document["course"]
    job = Job(
        **{name: document[name] for name in _PLAIN},
        course=Course(_timeline(steps), entered, index=index, looks=looks),
        criteria=_unpacked(document["criteria"]),
        events=[JobEvent(status, at) for status, at in document["events"]],
    )
    pending = announced = None
    if "pending" in document:
        values = document["pending"]
        pending = Pending(
            **values | {"fail_rows": dict(values["fail_rows"]), "options": _unpacked(values["options"])}
        )
    if "announced" in document:
        announced = Announced(document["announced"])
    return job, pending, announced


def callback_document(callback: Callback) -> Document:
    """What is kept of a callback beside its body."""
    values = callback._asdict() | {"headers": dict(callback.headers)}
    del values["body"]
    return values


def callback_of(document: Document, body: bytes) -> Callback:
    """The callback that a document tells of."""
    return Callback(**document, body=body)


def transfer_document(run: Transfer) -> Document:
    """What is kept of a run of a workflow; instances and jobs by their ids."""
    return {
        **{name: getattr(run, name) for name in _ABOUT_TRANSFER},
        "source": run.source.id,
        "source_job": run.source_job.id,
        "target": run.target.id,
        "target_job": run.target_job.id if run.target_job else None,
        "options": _packed(run.options),
    }


def transfer_of(document: Document, instance: Callable[[int], Instance | None]) -> Transfer | None:
    """The run that a document tells of; None when what it was about is gone."""
    source, target = instance(document["source"]), instance(document["target"])
    if source is None or target is None or document["source_job"] not in source.jobs:
        return None
    job = document["target_job"]
    return Transfer(
        **{name: document[name] for name in _ABOUT_TRANSFER},
        source=source,
        source_job=source.jobs[document["source_job"]],
        target=target,
        target_job=target.jobs.get(job),
        options=_unpacked(document["options"]),
    )


def _steps(timeline: Timeline) -> list[list[Any]]:
    return [[step.status, step.seconds, step.looks] for step in timeline.steps]


def _timeline(steps: list[list[Any]]) -> Timeline:
    return Timeline(tuple(Step(*step) for step in steps))


def _packed(value: Any) -> Any:
    """A tree of frozen values as JSON; texts of queries would not do, their reader has limits."""
    if type(value).__name__ in _NODES:
        inner = {name: _packed(getattr(value, name)) for name in value.__match_args__}
        return {"is": type(value).__name__, **inner}
    return [_packed(each) for each in value] if isinstance(value, tuple) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict) and "is" in value:
        kind = _NODES[value["is"]]
        return kind(**{name: _unpacked(each) for name, each in value.items() if name != "is"})
    return tuple(map(_unpacked, value)) if isinstance(value, list) else value
