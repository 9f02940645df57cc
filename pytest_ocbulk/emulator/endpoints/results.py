"""Getting records out: query and download jobs and what they found (protocol.md 3.2, 3.6, 3.7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .. import jobs, ocnql
from ..errors import ApiError, BadRequest, NotFound
from ..jobs import Job
from ..paging import page_of, token
from ..results import BLOCK_ROWS, RESULT, Extraction, Read, csv_stream, json_array, json_lines, result_name
from ..runner import milliseconds
from ..store import Collection, Selection, record
from ..timeline import Course
from .bulk import CALLBACK_HEADER, stub
from .call import Answer, Call

FORMATS = {"application/json": "json", "application/jsonl": "jsonl", "txt/csv": "csv", "text/csv": "csv"}
"""The formats of `POST /bulk/download`; `txt/csv` is a misprint that is part of the description (3.6)."""


def create_query(call: Call) -> Answer:
    """`POST /bulk/query`: a job that selects records; `q`, or the body form of the vendor's examples (3.2)."""
    query = dict(call.request.query)
    body = _optional_json(call)
    text = query.get("q") or body.get("query")
    if query.get("continueFromJobId"):
        text = text or _find_query(call, query["continueFromJobId"])
    if not text:
        raise BadRequest("Expected a query in parameter 'q', got none")
    try:
        select = ocnql.parse_select(str(text))
    except BadRequest as error:
        refusal = ApiError(error.message)
        refusal.status = call.instance.dialect.quirks.malformed_query_status
        raise refusal from None
    return _create(call, select, str(text), "csv", _selection(query))


def create_download(call: Call) -> Answer:
    """`POST /bulk/download` ("bulk v3"): the same with a JSON body (3.6)."""
    body = call.json_object()
    for name in ("objectName", "format"):
        if not isinstance(body.get(name), str):
            raise BadRequest(f"Expected a text {name!r} in the body, got {body.get(name)!r}")
    if body["format"] not in FORMATS:
        raise BadRequest(f"Expected format to be one of {', '.join(FORMATS)}, got {body['format']!r}")
    fields = tuple(name.strip() for name in str(body.get("selectFields") or "").split(",") if name.strip())
    where = ocnql.parse_where(str(body["where"])) if body.get("where") else None
    limit = body.get("limit")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise BadRequest(f"Expected limit to be a number, got {limit!r}")
    select = ocnql.Select(fields, body["objectName"], where, (), limit)
    return _create(call, select, str(select), FORMATS[body["format"]], _selection(body), v3=True)


def _optional_json(call: Call) -> dict[str, Any]:
    is_json = "json" in call.request.header("content-type")
    return call.json_object() if is_json and call.request.size else {}


def _find_query(call: Call, job_id: str) -> str:
    earlier = call.instance.jobs.get(job_id)
    if earlier is None or not earlier.query:
        raise NotFound(f"No query job found with ID {job_id}")
    return earlier.query


def _selection(values: dict[str, Any]) -> Selection:
    return Selection(
        changed_from=_instant(values, "from") or _instant(values, "lastRunDate"),
        changed_to=_instant(values, "to"),
    )


