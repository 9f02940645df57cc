"""Jobs: create by upload, status, errors, cancel, list (protocol.md 3.1 to 3.5, 3.9, 3.10)."""

from __future__ import annotations

from typing import Any

from .. import jobs, ocnql, predicate
from ..errors import BadRequest
from ..instances import Instance
from ..jobs import Job
from ..paging import page_of, token
from ..runner import milliseconds
from ..timeline import Course
from ..upload import parse
from .call import Answer, Call

CALLBACK_HEADER = "elements-async-callback-url"


def create_upload(call: Call) -> Answer:
    """`POST /bulk/{object}`: accept a file; an unknown object is accepted too and fails row by row (3.3)."""
    instance, name = call.instance, call.names["object"]
    shape = instance.shape(name)
    if shape is None and instance.dialect.quirks.unknown_object == "refuse":
        raise BadRequest(f"Object {name!r} does not exist")
    if shape is not None and not shape.upload:
        raise BadRequest(f"Bulk upload is not enabled for object {name!r}")  # 3.3, elementbuilder
    upload = parse(call.request)
    plan = instance.plans.take(name)
    job = Job(
        id=call.emulator.ids.job(),
        instance_id=instance.id,
        object_name=name,
        direction="UPLOAD",
        course=Course(plan.timeline, call.now),
        created=call.now,
        file_format=upload.options.file_format,
        file_size=upload.size,
        metadata=upload.options.text,
        callback_url=call.request.header(CALLBACK_HEADER) or None,
        callback_payload=upload.options.callback_payload,
    )
    call.emulator.runner.upload(instance, job, upload, plan)
    call.job = job.id
    return Answer(stub(instance, job))


def stub(instance: Instance, job: Job) -> dict[str, Any]:
    """The answer to every creation of a job (3.1).

    It has no `message` key: a known client takes that for an error.
    """
    return {"id": _id(instance, job), "instanceId": instance.id, "status": instance.dialect.word(job.status)}


def job_status(call: Call) -> Answer:
    """`GET /bulk/{id}/status`: a look at a job."""
    job = call.find_job()
    job.course.look()
    return Answer(status_body(call.instance, job))


def status_body(instance: Instance, job: Job) -> dict[str, Any]:
    """The fields that real programs read, and no other: a known client breaks on unknown ones (3.4).

    Times are epoch milliseconds; `bulk_finish_time` is there once the job has ended, `error` only if it failed.
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
    return body


def job_errors(call: Call) -> Answer:
    """`GET /bulk/{id}/errors`: failed rows, `rowNum` counting data rows from 1; valid on any job (3.9)."""
    job = call.find_job()
    page = page_of(call.request.query)
    after = page.after or 0
    found = call.emulator.store.failures(job.id, after, page.size + 1, page.offset)
    shown = found[: page.size]
    headers = {"elements-returned-count": str(len(shown))}
    if len(found) > page.size or (call.instance.dialect.quirks.token_on_last_page and shown):
        headers["elements-next-page-token"] = token("a", shown[-1][0])
    return Answer([error_item(row, text) for row, text in shown], headers)


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
    where = ocnql.parse_where(query["where"]) if query.get("where", "").strip() else None
    page = page_of(query)
    found = [
        item
        for job in reversed(call.instance.jobs.values())
        if where is None or predicate.evaluate(where, _searchable(call.instance, job))
        for item in [_listed(call.instance, job)]
    ]
    shown = found[page.offset : page.offset + page.size]
    headers = {"elements-returned-count": str(len(shown))}
    if len(found) > page.offset + page.size:
        headers["elements-next-page-token"] = token("o", page.offset + page.size)
    if fields := [name.strip() for name in query.get("fields", "").split(",") if name.strip()]:
        shown = [{name: item[name] for name in fields if name in item} for item in shown]
    return Answer(shown, headers)


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
