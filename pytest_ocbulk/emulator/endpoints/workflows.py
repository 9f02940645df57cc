"""Workflows and their progress (protocol.md 3.8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import jobs, ocnql
from ..clock import milliseconds
from ..errors import ApiError, BadRequest
from ..instances import Instance
from ..paging import cut, page_of, token
from ..results import Criteria
from ..upload import Options, Upload, parse_options
from ..workflows import COMPLETED, Transfer, result_file
from .bulk import stub
from .call import Answer, Call, PlatformCall
from .queries import Wish, between, downloadable, parse, start
from .uploads import accept, check_uploadable

if TYPE_CHECKING:
    from ..emulator import Emulator

SCHEDULE_HEADER = "elements-schedule-request"


class WorkflowItem(NamedTuple):
    """One item of a workflow, read and checked before anything is started."""

    criteria: Criteria
    target: Instance
    target_object: str
    options: Options


def create_workflow(call: Call) -> Answer:
    """`POST /bulk/workflows`: start each item of the array; the stub is that of the first query.

    With a cron expression in `Elements-Schedule-Request` the answer is the id of a schedule, whose first run begins at
    once; there are no others, since no source shows one.
    """
    items = call.json_body()
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise BadRequest(f"Expected a JSON array of workflow objects, got {json.dumps(items)[:40]}")
    schedule = _schedule(call)
    checked = [_checked(call, each) for each in items]
    group, parent = schedule, None
    answer: dict[str, Any] = {"id": schedule}
    for item in checked:
        run = _start(call, item, group, parent)
        group, parent = run.group, parent or run.id
        if not schedule and run.id == parent:
            answer = stub(call.instance, run.source_job)
    return Answer(answer)


def list_runs(call: PlatformCall) -> Answer:
    """`GET /bulkloader`: the runs of the user's workflows, newest first; `jobId` is the id their creation answered."""
    query, emulator = call.request.query, call.emulator
    mine = emulator.instances.of(call.user)
    runs = [run for run in emulator.transfers if run.source in mine and _is_wanted(run, query)]
    for run in runs:
        _look(emulator, run)
    page = page_of(query)
    following = page.offset + page.size
    shown, headers = cut(
        runs[::-1][page.offset : following + 1], page.size, lambda _: token("o", following), always=False
    )
    return Answer([_item(run) for run in shown], headers)


def _schedule(call: Call) -> str:
    """The id of a new schedule, empty if none is asked for; a Quartz expression has six fields, or seven with years."""
    cron = call.request.header(SCHEDULE_HEADER).strip()
    if not cron:
        return ""
    if len(cron.split()) not in (6, 7):
        raise BadRequest(
            f"Expected Elements-Schedule-Request to be a cron expression like '0 * * * * ?', got {cron!r}"
        )
    return call.emulator.ids.job()


def _checked(call: Call, item: Mapping[str, Any]) -> WorkflowItem:
    target = item.get("targetConfiguration")
    if not isinstance(target, dict):
        raise BadRequest(f"Expected targetConfiguration to be an object, got {json.dumps(target)[:40]}")
    text, name = item.get("query"), item.get("objectName")
    if not text and not name:
        raise BadRequest("Expected a query in the workflow, got none")
    select = parse(call, str(text)) if text else ocnql.Select((), str(name))
    downloadable(call, select.object)
    instance = _target(call, target)
    target_object = str(target.get("objectName") or str(target.get("path", "")).rpartition("/")[2])
    if not target_object:
        raise BadRequest("Expected targetConfiguration to have an objectName, got none")
    check_uploadable(instance, target_object)
    return WorkflowItem(between(item, select), instance, target_object, _options(target))


def _target(call: Call, target: Mapping[str, Any]) -> Instance:
    """The instance of the token, which must be one of the caller's user."""
    found = call.emulator.instances.get(str(target.get("token", "")))
    if found is None or found.user_secret != call.instance.user_secret:
        raise BadRequest(
            "Expected targetConfiguration to have the token of an instance of this user, got another"
        )
    return found


def _options(target: Mapping[str, Any]) -> Options:
    """The options of the upload: `metaData`, an object or its text, and `parameters` as in a URL (5)."""
    metadata, parameters = target.get("metaData"), target.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise BadRequest(f"Expected parameters to be an object, got {json.dumps(parameters)[:40]}")
    text = metadata if isinstance(metadata, str) else json.dumps(metadata) if metadata else ""
    options = parse_options(text.encode(), {name: str(value) for name, value in parameters.items()})
    return options._replace(file_format="json")  # what the result is handed on as


def _start(call: Call, item: WorkflowItem, group: str, parent: int | None) -> Transfer:
    emulator = call.emulator
    job = start(call, item.criteria, Wish())
    run = Transfer(
        emulator.transfers.number(),
        group or job.id,
        parent,
        call.now,
        call.instance,
        job,
        item.target,
        item.target_object,
        options=item.options,
    )
    emulator.transfers.add(run)
    emulator.ledger.transfers()
    emulator.runner.follow(job, lambda: _hand_on(emulator, run))
    return run


def resume(emulator: Emulator) -> None:
    """Wait again for the queries that an earlier process waited for."""
    for run in emulator.transfers:
        if not run.source_job.terminal:
            emulator.runner.follow(run.source_job, partial(_hand_on, emulator, run))


def _hand_on(emulator: Emulator, run: Transfer) -> None:
    """The query has ended: upload what it found, if it has ended well."""
    emulator.ledger.transfers()
    if run.error or run.source_job.status not in jobs.SUCCESSFUL:
        return
    if run.target.disabled:
        run.error = "The target instance is disabled"
        return
    try:
        check_uploadable(run.target, run.target_object)
    except ApiError as error:
        run.error = error.message
        return
    file, size = result_file(emulator.store, run.source_job)
    upload = Upload(file, size, run.options)
    run.target_job = accept(emulator, run.target, run.target_object, upload, run.target.clock.now())


def _is_wanted(run: Transfer, query: Mapping[str, str]) -> bool:
    group, parent = query.get("jobId"), query.get("parentBulkLoaderId")
    return (not group or run.group == group) and (not parent or str(run.parent) == parent)


def _look(emulator: Emulator, run: Transfer) -> None:
    """The platform asks for the status of both jobs, the second as soon as there is one."""
    emulator.runner.tick(run.source, run.source.clock.now())
    emulator.runner.look(run.source_job)
    emulator.runner.tick(run.target, run.target.clock.now())
    if run.target_job is not None:
        emulator.runner.look(run.target_job)


def _item(run: Transfer) -> dict[str, Any]:
    """The fields that the live test and the vendor's bulk loader read."""
    source, target, dialect = run.source_job, run.target_job, run.source.dialect
    status = run.status
    return {
        "bulkLoaderId": run.id,
        "parentBulkLoaderId": run.parent,
        "groupName": stub(run.source, source)["id"] if run.group == source.id else run.group,
        "status": dialect.word(status) if status == COMPLETED else status,
        "statusMessage": run.error or None,
        "createdDate": milliseconds(run.created),
        "sourceElementKey": run.source.connector.key,
        "sourceObjectName": source.object_name,
        "sourceJobId": stub(run.source, source)["id"],
        "sourceStatus": dialect.word(source.status),
        "sourceStatusMessage": source.error,
        "sourceRecordCount": source.records,
        "targetElementKey": run.target.connector.key,
        "targetObjectName": run.target_object,
        "targetJobId": stub(run.target, target)["id"] if target else None,
        "targetStatus": run.target.dialect.word(target.status) if target else None,
        "targetStatusMessage": target.error if target else None,
        "targetErrorCount": target.failed if target else 0,
    }
