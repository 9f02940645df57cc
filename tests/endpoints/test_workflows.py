"""Workflows: one instance's query feeds another instance's upload (protocol.md 3.8)."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ocbulk.emulator.dialect import DOCUMENTED
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.plans import JobPlan
from pytest_ocbulk.emulator.timeline import Timeline

from .service import PLATFORM, Reply, Service


@pytest.fixture
def service() -> Service:
    """The source: two customers of Sage 200."""
    made = Service.of("sage200")
    made.fill("customers", {"reference": "1", "name": "Ann"}, {"reference": "2", "name": "Bob"})
    return made


@pytest.fixture
def target(service: Service) -> Instance:
    return service.instantiate("marketing", dialect=service.instance.dialect)


def item(target: Instance, **changes: Any) -> dict[str, Any]:
    """A workflow in the form of the vendor's test."""
    configuration = {
        "path": "/hubs/crm/bulk/account",
        "method": "POST",
        "token": target.token,
        "elementKey": "marketing",
        "objectName": "account",
    }
    return {
        "query": "select reference, name from customers",
        "from": "2023-11-19T17:54:00.000Z",
        "objectName": "customers",
        "elementKey": "sage200",
        "statusCheckInterval": 20000,
        "path": "/hubs/finance/bulk",
        "method": "POST",
        "targetConfiguration": configuration | changes.pop("targetConfiguration", {}),
    } | changes


def start(service: Service, *items: dict[str, Any], **headers: str) -> Reply:
    return service.post("/hubs/crm/bulk/workflows", list(items), **headers)


