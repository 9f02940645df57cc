"""Fetching what a query job found: as a file or page by page (protocol.md 3.7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .. import jobs
from ..collection import Collection
from ..errors import BadRequest, NotAcceptable, NotFound
from ..file_names import disposition
from ..jobs import Job
from ..paging import cut, page_of, token
from ..reading import Reading
from ..result_files import Shown, csv_stream, json_array, json_lines
from ..results import RESULT, result_name
from .call import Answer, Call
from .media import preferred

_TYPES = {"csv": ("text/csv", "txt/csv"), "json": ("application/json",), "jsonl": ("application/jsonl",)}
"""The media types of a format; the first is the one that is answered."""


def download_results(call: Call) -> Answer:
    """`GET /bulk/{id}/{object}`: the file; CSV unless JSON is asked for; the object's name is not checked (3.7)."""
    job, result = _finished(call)
    reading = Reading(result, list(result.columns), lock=call.emulator.lock)
    answer = written(call, reading, _offered(call, job), nulls=job.nulls)
    if job.file_name:
        answer.headers["Content-Disposition"] = disposition(job.file_name)
    return answer


def page_results(call: Call) -> Answer:
    """`GET /bulk/{id}/{object}/data`: the same in pages of a JSON array (3)."""
    job, result = _finished(call)
    page = page_of(call.request.query)
    paths = list(result.columns)
    rows = result.select(paths=paths, after=page.after, offset=page.offset, limit=page.size + 1)
    always = call.instance.dialect.quirks.token_on_last_page
    rows_shown, headers = cut(rows, page.size, lambda row: token("a", row[0]), always=always)
    show = _shown(call, job.nulls)
    return Answer([show(paths, row[1:]) for row in rows_shown], headers)


def written(
    call: Call,
    reading: Reading,
    offered: Sequence[str],
    *,
    nulls: bool | None = None,
    array: bool = False,
) -> Answer:
    """Rows in the form that `Accept` likes best of those offered; raises `NotAcceptable` (406) if it likes none.

    JSON is written by lines unless the quirk or `array` says otherwise; both come as `application/json` (3.7).
    """
    accept = call.request.header("accept")
    media_type = preferred(accept, offered)
    if media_type is None:
        raise NotAcceptable(f"Expected Accept to cover {' or '.join(offered)}, got {accept}")
    if media_type in _TYPES["csv"]:
        return Answer(content_type="text/csv", body=csv_stream(reading))  # without a charset (3.7)
    show = _shown(call, nulls)
    if media_type == "application/jsonl":
        return Answer(content_type=media_type, body=json_lines(reading, show))
    array = array or call.instance.dialect.quirks.json_shape == "array"
    body = (json_array if array else json_lines)(reading, show)
    return Answer(content_type=media_type, body=body)


def _shown(call: Call, nulls: bool | None) -> Shown:
    """How rows are shown: null values as in lists unless the job says otherwise, and natively unless asked not to be.

    `json={"convertToNativeType":"false"}` leaves values as text (3.7).
    """
    native = str(_options(call).get("convertToNativeType", "true")).lower() != "false"
    return Shown(nulls=call.instance.shows_nulls if nulls is None else nulls, native=native)


def _options(call: Call) -> dict[str, Any]:
    text = call.request.query.get("json") or "{}"
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise BadRequest(
            f'Expected json to be an object like {{"convertToNativeType":"false"}}, got {text[:40]}'
        )
    return options


def _finished(call: Call) -> tuple[Job, Collection]:
    job = call.find_job()
    quirks = call.instance.dialect.quirks
    if job.direction != "DOWNLOAD":
        raise NotFound(f"Job {job.id} is an upload and has no results")
    if job.status not in jobs.SUCCESSFUL:
        raise BadRequest(f"Job {job.id} is {call.instance.dialect.word(job.status)} and has no results")
    if job.finished is not None and call.now - job.finished > quirks.retention_days * 86400:
        raise NotFound(f"The results of job {job.id} were deleted after {quirks.retention_days} days")
    if quirks.result_object_checked and call.names["object"] != job.object_name:
        raise NotFound(f"Job {job.id} is about {job.object_name!r}, not {call.names['object']!r}")
    return job, call.emulator.store.collection(call.instance.id, result_name(job.id), RESULT)


def _offered(call: Call, job: Job) -> Sequence[str]:
    """What the results can be had as, the default first; a v3 job has its own format and no other (3.6)."""
    everything = [media_type for types in _TYPES.values() for media_type in types]
    if not job.v3:
        return everything
    own = _TYPES[job.file_format]
    if not call.instance.dialect.quirks.accept_must_match:
        return [*own, *(each for each in everything if each not in own)]
    accept = call.request.header("accept")
    if preferred(accept, own) is None:
        raise BadRequest(f"Accept {accept} does not match the format {job.file_format} of job {job.id}")
    return own