def _instant(values: dict[str, Any], name: str) -> int | None:
    text = values.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
        return milliseconds((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise BadRequest(f"Expected {name} to be an ISO 8601 date, got {text!r}") from None


def _create(
    call: Call, select: ocnql.Select, text: str, file_format: str, selection: Selection, *, v3: bool = False
) -> Answer:
    instance, store = call.instance, call.emulator.store
    shape = instance.shape(select.object)
    if shape is None:
        raise BadRequest(f"Object {select.object!r} does not exist")  # the query is parsed at creation (9.4)
    if not shape.download:
        raise BadRequest(f"Bulk download is not enabled for object {select.object!r}")
    plan = instance.plans.take(select.object)
    job = Job(
        id=call.emulator.ids.job(),
        instance_id=instance.id,
        object_name=select.object,
        direction="DOWNLOAD",
        course=Course(plan.timeline, call.now),
        created=call.now,
        file_format=file_format,
        query=text,
        callback_url=call.request.header(CALLBACK_HEADER) or None,
        v3=v3,
    )
    source = store.collection(instance.id, shape.name, shape)
    result = store.collection(instance.id, result_name(job.id), RESULT)
    call.emulator.runner.start(instance, job, Extraction(source, result, select, selection), plan)
    call.job = job.id
    return Answer(stub(instance, job))


def download_results(call: Call) -> Answer:
    """`GET /bulk/{id}/{object}`: the file; CSV unless JSON is asked for; the object's name is not checked (3.7)."""
    job, result = _finished(call)
    shape = _format(call, job)
    emulator = call.emulator
    paths = list(result.columns)

    def read(after: int | None) -> list[tuple[Any, ...]]:
        with emulator.lock:
            return result.select(paths=paths, after=after, limit=BLOCK_ROWS)

    return _written(call, shape, paths, read)


def _written(call: Call, shape: str, paths: list[str], read: Read) -> Answer:
    if shape == "csv":
        return Answer(content_type="text/csv", body=csv_stream(paths, read))
    nulls = call.instance.shows_nulls
    if shape == "json" and call.instance.dialect.quirks.json_shape == "array":
        return Answer(content_type="application/json", body=json_array(paths, read, nulls=nulls))
    kind = "application/jsonl" if shape == "jsonl" else "application/json"
    return Answer(content_type=kind, body=json_lines(paths, read, nulls=nulls))


def page_results(call: Call) -> Answer:
    """`GET /bulk/{id}/{object}/data`: the same in pages of a JSON array (3)."""
    _, result = _finished(call)
    page = page_of(call.request.query)
    paths = list(result.columns)
    rows = result.select(paths=paths, after=page.after, offset=page.offset, limit=page.size + 1)
    shown = rows[: page.size]
    headers = {"elements-returned-count": str(len(shown))}
    if len(rows) > page.size:
        headers["elements-next-page-token"] = token("a", shown[-1][0])
    return Answer([record(paths, row[1:], nulls=call.instance.shows_nulls) for row in shown], headers)


def _finished(call: Call) -> tuple[Job, Collection]:
    job = call.find_job()
    if job.direction != "DOWNLOAD":
        raise NotFound(f"Job {job.id} is an upload and has no results")
    if job.status not in jobs.SUCCESSFUL:
        raise BadRequest(f"Job {job.id} is {call.instance.dialect.word(job.status)} and has no results")
    quirks = call.instance.dialect.quirks
    if job.finished is not None and call.now - job.finished > quirks.retention_days * 86400:
        raise NotFound(f"The results of job {job.id} were deleted after {quirks.retention_days} days")
    if quirks.result_object_checked and call.names["object"] != job.object_name:
        raise NotFound(f"Job {job.id} is about {job.object_name!r}, not {call.names['object']!r}")
    return job, call.emulator.store.collection(call.instance.id, result_name(job.id), RESULT)


def _format(call: Call, job: Job) -> str:
    """The form asked for; for a v3 job it must be the form of the job (3.6)."""
    accepted = call.request.header("accept").lower()
    asked = next((shape for kind, shape in _ACCEPTED.items() if kind in accepted), "")
    if not asked and accepted and "*/*" not in accepted:
        refusal = ApiError(
            f"Expected Accept to be text/csv, application/json or application/jsonl, got {accepted}"
        )
        refusal.status = 406
        raise refusal
    if job.v3 and asked and asked != job.file_format and call.instance.dialect.quirks.accept_must_match:
        raise BadRequest(f"Accept {accepted} does not match the format {job.file_format} of job {job.id}")
    return asked or (job.file_format if job.v3 else "csv")


_ACCEPTED = {"application/jsonl": "jsonl", "application/json": "json", "text/csv": "csv"}