def runs(service: Service, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get(f"/bulkloader{query}").json
    return found


def records(service: Service, instance: Instance, name: str) -> Any:
    return service.get(f"/{name}", Authorization=f"Element {instance.token}, {PLATFORM}").json


def test_the_records_of_the_query_are_records_of_the_target(service: Service, target: Instance) -> None:
    reply = start(service, item(target))
    assert reply.json == {"id": "1234", "instanceId": service.instance.id, "status": "CREATED"}
    assert runs(service, "?pageSize=1") == [
        {
            "bulkLoaderId": 1,
            "parentBulkLoaderId": None,
            "groupName": "1234",
            "status": "COMPLETED",
            "statusMessage": None,
            "createdDate": 1704067200000,
            "sourceElementKey": "sage200",
            "sourceObjectName": "customers",
            "sourceJobId": "1234",
            "sourceStatus": "COMPLETED",
            "sourceStatusMessage": None,
            "sourceRecordCount": 2,
            "targetElementKey": "marketing",
            "targetObjectName": "account",
            "targetJobId": "1235",
            "targetStatus": "COMPLETED",
            "targetStatusMessage": None,
            "targetErrorCount": 0,
        }
    ]
    assert records(service, target, "account") == [
        {"id": 1, "reference": "1", "name": "Ann"},
        {"id": 2, "reference": "2", "name": "Bob"},
    ]


def test_source_and_target_may_be_one_instance(service: Service) -> None:
    start(service, item(service.instance))
    assert runs(service)[0]["status"] == "COMPLETED"
    assert len(service.get("/account").json) == 2


def test_both_jobs_are_ordinary_jobs_of_their_instances(service: Service, target: Instance) -> None:
    start(service, item(target))
    runs(service)
    assert [each["job_direction"] for each in service.get("/bulk/jobs").json] == ["DOWNLOAD"]
    service.headers = {"Authorization": f"Element {target.token}, {PLATFORM}"}
    (job,) = service.get("/bulk/jobs").json
    assert (job["job_direction"], job["record_count"]) == ("UPLOAD", 2)
    assert service.get(f"/bulk/{job['id']}/status").json["recordsCount"] == 2


def test_a_from_in_the_future_moves_nothing_and_completes(service: Service, target: Instance) -> None:
    start(service, item(target, **{"from": "2115-11-19T17:54:00.000Z"}))
    (run,) = runs(service)
    assert (run["status"], run["sourceRecordCount"], run["targetErrorCount"]) == ("COMPLETED", 0, 0)
    assert records(service, target, "account") == []


def test_rows_that_the_target_refuses_are_its_error_count(service: Service, target: Instance) -> None:
    start(service, item(target, targetConfiguration={"objectName": "contact"}))
    (run,) = runs(service)
    assert (run["status"], run["targetErrorCount"]) == ("COMPLETED", 2)
    errors = service.get(
        f"/bulk/{run['targetJobId']}/errors", Authorization=f"Element {target.token}, {PLATFORM}"
    )
    assert [each["status"] for each in errors.json] == ["C_EmailAddress: A value is required"] * 2


@pytest.mark.parametrize(
    "options",
    [
        {"metaData": {"action": "upsert", "identifierFieldName": "reference"}},
        {"metaData": '{"action":"upsert","identifierFieldName":"reference"}'},
        {"parameters": {"action": "upsert", "identifierFieldName": "reference"}},
    ],
)
def test_the_targets_options_are_those_of_an_upload(
    service: Service, target: Instance, options: dict[str, Any]
) -> None:
    for _ in range(2):
        start(service, item(target, targetConfiguration=options))
        runs(service)
    assert len(records(service, target, "account")) == 2


def test_the_object_may_be_named_by_the_path_alone_and_the_query_by_the_object(
    service: Service, target: Instance
) -> None:
    start(service, item(target, query=None, targetConfiguration={"objectName": None}))
    assert runs(service)[0]["targetObjectName"] == "account"
    assert [each["name"] for each in records(service, target, "account")] == ["Ann", "Bob"]


class TestProgress:
    """`GET /bulkloader`."""

    def test_a_run_is_running_until_both_jobs_have_ended(self, service: Service, target: Instance) -> None:
        service.instance.plans.default = Timeline.parse("CREATED 10s COMPLETE")
        target.plans.default = Timeline.parse("CREATED RUNNING 10s COMPLETE")
        start(service, item(target))
        seen = []
        for _ in range(3):
            (run,) = runs(service)
            seen.append((run["status"], run["sourceStatus"], run["targetJobId"], run["targetStatus"]))
            service.clock.advance("10s")
        assert seen == [
            ("RUNNING", "CREATED", None, None),
            ("RUNNING", "COMPLETED", "1235", "RUNNING"),
            ("COMPLETED", "COMPLETED", "1235", "COMPLETED"),
        ]

    def test_asking_is_a_look_at_both_jobs(self, service: Service, target: Instance) -> None:
        service.instance.plans.default = target.plans.default = Timeline.parse("CREATED RUNNING x1 COMPLETE")
        start(service, item(target))
        assert [runs(service)[0]["status"] for _ in range(4)][-1] == "COMPLETED"

    def test_a_source_that_fails_is_an_error_and_nothing_is_uploaded(
        self, service: Service, target: Instance
    ) -> None:
        start(service, item(target, query="select nope from customers"))
        (run,) = runs(service)
        assert (run["status"], run["sourceStatus"], run["targetJobId"]) == ("ERROR", "ERROR", None)
        assert run["sourceStatusMessage"] == "Unknown field 'nope' in customers"
        assert target.jobs == {}

    def test_a_target_that_fails_is_an_error(self, service: Service, target: Instance) -> None:
        target.plans.queued.append(JobPlan(Timeline.parse("CREATED ABORTED"), error="no room"))
        start(service, item(target))
        (run,) = runs(service)
        assert (run["status"], run["targetStatus"], run["targetStatusMessage"]) == (
            "ERROR",
            "ABORTED",
            "no room",
        )

    def test_a_cancelled_source_is_an_error(self, service: Service, target: Instance) -> None:
        service.instance.plans.default = Timeline.parse("CREATED 10s COMPLETE")
        number = start(service, item(target)).json["id"]
        service.ask("PUT", f"/bulk/{number}/cancel")
        assert (runs(service)[0]["status"], runs(service)[0]["sourceStatus"]) == ("ERROR", "CANCELLED")

    @pytest.mark.parametrize("how", ["DELETE /instances/{}", "DELETE /instances/{}/enabled"])
    def test_a_target_that_is_gone_meanwhile_is_an_error(
        self, service: Service, target: Instance, how: str
    ) -> None:
        service.instance.plans.default = Timeline.parse("CREATED 10s COMPLETE")
        start(service, item(target))
        method, _, path = how.format(target.id).partition(" ")
        assert service.ask(method, path).status == 200
        service.clock.advance("10s")
        (run,) = runs(service)
        assert (run["status"], run["statusMessage"]) == (
            "ERROR",
            "The target instance is disabled" if "enabled" in how else "The target instance was deleted",
        )

    def test_runs_are_listed_newest_first_in_pages_and_by_group(
        self, service: Service, target: Instance
    ) -> None:
        first, second = (start(service, item(target)).json["id"] for _ in range(2))
        assert [run["groupName"] for run in runs(service)] == [second, first]
        assert [run["groupName"] for run in runs(service, "?page=2&pageSize=1")] == [first]
        assert [run["groupName"] for run in runs(service, f"?jobId={first}")] == [first]
        assert runs(service, "?jobId=99") == []

    def test_items_of_one_call_are_one_group_below_the_first(
        self, service: Service, target: Instance
    ) -> None:
        start(service, item(target), item(target, targetConfiguration={"objectName": "campaign"}))
        assert [(run["bulkLoaderId"], run["parentBulkLoaderId"]) for run in runs(service)] == [
            (2, 1),
            (1, None),
        ]
        assert len({run["groupName"] for run in runs(service)}) == 1
        assert [run["targetObjectName"] for run in runs(service, "?parentBulkLoaderId=1")] == ["campaign"]
        assert len(records(service, target, "campaign")) == 2

    def test_a_user_without_a_token_sees_own_runs_and_nobody_elses(
        self, service: Service, target: Instance
    ) -> None:
        start(service, item(target))
        service.headers = {"Authorization": PLATFORM}
        assert len(runs(service)) == 1
        other = service.emulator.create_instance(target.connector)
        service.headers = {
            "Authorization": f"User {other.user_secret}, Organization {other.organization_secret}"
        }
        assert runs(service) == []
        service.headers = {}
        assert service.get("/bulkloader").status == 401

    def test_the_last_word_is_that_of_the_dialect(self) -> None:
        service = Service.of("marketing", DOCUMENTED)
        start(service, item(service.instance, query="select * from campaign"))
        (run,) = runs(service)
        assert (run["status"], run["sourceStatus"], run["targetStatus"]) == ("COMPLETE",) * 3

    def test_the_group_is_the_number_that_the_stub_had(self) -> None:
        service = Service.of("marketing", id_type="number")
        number = start(service, item(service.instance, query="select * from campaign")).json["id"]
        assert number == runs(service)[0]["groupName"] == 1234


class TestSchedules:
    """The header `Elements-Schedule-Request`."""

    def test_a_cron_expression_answers_a_schedule_whose_first_run_begins_at_once(
        self, service: Service, target: Instance
    ) -> None:
        reply = start(service, item(target), Elements_Schedule_Request="0 * * * * ?")
        assert list(reply.json) == ["id"]
        (run,) = runs(service, f"?jobId={reply.json['id']}")
        assert (run["groupName"], run["status"]) == (reply.json["id"], "COMPLETED")
        assert run["sourceJobId"] != reply.json["id"]

    def test_what_is_no_cron_expression_is_400(self, service: Service, target: Instance) -> None:
        reply = start(service, item(target), Elements_Schedule_Request="hourly")
        assert (reply.status, reply.message) == (
            400,
            "Expected Elements-Schedule-Request to be a cron expression like '0 * * * * ?', got 'hourly'",
        )


class TestRefusals:
    @pytest.mark.parametrize("body", [{}, [], ["x"], None])
    def test_the_body_is_an_array_of_objects(self, service: Service, body: Any) -> None:
        reply = service.post("/bulk/workflows", body)
        assert reply.status == 400
        assert reply.message.startswith("Expected a JSON array of workflow objects, got ")

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"targetConfiguration": {"token": "nobody's"}},
                "Expected targetConfiguration to have the token of an",
            ),
            (
                {"targetConfiguration": {"objectName": "", "path": ""}},
                "Expected targetConfiguration to have an objectName, got none",
            ),
            ({"targetConfiguration": {"parameters": [1]}}, "Expected parameters to be an object, got [1]"),
            (
                {"targetConfiguration": {"metaData": {"action": "delete"}}},
                "Expected metaData action to be one of create, update, upsert, got 'delete'",
            ),
            ({"query": "", "objectName": ""}, "Expected a query in the workflow, got none"),
            ({"query": "select * customers"}, "Error parsing query: expected 'from' at position 10"),
            ({"query": "select * from nope"}, "Object 'nope' does not exist"),
            ({"from": "x"}, "Expected from to be an ISO 8601 date, got 'x'"),
        ],
    )
    def test_one_wrong_item_starts_none(
        self, service: Service, target: Instance, changes: dict[str, Any], message: str
    ) -> None:
        reply = start(service, item(target), item(target, **changes))
        assert reply.status == 400
        assert reply.message.startswith(message)
        assert service.get("/bulk/jobs").json == []

    def test_a_target_of_another_user_is_refused(self, service: Service, target: Instance) -> None:
        other = service.emulator.create_instance(target.connector)
        assert start(service, item(other)).status == 400

    def test_an_object_that_takes_no_uploads_is_refused(self, service: Service) -> None:
        reply = start(service, item(service.instance, targetConfiguration={"objectName": "transactions"}))
        assert (reply.status, reply.message) == (400, "Bulk upload is not enabled for object 'transactions'")

    def test_a_target_configuration_is_needed(self, service: Service) -> None:
        reply = start(service, {"query": "select * from customers"})
        assert (reply.status, reply.message) == (
            400,
            "Expected targetConfiguration to be an object, got null",
        )


def test_a_file_may_be_posted_to_the_bulk_loader(service: Service) -> None:
    reply = service.upload("workflows/fileUpload/account", "name\nAnn\n")
    assert reply.json == {"id": "1234", "instanceId": service.instance.id, "status": "CREATED"}
    assert service.finished(reply)["object_name"] == "account"
    assert service.get("/account").json == [{"id": 1, "name": "Ann"}]
