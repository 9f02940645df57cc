"""Jobs: stub, status, errors, cancel, list (protocol.md 3.1, 3.4 to 3.6, 3.9, 3.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import jobs, predicate
from ..clock import milliseconds
from ..errors import BadRequest
from ..instances import Instance
from ..jobs import Job
from ..paging import cut, fields_of, page_of, token
from ..predicate_sql import parsed_where
from .call import Answer, Call

CALLBACK_HEADER = "elements-async-callback-url"


def stub(instance: Instance, job: Job) -> dict[str, Any]:
    """The answer to every creation of a job (3.1).

    It has no `message` key: a known client takes that for an error.
    """
    return {"id": _id(instance, job), "instanceId": instance.id, "status": instance.dialect.word(job.status)}


def job_status(call: Call) -> Answer:
    """`GET /bulk/{id}/status`: a look at a job."""
    job = call.find_job()
    call.emulator.runner.look(job)
    return Answer(status_body(call.instance, job))


def status_body(instance: Instance, job: Job) -> dict[str, Any]:
    """The fields that real programs read, and no other: a known client breaks on unknown ones (3.4).

    Times are epoch milliseconds; `bulk_finish_time` is there once the job has ended, `error` only if it failed. A job
    of `POST /bulk/download` has the fields of its generation as well.
    """
    counted = job.records if instance.dialect.quirks.counts_include_failed else job.records - job.failed
    body: dict[str, Any] = {
        "id": _id(instance, job),
        "instanceId": instance.id,
        "status": instance.dialect.word(job.status),
        "object_name": job.object_name,
        "job_direction": job.direction,
        "fileFormat": job.file_format,
        "fileSize": job.file_size,
        "recordsCount": counted,
        "recordsFailedCount": job.failed,
        "metadata": job.metadata,
        "bulk_start_time": milliseconds(job.created),
    }
    if job.finished is not None:
        body["bulk_finish_time"] = milliseconds(job.finished)
    if job.error is not None:
        body["error"] = job.error
    if job.info is not None:
        body["infoMessage"] = job.info
    if job.v3 and instance.dialect.quirks.status_generation == "v3":
        body |= _v3_status(instance, job)
    return body


def _v3_status(instance: Instance, job: Job) -> dict[str, Any]:
    """What "bulk v3" calls the same things; clients of it still read the old names too (3.6)."""
    fields = job.criteria.select.fields if job.criteria else ()
    body: dict[str, Any] = {
        "recordCount": job.records,
        "errorCount": job.failed,
        "objectName": job.object_name,
        "metaData": job.metadata,
        "jobDirection": job.direction,
        "jobStatus": instance.dialect.word(job.status),
        "statusMessage": job.error or job.info,
        "createdDate": milliseconds(job.created),
        "notificationUrl": job.callback_url,
        "defaultSelectFields": ",".join(fields) or None,
        "fileFormat": job.file_format.upper(),
        "jobCriteria": job.query,
        "native": False,
    }
    if job.finished is not None:
        body["completionTime"] = milliseconds(job.finished)
    return {name: value for name, value in body.items() if value is not None}


def job_errors(call: Call) -> Answer:
    """`GET /bulk/{id}/errors`: failed rows, `rowNum` counting data rows from 1; valid on any job (3.9)."""
    job = call.find_job()
    page = page_of(call.request.query)
    found = call.emulator.store.failures(job.id, page.after or 0, page.size + 1, page.offset)
    always = call.instance.dialect.quirks.token_on_last_page
    failures, headers = cut(found, page.size, lambda failure: token("a", failure[0]), always=always)
    items = [error_item(row, text) for row, text in failures]
    return Answer(_only(fields_of(call.request.query), items), headers)


def error_item(row: int, text: str) -> dict[str, Any]:
    """One failed row; the human message stands in `status` (3.9)."""
    return {"rowNum": row, "status": text, "error": None, "response": None}


def cancel_job(call: Call) -> Answer:
    """`PUT /bulk/{id}/cancel`: the job is CANCELLED at the next look (3.10); 400 once it has ended."""
    job = call.find_job()
    if job.terminal:
        word = call.instance.dialect.word(job.status)
        raise BadRequest(f"Job {job.id} is {word} and can no longer be cancelled")
    if job.status != jobs.CANCELLATION_PENDING:
        call.emulator.runner.cancel(call.instance, job, call.now)
    return Answer(status_body(call.instance, job))


def list_jobs(call: Call) -> Answer:
    """`GET /bulk/jobs`: newest first, filtered by the searchable names (3.5)."""
    query = call.request.query
    where = parsed_where(query.get("where"), _known)
    page = page_of(query)
    found = [
        item
        for job in reversed(call.instance.jobs.values())
        if where is None or predicate.evaluate(where, _searchable(call.instance, job))
        for item in [_listed(call.instance, job)]
    ]
    following = page.offset + page.size
    items, headers = cut(
        found[page.offset : following + 1],
        page.size,
        lambda _: token("o", following),
        always=call.instance.dialect.quirks.token_on_last_page,
    )
    return Answer(_only(fields_of(query), items), headers)


def _known(name: str) -> str:
    if name not in SEARCHABLE and name not in _PRINTED:
        raise BadRequest(f"Unknown field {name!r} in where; jobs are searched by {', '.join(SEARCHABLE)}")
    return name


def _only(fields: Sequence[str], items: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The items with the fields asked for; all fields when none are."""
    return [{name: item[name] for name in fields if name in item} for item in items] if fields else items


SEARCHABLE = ("object_name", "job_status", "job_direction", "record_count")
"""The names that the service's own description lists (3.5)."""

_PRINTED = frozenset({
    "id", "job_id", "status", "instanceId", "job_query", "error_count", "fileFormat", "createdDate",
    "completion_time", "job_reset_attempt", "notification_url",
})  # fmt: skip
"""The others of a line of the list, in both generations; who sees them may search by them."""

_OLDER = {"id": "job_id", "status": "job_status"}


def _listed(instance: Instance, job: Job) -> dict[str, Any]:
    item = {
        "id": _id(instance, job),
        "status": instance.dialect.word(job.status),
        "instanceId": instance.id,
        "object_name": job.object_name,
        "job_direction": job.direction,
        "job_query": job.query,
        "record_count": job.records,
        "error_count": job.failed,
        "fileFormat": job.file_format,
        "createdDate": milliseconds(job.created),
        "completion_time": None if job.finished is None else milliseconds(job.finished),
        "job_reset_attempt": 0,
        "notification_url": job.callback_url,
    }
    if instance.dialect.quirks.jobs_generation == "older":
        item = {_OLDER.get(name, name): value for name, value in item.items() if name != "instanceId"}
    return {name: value for name, value in item.items() if value is not None}


def _searchable(instance: Instance, job: Job) -> dict[str, Any]:
    """Both generations of names can be searched, whichever is printed (3.5)."""
    item = _listed(instance, job)
    return (
        item
        | {"id": job.id, "job_id": job.id}
        | dict.fromkeys(("status", "job_status"), instance.dialect.word(job.status))
    )


def _id(instance: Instance, job: Job) -> str | int:
    return int(job.id) if instance.dialect.quirks.id_type == "number" else job.id
