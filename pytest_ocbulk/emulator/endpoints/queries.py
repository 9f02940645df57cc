"""Asking for records in bulk: query and download jobs, and the query answered at once (protocol.md 3.2, 3.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .. import ocnql
from ..clock import milliseconds
from ..connectors import ObjectDefinition
from ..errors import ApiError, BadRequest, NotFound
from ..file_names import dated
from ..jobs import Job
from ..results import Criteria, extraction, reading
from ..timeline import Course
from ..upload import read_metadata
from .bulk import CALLBACK_HEADER, stub
from .call import Answer, Call
from .results import written

MEDIA_TYPES = {"application/json": "json", "application/jsonl": "jsonl", "txt/csv": "csv", "text/csv": "csv"}
"""The formats of `POST /bulk/download`; `txt/csv` is a misprint that is part of the description (3.6)."""

FILE_FORMATS = ("csv", "json", "jsonl")
_AT_ONCE = ("application/json", "text/csv", "application/jsonl")


class Wish(NamedTuple):
    """What a job is to be like, apart from what it selects."""

    file_format: str = "csv"
    v3: bool = False
    callback_url: str | None = None
    callback_payload: Any = None
    metadata: str | None = None
    file_name: str | None = None
    nulls: bool | None = None


def create_query(call: Call) -> Answer:
    """`POST /bulk/query`: the query in `q`, in the body form of the vendor's examples, or that of an earlier job (3.2).

    A JSON body may carry `headerData`, a form `metaData` with `callback-payload`, `fileName` and `pageSize`.
    """
    values = {**_optional_json(call), **call.request.query}
    metadata = read_metadata(call.request)
    file_name = metadata.get("fileName")
    wish = Wish(
        file_format=_file_format(values),
        callback_url=call.request.header(CALLBACK_HEADER) or None,
        callback_payload=metadata.get("callback-payload"),
        metadata=json.dumps(metadata, ensure_ascii=False, separators=(",", ":")) if metadata else None,
        file_name=dated(str(file_name), call.now) if file_name else None,
    )
    return Answer(stub(call.instance, start(call, _criteria(call, values), wish)))


def create_download(call: Call) -> Answer:
    """`POST /bulk/download` ("bulk v3"): the same with a JSON body (3.6); what it cannot use it accepts."""
    body = call.json_object()
    for name in ("objectName", "format"):
        if not isinstance(body.get(name), str):
            raise BadRequest(f"Expected a text {name!r} in the body, got {body.get(name)!r}")
    if body["format"] not in MEDIA_TYPES:
        raise BadRequest(f"Expected format to be one of {', '.join(MEDIA_TYPES)}, got {body['format']!r}")
    filter_nulls = _flag(body, "filterNulls")
    wish = Wish(
        file_format=MEDIA_TYPES[body["format"]],
        v3=True,
        callback_url=_text(body, "notificationUrl") or call.request.header(CALLBACK_HEADER) or None,
        nulls=None if filter_nulls is None else not filter_nulls,
    )
    if body.get("continueFromJobId"):
        return Answer(stub(call.instance, start(call, _continued(call, body), wish)))
    field = _text(body, "filterDateField")
    bounds = {} if field else body
    select = ocnql.Select(_field_names(body), body["objectName"], _filter(body, field), (), _limit(body))
    criteria = Criteria(select, _from(bounds), _instant(bounds, "to"))
    return Answer(stub(call.instance, start(call, criteria, wish)))


def run_query(call: Call) -> Answer:
    """`GET /bulk/query`, obsolete: the records themselves, a JSON array unless CSV or JSON lines are asked for (3)."""
    criteria = _criteria(call, call.request.query)
    shape = downloadable(call, criteria.select.object)
    source = call.emulator.store.collection(call.instance.id, shape.name, shape)
    if unknown := criteria.unknown_field(source):
        raise BadRequest(f"Unknown field {unknown!r} in {shape.name}")
    found = reading(source, criteria, milliseconds(call.now), call.emulator.lock)
    return written(call, found, _AT_ONCE, array=True)


def start(call: Call, criteria: Criteria, wish: Wish) -> Job:
    """Create the job of a query; raises `BadRequest` for an object that is unknown or cannot be downloaded."""
    instance = call.instance
    shape = downloadable(call, criteria.select.object)
    plan = instance.plans.take(shape.name)
    job = Job(
        id=call.emulator.ids.job(),
        instance_id=instance.id,
        object_name=shape.name,
        direction="DOWNLOAD",
        course=Course(plan.timeline, call.now),
        created=call.now,
        file_format=wish.file_format,
        metadata=wish.metadata,
        query=str(criteria.select),
        criteria=criteria,
        file_name=wish.file_name,
        nulls=wish.nulls,
        callback_url=wish.callback_url,
        callback_payload=wish.callback_payload,
        v3=wish.v3,
    )
    call.emulator.runner.start(instance, job, extraction(call.emulator.store, instance, job), plan)
    call.job = job.id
    return job


def parse(call: Call, text: str) -> ocnql.Select:
    """Read a query; a malformed one answers 400 now, 500 in old releases (3.2)."""
    try:
        return ocnql.parse_select(text)
    except BadRequest as error:
        refusal = ApiError(error.message)
        refusal.status = call.instance.dialect.quirks.malformed_query_status
        raise refusal from None


def between(values: Mapping[str, Any], select: ocnql.Select) -> Criteria:
    """The criteria of a select under the bounds `from` (or `lastRunDate`) and `to` on the date of change (3.2)."""
    return Criteria(select, _from(values), _instant(values, "to"))


def _criteria(call: Call, values: Mapping[str, Any]) -> Criteria:
    if values.get("continueFromJobId"):
        return _continued(call, values)
    text = values.get("q") or values.get("query")
    if not text:
        raise BadRequest("Expected a query in parameter 'q', got none")
    return between(values, parse(call, str(text)))


def _continued(call: Call, values: Mapping[str, Any]) -> Criteria:
    """The query of an earlier job behind its limit: the next so many records (3.2, Marketo's limiters)."""
    number = str(values["continueFromJobId"])
    earlier = call.instance.jobs.get(number)
    if earlier is None or earlier.criteria is None:
        raise NotFound(f"No query job found with ID {number}")
    criteria = earlier.criteria
    taken = earlier.records if criteria.select.limit is None else criteria.select.limit
    return criteria._replace(skip=criteria.skip + taken)


def downloadable(call: Call, name: str) -> ObjectDefinition:
    """The definition of an object that queries may be about; raises `BadRequest` for any other."""
    shape = call.instance.shape(name)
    if shape is None:
        raise BadRequest(f"Object {name!r} does not exist")  # the query is parsed at creation (9.4)
    if not shape.download:
        raise BadRequest(f"Bulk download is not enabled for object {name!r}")  # 3.2, elementbuilder
    return shape


def _optional_json(call: Call) -> dict[str, Any]:
    is_json = "json" in call.request.header("content-type")
    return call.json_object() if is_json and call.request.size else {}


def _file_format(values: Mapping[str, Any]) -> str:
    """`fileFormat`, which one known client sends; any other value is none."""
    wanted = str(values.get("fileFormat", "")).lower()
    return wanted if wanted in FILE_FORMATS else "csv"


def _field_names(body: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (_text(body, "selectFields") or "").split(",") if name.strip())
    return () if "*" in names else names


def _filter(body: Mapping[str, Any], field: str | None) -> ocnql.Expr | None:
    """`where`, and the bounds on `filterDateField` if one is named (3.6)."""
    text = _text(body, "where")
    terms = [ocnql.parse_where(text)] if text else []
    for name, operator in (("from", ">="), ("to", "<=")):
        if field and body.get(name):
            _instant(body, name)  # refused if it is no date
            terms.append(ocnql.Comparison(field, operator, str(body[name])))
    return ocnql.And(tuple(terms)) if len(terms) > 1 else next(iter(terms), None)


def _limit(body: Mapping[str, Any]) -> int | None:
    limit = body.get("limit")
    if limit is None or limit == "":
        return None
    if isinstance(limit, bool) or not str(limit).isdecimal():
        raise BadRequest(f"Expected limit to be a number of records, got {limit!r}")
    return min(int(limit), 2**62)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"Expected {name} to be a text, got {json.dumps(value)[:40]}")
    return value or None


def _flag(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is None:
        return None
    if str(value).lower() not in ("true", "false"):
        raise BadRequest(f"Expected {name} to be true or false, got {json.dumps(value)[:40]}")
    return str(value).lower() == "true"


def _from(values: Mapping[str, Any]) -> int | None:
    return _instant(values, "from") or _instant(values, "lastRunDate")


def _instant(values: Mapping[str, Any], name: str) -> int | None:
    text = values.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
        return milliseconds((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise BadRequest(f"Expected {name} to be an ISO 8601 date, got {text!r}") from None
