"""Every switch of section 13 changes what a client sees, and is set for the service, the connector or the instance."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import LIVE, Quirks
from pytest_ocbulk.emulator.emulator import Defaults, Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.timeline import Timeline

from .service import Service, connector

CSV = "C_EmailAddress\nann@acme.com\nbad\n"
QUERY = f"/bulk/query?q={quote('select C_EmailAddress, C_Title from contact')}"
DOWNLOAD = {"objectName": "contact", "format": "application/json"}


def result(service: Service, **headers: str) -> str:
    service.upload("contact", CSV)
    job = service.finished(service.post(QUERY))
    return service.get(f"/bulk/{job['id']}/contact", **headers).text


def cancelled(service: Service) -> str:
    service.instance.plans.default = Timeline.parse("CREATED 1h COMPLETE")
    number = service.upload("contact", CSV).json["id"]
    service.ask("PUT", f"/bulk/{number}/cancel")
    return str(service.get(f"/bulk/{number}/status").json["status"])


def late_callback(service: Service) -> int:
    service.finished(service.upload("contact", CSV, Elements_Async_Callback_Url="http://localhost/"))
    return len(service.emulator.take_callbacks())


def late_records(service: Service) -> int:
    service.finished(service.upload("contact", CSV))
    return len(service.get("/contact").json)


def old_results(service: Service) -> int:
    job = service.finished(service.post(QUERY))
    service.clock.advance("4d")
    return service.get(f"/bulk/{job['id']}/contact").status


def other_accept(service: Service) -> int:
    job = service.finished(service.post("/bulk/download", DOWNLOAD))
    return service.get(f"/bulk/{job['id']}/contact", Accept="text/csv").status


def other_object(service: Service) -> int:
    job = service.finished(service.post(QUERY))
    return service.get(f"/bulk/{job['id']}/contacts").status


def listed(service: Service) -> list[str]:
    service.finished(service.upload("contact", CSV))
    return sorted(service.get("/bulk/jobs").json[0])


def nulls(service: Service) -> bool:
    service.fill("contact", {"C_EmailAddress": "ann@acme.com"})
    return "C_Title" in service.get("/contact/1").json


OLDER = [
    "completion_time", "createdDate", "error_count", "fileFormat", "job_direction", "job_id", "job_reset_attempt",
    "job_status", "object_name", "record_count",
]  # fmt: skip
NEWER = sorted({*OLDER, "id", "instanceId", "status"} - {"job_id", "job_status"})

EFFECTS: dict[str, tuple[object, Callable[[Service], Any], Any, Any]] = {
    "json_shape": (
        "array",
        lambda service: result(service, Accept="application/json"),
        '{"C_EmailAddress": "ann@acme.com"}\n',
        '[{"C_EmailAddress": "ann@acme.com"}]',
    ),
    "id_type": ("number", lambda service: service.upload("contact", CSV).json["id"], "1234", 1234),
    "jobs_generation": ("older", listed, NEWER, OLDER),
    "status_generation": (
        "v1",
        lambda service: "jobStatus" in service.finished(service.post("/bulk/download", DOWNLOAD)),
        True,
        False,
    ),
    "counts_include_failed": (
        False,
        lambda service: service.finished(service.upload("contact", CSV))["recordsCount"],
        2,
        1,
    ),
    "token_on_last_page": (
        True,
        lambda service: (
            service.finished(service.upload("contact", CSV)),
            "elements-next-page-token" in service.get("/bulk/1234/errors").headers,
        )[1],
        False,
        True,
    ),
    "filter_nulls": (False, nulls, False, True),
    "malformed_query_status": (500, lambda service: service.post("/bulk/query?q=select").status, 400, 500),
    "metadata_booleans": (
        "string",
        lambda service: service.get("/objects/contact/metadata").json["fields"][0]["custom"],
        False,
        "false",
    ),
    "cancelled_word": ("CANCELED", cancelled, "CANCELLED", "CANCELED"),
    "unknown_object": ("refuse", lambda service: service.upload("bad", CSV).status, 200, 400),
    "accept_must_match": (False, other_accept, 400, 200),
    "result_object_checked": (True, other_object, 200, 404),
    "hub_checked": (True, lambda service: service.get("/hubs/crm/objects").status, 200, 404),
    "retention_days": (7, old_results, 404, 200),
    "callback_lag": (60.0, late_callback, 1, 0),
    "visibility_lag": (60.0, late_records, 1, 0),
}


def test_every_switch_is_tried_here() -> None:
    assert list(EFFECTS) == [each.name for each in fields(Quirks)]


@pytest.mark.parametrize("name", EFFECTS)
def test_a_switch_changes_what_a_client_sees(name: str) -> None:
    value, look, usual, switched = EFFECTS[name]
    assert look(Service.of()) == usual
    assert look(Service.of(**{name: value})) == switched  # type: ignore[arg-type]  # all are keyword switches


def test_switches_of_the_instance_win_over_the_services_and_those_over_the_connectors(tmp_path: Path) -> None:
    own = connector(tmp_path, '[quirks]\njson_shape = "array"\nid_type = "number"\nretention_days = 7\n')
    emulator = Emulator(defaults=Defaults(LIVE, quirks={"json_shape": "lines", "retention_days": "5"}))
    found = emulator.create_instance(own, quirks={"retention_days": 1}).dialect.quirks
    assert (found.json_shape, found.id_type, found.retention_days) == ("lines", "number", 1)


def test_a_switch_that_does_not_exist_makes_no_instance() -> None:
    emulator = Emulator()
    with pytest.raises(OcBulkError) as refused:
        emulator.create_instance(built_in("marketing"), quirks={"json_shap": "array"})
    assert str(refused.value) == "unknown quirk 'json_shap'; did you mean 'json_shape'?"
    assert len(emulator.instances) == 0


def test_an_older_list_is_searched_by_either_name() -> None:
    service = Service.of(jobs_generation="older")
    service.finished(service.upload("contact", CSV))
    for where in ("job_status='COMPLETED'", "status='COMPLETED'"):
        assert len(json.loads(service.get(f"/bulk/jobs?where={quote(where)}").body)) == 1
