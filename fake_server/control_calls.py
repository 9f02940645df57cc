"""The calls of the control API, one function each, and the table that names them.

A function is given a `ControlCall` and returns the JSON of its answer. `{name}` in a template stands for one segment
of the path. The functions hold the emulator's lock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.errors import OcBulkError, nearest
from pytest_ocbulk.emulator.faults import FaultPlan, operations
from pytest_ocbulk.emulator.jobs import ABORTED
from pytest_ocbulk.emulator.journal import Exchange
from pytest_ocbulk.emulator.plans import Visibility
from pytest_ocbulk.evidence import Evidence
from pytest_ocbulk.seeding import seed
from pytest_ocbulk.sleeping import DrivenClock
from pytest_ocbulk.verdicts import warnings

from . import control_shapes as shapes
from . import snapshots
from .control import ROOT, NotThere
from .control_call import ControlCall
from .har import archive

Json = Any


# -- the whole server ------------------------------------------------------------------------------------


def show_index(call: ControlCall) -> Json:  # noqa: ARG001  # all calls are called alike
    """The calls of the control API."""
    return {
        "calls": [{"method": each.method, "path": ROOT + each.template, "does": each.does} for each in CALLS]
    }


def show_health(call: ControlCall) -> Json:
    """Whether the server is up, its version and what it can do."""
    return shapes.health(call.emulator)


def show_state(call: ControlCall) -> Json:
    """All there is to know: of every instance, or of one with ?token=."""
    return {"instances": [shapes.instance_state(call.emulator, each) for each in call.instances]}


def reset(call: ControlCall) -> Json:
    """Forget jobs, records, plans, faults and journal of every instance, or of one with ?token=; clocks stay."""
    for instance in call.instances:
        call.emulator.empty_instance(instance)
        instance.journal.clear()
        instance.callbacks.clear()
        instance.plans.clear()
        instance.faults.clear()
        instance.visibility = Visibility()
    return {"reset": [each.token for each in call.instances]}


def show_openapi(call: ControlCall) -> Json:  # noqa: ARG001  # all calls are called alike
    """The description of the imitated API, in OpenAPI 3.1."""
    document = files("pytest_ocbulk") / "openapi.json"
    if not document.is_file():
        raise NotThere("this installation has no openapi.json; install pytest-ocbulk again")
    return json.loads(document.read_bytes())


def list_snapshots(call: ControlCall) -> Json:
    """The states of the data file that were saved, oldest first; `ocbulk-server snapshot load` brings one back."""
    return {"snapshots": [name for name, _ in snapshots.saved(call.emulator.store.path)]}


def save_snapshot(call: ControlCall) -> Json:
    """Keep the present state of the data file under a name."""
    place = snapshots.save_open(call.emulator.store, call.text(call.body("name"), "name"))
    return {"saved": place.name.removesuffix(snapshots.END), "bytes": place.stat().st_size}


# -- jobs ------------------------------------------------------------------------------------------------


def list_jobs(call: ControlCall) -> Json:
    """The jobs, oldest first."""
    call.emulator.runner.tick(call.instance, call.instance.clock.now())
    return {"jobs": [shapes.job_state(call.instance, each) for each in call.instance.jobs.values()]}


def show_job(call: ControlCall) -> Json:
    """One job; looking at it here is no look of its timeline."""
    return shapes.job_state(call.instance, call.job)


def advance_job(call: ControlCall) -> Json:
    """Take one step of the timeline now."""
    call.body()
    call.emulator.advance_job(call.instance, call.job)
    return shapes.job_state(call.instance, call.job)


def finish_job(call: ControlCall) -> Json:
    """Go to the end of the timeline now, to success where it has none; a job that has succeeded stays as it is."""
    call.body()
    call.emulator.finish_job(call.instance, call.job)
    return shapes.job_state(call.instance, call.job)


def fail_job(call: ControlCall) -> Json:
    """End in ABORTED (or ERROR, with status) now; the error is what the status then shows."""
    body = call.body("error", "status")
    status = call.text(body, "status") if "status" in body else ABORTED
    call.emulator.fail_job(call.instance, call.job, call.text(body, "error"), status)
    return shapes.job_state(call.instance, call.job)


# -- plans -----------------------------------------------------------------------------------------------


def list_timelines(call: ControlCall) -> Json:
    """What is planned for coming jobs, first planned first used."""
    instance = call.instance
    return {"timelines": [shapes.plan_state(instance, each) for each in instance.plans.pending]}


def add_timeline(call: ControlCall) -> Json:
    """Plan the next job: timeline, object, fail_rows, error, times."""
    body = call.body("timeline", "object", "fail_rows", "error", "times")
    name = body.get("object")
    if name is not None:
        Evidence(call.emulator, call.instance).shape(call.text(body, "object"))
    if "timeline" in body:
        call.text(body, "timeline")
    plan = call.instance.plans.next_job(
        body.get("timeline"),
        object=name,
        fail_rows=_numbered(body.get("fail_rows")),
        error=body.get("error"),
        times=body.get("times", 1),
    )
    return shapes.plan_state(call.instance, plan)


def _numbered(rows: Any) -> dict[int, str]:
    """Row numbers are texts in JSON."""
    if rows is None:
        return {}
    if not isinstance(rows, dict) or not all(row.isascii() and row.isdigit() for row in rows):
        raise OcBulkError(
            f'expected fail_rows like {{"3": "bad e-mail"}}: data rows from 1, got {json.dumps(rows)[:60]}'
        )
    return {int(row): text for row, text in rows.items()}


def clear_timelines(call: ControlCall) -> Json:
    """Forget what is planned for coming jobs."""
    for instance in call.instances:
        instance.plans.clear()
    return {"timelines": []}


def list_faults(call: ControlCall) -> Json:
    """The planned faults and what has become of each."""
    return {"faults": [shapes.fault_state(each) for each in call.instance.faults]}


def add_fault(call: ControlCall) -> Json:
    """Plan a fault, in one line of text: "upload:reset:after"."""
    body = call.body("fault")
    return shapes.fault_state(call.instance.faults.add(call.text(body, "fault")))


def clear_faults(call: ControlCall) -> Json:
    """Forget the planned faults, all or those of ?operation=."""
    for instance in call.instances:
        plan: FaultPlan = instance.faults
        plan.clear(call.request.query.get("operation"))
    return {"faults": [shapes.fault_state(each) for instance in call.instances for each in instance.faults]}


def show_visibility(call: ControlCall) -> Json:
    """When records of coming jobs show up."""
    return shapes.visibility_state(call.instance)


def set_visibility(call: ControlCall) -> Json:
    """Let records of coming jobs show up late (lag), all but a part (partial, 0 to 1)."""
    body = call.body("lag", "partial")
    lag, partial = body.get("lag", 0.0), body.get("partial")
    for name, value, kinds in (("lag", lag, int | float | str), ("partial", partial, int | float | None)):
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise OcBulkError(f"expected {name} to be a number, got {json.dumps(value)[:40]}")
    call.instance.visibility.set(lag, partial)
    return shapes.visibility_state(call.instance)


def add_records(call: ControlCall) -> Json:
    """Put records into an object: a JSON array of records, visible at once."""
    rows = call.json() if call.request.size else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OcBulkError(f"expected a JSON array of records, got {json.dumps(rows)[:40]}")
    evidence = Evidence(call.emulator, call.instance)
    return {"object": call.names["object"], "added": seed(evidence, call.names["object"], rows)}


# -- time ------------------------------------------------------------------------------------------------


def show_clock(call: ControlCall) -> Json:
    """What time it is, for each instance."""
    return {"clocks": [shapes.clock_state(each) for each in call.instances]}


def advance_clock(call: ControlCall) -> Json:
    """Move the clock, by "5s" or seconds; what is due on the way happens in its order."""
    by = call.body("by").get("by")
    if not isinstance(by, int | float | str) or isinstance(by, bool):
        raise OcBulkError(f"expected 'by' in the body, like \"5s\", got {json.dumps(by)[:40]}")
    if not call.instances:
        raise OcBulkError("there is no instance whose clock could be moved")
    if not all(isinstance(each.clock, ManualClock) for each in call.instances):
        raise OcBulkError(
            "this server keeps the machine's time, which cannot be moved: plan jobs with short holds, or end one with"
            " POST /__ocbulk__/jobs/{id}/finish"
        )
    for clock in {id(each.clock): each.clock for each in call.instances}.values():
        DrivenClock(clock, call.emulator, call.deliver, wait_for_work=False).advance(by)
    return show_clock(call)


# -- looking back ----------------------------------------------------------------------------------------


def show_journal(call: ControlCall) -> Json:
    """The last calls and answers, secrets masked; ?operation=, ?job=, ?format=har."""
    form = call.request.query.get("format", "json")
    if form not in ("json", "har"):
        raise OcBulkError(f"format is json or har, got {form!r}{nearest(form, ('json', 'har'))}")
    operation = call.request.query.get("operation")
    if operation is not None and operation not in operations():
        raise OcBulkError(f"unknown operation {operation!r}{nearest(operation, operations())}")
    found = [each for each in call.instance.journal if _wanted(each, call.request.query)]
    if form == "har":
        return archive(found, shapes.program_version())
    return shapes.JournalState(
        exchanges=[shapes.exchange_state(each) for each in found], forgotten=call.instance.journal.forgotten
    )


def _wanted(exchange: Exchange, query: Mapping[str, str]) -> bool:
    return query.get("operation", exchange.operation) == exchange.operation and query.get(
        "job", exchange.job
    ) == (exchange.job)


def clear_journal(call: ControlCall) -> Json:
    """Forget the calls and answers so far."""
    for instance in call.instances:
        instance.journal.clear()
    return {"exchanges": [], "forgotten": 0}


def show_warnings(call: ControlCall) -> Json:
    """What clients certainly did wrong, for each instance."""
    return {
        "warnings": [
            {"token": instance.token, "text": text}
            for instance in call.instances
            for text in warnings(Evidence(call.emulator, instance))
        ]
    }


class ControlRoute(NamedTuple):
    """One call: method, path template below `/__ocbulk__` and the function that answers it."""

    method: str
    template: str
    answer: Callable[[ControlCall], Json]

    @property
    def parts(self) -> tuple[str, ...]:
        """The segments of the template."""
        return tuple(filter(None, self.template.split("/")))

    @property
    def does(self) -> str:
        """What the call does, in one sentence."""
        return (self.answer.__doc__ or "").strip().splitlines()[0]


CALLS: tuple[ControlRoute, ...] = (
    ControlRoute("GET", "/", show_index),
    ControlRoute("GET", "/health", show_health),
    ControlRoute("GET", "/state", show_state),
    ControlRoute("POST", "/reset", reset),
    ControlRoute("GET", "/openapi.json", show_openapi),
    ControlRoute("GET", "/snapshots", list_snapshots),
    ControlRoute("POST", "/snapshots", save_snapshot),
    ControlRoute("GET", "/jobs", list_jobs),
    ControlRoute("GET", "/jobs/{id}", show_job),
    ControlRoute("POST", "/jobs/{id}/advance", advance_job),
    ControlRoute("POST", "/jobs/{id}/finish", finish_job),
    ControlRoute("POST", "/jobs/{id}/fail", fail_job),
    ControlRoute("GET", "/timelines", list_timelines),
    ControlRoute("POST", "/timelines", add_timeline),
    ControlRoute("DELETE", "/timelines", clear_timelines),
    ControlRoute("GET", "/faults", list_faults),
    ControlRoute("POST", "/faults", add_fault),
    ControlRoute("DELETE", "/faults", clear_faults),
    ControlRoute("GET", "/visibility", show_visibility),
    ControlRoute("PUT", "/visibility", set_visibility),
    ControlRoute("POST", "/records/{object}", add_records),
    ControlRoute("GET", "/clock", show_clock),
    ControlRoute("POST", "/clock/advance", advance_clock),
    ControlRoute("GET", "/journal", show_journal),
    ControlRoute("DELETE", "/journal", clear_journal),
    ControlRoute("GET", "/warnings", show_warnings),
)
