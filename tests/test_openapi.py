"""The API description: valid, in step with the routes, true of every answer, and reached in every status."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.routes import ROUTES

from .description import FILE, Undescribed, read, written
from .doors import DOORS, Ask, Received, Sent
from .openapi_samples import World, samples
from .wire_stage import play, staged
from .wire_stories import stories

DESCRIPTION = read()
Reached = set[tuple[str, str, int]]


# -- the file -----------------------------------------------------------------------------------------------


def test_an_independent_validator_accepts_the_file() -> None:
    assert list(OpenAPIV31SpecValidator(json.loads(FILE.read_text())).iter_errors()) == []


def test_the_validator_would_complain() -> None:
    broken = copy.deepcopy(json.loads(FILE.read_text()))
    del broken["paths"]["/bulk/{id}/status"]["get"]["parameters"]
    assert any("id" in error.message for error in OpenAPIV31SpecValidator(broken).iter_errors())


def test_the_file_is_sorted_and_written_in_its_one_format() -> None:
    assert FILE.read_text() == written(json.loads(FILE.read_text())) + "\n"


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    described = {(each.method, each.template): each.said for each in DESCRIPTION.operations}
    assert set(described) == {(route.method, route.template) for route in ROUTES}
    for route in ROUTES:
        said = described[route.method, route.template]
        needs: dict[str, Any] = {"instance": [{"element": []}], "platform": [{"platform": []}], "public": []}
        assert said["x-ocbulk-operation"] == route.operation, route
        assert said["security"] == needs[route.scope], route


def test_every_name_in_a_path_is_a_parameter_and_no_other_is() -> None:
    for operation in DESCRIPTION.operations:
        found = [DESCRIPTION.resolved(each) for each in operation.said.get("parameters", ())]
        names = {each["name"] for each in found if each["in"] == "path"}
        assert names == {part[1:-1] for part in operation.template.split("/") if part.startswith("{")}, (
            operation
        )


def test_operation_ids_are_unique() -> None:
    ids = [each.said["operationId"] for each in DESCRIPTION.operations]
    assert sorted(ids) == sorted(set(ids))


# -- every answer is described ------------------------------------------------------------------------------


def judged(emulator: Emulator, ask: Ask, reached: Reached) -> Ask:
    """The same way of asking; each answer is held against the description."""

    def ask_and_judge(sent: Sent) -> Received:
        operation = DESCRIPTION.meant(emulator, sent)
        received = ask(sent)
        if operation is not None and (sent.method == operation.method):
            if received.status != 401 or 401 in operation.statuses:
                DESCRIPTION.judge(operation, received.status, received.headers, received.body)
                reached.add((operation.method, operation.template, received.status))
        elif sent.method not in ("HEAD", "OPTIONS"):
            assert received.status in (401, 404, 405), sent
            DESCRIPTION.judge_refusal(f"{sent.method} {sent.target}", received.body)
        return received

    return ask_and_judge


@pytest.mark.parametrize(("door", "dialect"), [*((door, "documented") for door in DOORS), ("core", "live")])
def test_every_golden_answer_of_every_door_is_as_described(door: str, dialect: str) -> None:
    reached: Reached = set()
    with staged(door, dialect) as stage:
        watched = replace(stage, ask=judged(stage.emulator, stage.ask, reached))
        for story in stories(dialect):
            play(watched, story)
    assert len(reached) > 60


def test_every_operation_and_every_declared_status_is_reached() -> None:
    reached: Reached = set()
    with staged("socket", "documented") as stage:
        watched = judged(stage.emulator, stage.ask, reached)
        for story in stories("documented"):
            play(replace(stage, ask=watched), story)
        with_body = {
            (each.method, each.template) for each in DESCRIPTION.operations if "requestBody" in each.said
        }
        for sent in samples(World(stage.emulator, watched), with_body):
            watched(sent)
    declared = {
        (each.method, each.template, status) for each in DESCRIPTION.operations for status in each.statuses
    }
    assert sorted(declared - reached) == []


# -- and a wrong answer is not ------------------------------------------------------------------------------

STATUS = {
    "id": "1234",
    "instanceId": 1,
    "status": "COMPLETE",
    "object_name": "contact",
    "job_direction": "UPLOAD",
    "fileFormat": "csv",
    "fileSize": 10,
    "recordsCount": 1,
    "recordsFailedCount": 0,
    "metadata": None,
    "bulk_start_time": 0,
}
HEADERS = {
    "content-type": "application/json;charset=UTF-8",
    "elements-request-id": "0" * 24,
    "elements-element-instance-id": "1",
}


def test_the_right_status_body_is_described() -> None:
    operation = DESCRIPTION.operation("GET", "/bulk/{id}/status")
    DESCRIPTION.judge(operation, 200, HEADERS, json.dumps(STATUS).encode())


@pytest.mark.parametrize(
    ("status", "headers", "body", "complaint"),
    [
        (202, {}, {}, "GET /bulk/{id}/status -> 202: the status is not declared"),
        (200, {}, {"batchId": 1}, r"Additional properties are not allowed \('batchId' was unexpected\)"),
        (200, {}, {"recordsCount": "1"}, r"\$.recordsCount: '1' is not of type 'integer'"),
        (200, {}, {"status": "complete"}, r"\$.status: 'complete' does not match"),
        (200, {}, {"metadata": {}}, r"\$.metadata: {} is not of type 'string', 'null'"),
        (200, {"content-type": "application/json"}, {}, "content type 'application/json' is none of"),
        (200, {"elements-request-id": "1"}, {}, "header elements-request-id: .*'1' does not match"),
        (200, {"elements-error": "x"}, {}, "undeclared headers"),
    ],
)
def test_a_wrong_answer_is_found(
    status: int, headers: dict[str, str], body: dict[str, Any], complaint: str
) -> None:
    operation = DESCRIPTION.operation("GET", "/bulk/{id}/status")
    with pytest.raises(Undescribed, match=complaint):
        DESCRIPTION.judge(operation, status, HEADERS | headers, json.dumps(STATUS | body).encode())


def test_a_missing_header_is_found() -> None:
    operation = DESCRIPTION.operation("GET", "/bulk/{id}/status")
    headers = {name: value for name, value in HEADERS.items() if name != "elements-request-id"}
    with pytest.raises(Undescribed, match="header elements-request-id is missing"):
        DESCRIPTION.judge(operation, 200, headers, json.dumps(STATUS).encode())
