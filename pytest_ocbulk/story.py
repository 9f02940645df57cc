"""What happened in a fake, for the report of a test that failed: a line for each job, then the last exchanges."""

from __future__ import annotations

from collections.abc import Iterator

from .emulator.clock import spell
from .emulator.jobs import Job
from .emulator.journal import Exchange
from .evidence import Evidence
from .jobs import spelled
from .showing import answered, counted, one_line, sent

LAST = 5
"""Exchanges shown."""

STANDING = 3
"""Looks at a job, without time passing, from which on the clock is said to stand still."""


def story(evidence: Evidence) -> str:
    """The story of one instance."""
    instance = evidence.instance
    exchanges = list(instance.journal)
    clock = f"clock at +{spell(instance.clock.now() - evidence.began)}"
    calls = counted(instance.journal.total, "call")
    title = f"{instance.connector.key} ({instance.dialect.name})"
    lines = [f"{title}: {counted(len(instance.jobs), 'job')}, {calls}, {clock}"]
    for job in instance.jobs.values():
        lines += [_job(evidence, job), *_standing(evidence, job)]
    lines += [f"planned: {plan}" for plan in instance.plans.describe(instance.dialect.word)]
    lines += [f"planned: {fault.describe()}" for fault in instance.faults.pending]
    lines += [f"{attempt}" for attempt in instance.callbacks]
    if exchanges:
        shown = exchanges[-LAST:]
        lines.append(f"last {len(shown)} of {calls}:")
        for exchange in shown:
            lines.append(f"  {one_line(exchange, evidence.began)}")
            lines += [f"      {name}: {value}" for name, value in _telling(exchange.shown_headers())]
            lines += [f"    > {line}" for line in sent(exchange)]
            lines += [f"    < {line}" for line in answered(exchange)]
    return "\n".join(lines)


def _telling(headers: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The headers that matter to this service."""
    for name, value in headers.items():
        if name in ("authorization", "content-type", "accept") or name.startswith("elements-"):
            yield name, value


def _job(evidence: Evidence, job: Job) -> str:
    """`job 1234  UPLOAD contact  CREATED +0s | RUNNING +2s | COMPLETE +42s  polls +0s +10s  fault status:503 +0s`."""
    instance, began = evidence.instance, evidence.began
    word = instance.dialect.word
    about = [each for each in instance.journal if _job_of(evidence, each) == job.id]
    polls = [f"+{spell(each.at - began)}" for each in about if each.operation == "status"]
    faults = [f"{each.fault} +{spell(each.at - began)}" for each in about if each.fault]
    told = [
        f"job {job.id}  {job.direction} {job.object_name}",
        " | ".join(f"{word(event.status)} +{spell(event.at - began)}" for event in job.events),
        f"planned {spelled(job.course.timeline, instance)!r}",
        f"{counted(job.records, 'row')}, {job.failed} failed",
        f"polls {_bounded(polls)}" if polls else "never polled",
    ]
    told += [f"faults {_bounded(faults)}"] if faults else []
    told += [f"error {job.error!r}"] if job.error else []
    return "  ".join(told)


def _standing(evidence: Evidence, job: Job) -> Iterator[str]:
    """What to do for a job that waits for time while nothing moves the clock: the usual mistake of a first test."""
    now, course = evidence.instance.clock.now(), job.course
    due = course.due()
    if due is not None and due > now == course.entered and course.looks >= STANDING:
        left = spell(due - now)
        yield (
            f"  polled {course.looks} times while the clock stood still, {left} before the next status: run code that"
            f" sleeps in `with ocbulk.clock.drives_sleep():`, or call `ocbulk.clock.advance({left!r})`"
        )


def _job_of(evidence: Evidence, exchange: Exchange) -> str:
    """The job that a call is about; one that a fault prevented has it in its path only."""
    if not exchange.job and exchange.operation in ("status", "errors", "cancel", "results"):
        return evidence.about(exchange).get("id", "")
    return exchange.job


def _bounded(words: list[str], most: int = 12) -> str:
    rest = len(words) - most
    return (
        " ".join(words)
        if rest <= 0
        else " ".join([*words[: most // 2], f"(... {rest} more)", *words[-most // 2 :]])
    )
