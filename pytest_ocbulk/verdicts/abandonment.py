"""Was every job watched to its end? Who starts a job and never learns what became of it has not uploaded anything."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..emulator.jobs import Job
from ..emulator.journal import Exchange
from ..evidence import Evidence
from .judging import Which, calls, chosen, complain, is_final, moment, nothing_to_judge, shown_status


def assert_job_not_abandoned(evidence: Evidence, job: Which = None) -> None:
    """Fail if a job was left alone; see `OcBulk.assert_job_not_abandoned`."""
    __tracebackhide__ = True
    evidence.tick()
    jobs = chosen(evidence, job)
    if not jobs:
        raise nothing_to_judge("assert_job_not_abandoned", "no job was started")
    head = "expected every job to be watched to its end, announced by a callback, or cancelled"
    complain(evidence, head, _abandoned(evidence, jobs))


def _abandoned(evidence: Evidence, jobs: list[Job]) -> Iterator[str]:
    looks = calls(evidence, "status")
    answered = [calls(evidence, operation) for operation in ("cancel", "download")]
    for job in jobs:
        polls, cared = looks[job.id], [each for found in answered for each in found[job.id]]
        if _cared_for(evidence, job, polls, cared):
            continue
        word = evidence.instance.dialect.word(job.status)
        state = f"job {job.id} ({job.object_name}) is {word} since {moment(evidence, job.events[-1].at)}"
        if not polls:
            yield f"{state}, and nobody ever asked for its status"
        else:
            shown = shown_status(polls[-1]) or "without an answer"
            yield f"{state}, but was last looked at at {moment(evidence, polls[-1].at)}, when it was {shown}"


def _cared_for(evidence: Evidence, job: Job, polls: list[Exchange], others: list[Exchange]) -> bool:
    return (
        any(each.outcome == "delivered" for each in evidence.instance.callbacks.of(job.id))
        or any(each.status == 200 and not each.fault for each in others)
        or any(is_final(shown_status(each)) for each in polls)
        or any(is_final(_listed_status(each, job)) for each in evidence.instance.journal)
    )


def _listed_status(exchange: Exchange, job: Job) -> str:
    """The status that a list of jobs showed for this one, under either name; empty if it did not."""
    if exchange.operation != "jobs" or exchange.status != 200 or exchange.fault:
        return ""
    try:
        items: list[dict[str, object]] = json.loads(exchange.answer)
    except ValueError:  # longer than what the journal keeps
        return ""
    for item in items:
        if str(item.get("id", item.get("job_id"))) == job.id:
            return str(item.get("status", item.get("job_status", "")))
    return ""
