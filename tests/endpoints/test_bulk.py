"""Stub, status, errors, cancel and list of jobs (protocol.md 3.1, 3.4, 3.5, 3.9, 3.10)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pytest_ocbulk.emulator.timeline import Timeline

from .service import Service

ROWS = 37
BAD = "C_EmailAddress\n" + "".join(f"bad{number}\n" for number in range(1, ROWS + 1))


@pytest.fixture
def service() -> Service:
    return Service.of()


def test_the_stub_has_three_fields_and_no_message(service: Service) -> None:
    reply = service.upload("contact", "C_EmailAddress\na@b.co\n")
    assert (reply.status, reply.json) == (
        200,
        {"id": "1234", "instanceId": service.instance.id, "status": "CREATED"},
    )


def test_a_finished_upload_has_the_closed_table_of_fields(service: Service) -> None:
    metadata = {"action": "upsert", "identifierFieldName": "C_EmailAddress", "anything": [1]}
    file = "C_EmailAddress,C_FirstName,C_Nope\nann@acme.com,Ann,1\nbad,Bob,2\n"
    job = service.upload("contact", file, metadata)
    service.clock.advance("2s")
    assert service.finished(job) == {
        "id": "1234",
        "instanceId": service.instance.id,
        "status": "COMPLETED",
        "object_name": "contact",
        "job_direction": "UPLOAD",
        "fileFormat": "csv",
        "fileSize": len(file),
        "recordsCount": 2,
        "recordsFailedCount": 1,
        "metadata": '{"action":"upsert","identifierFieldName":"C_EmailAddress","anything":[1]}',
        "bulk_start_time": 1704067200000,
        "bulk_finish_time": 1704067200000,
        "infoMessage": "Ignored columns: C_Nope",
    }


def test_an_unfinished_job_has_neither_finish_time_nor_error(service: Service) -> None:
    service.instance.plans.default = Timeline.parse("CREATED RUNNING 1m ABORTED")
    number = service.upload("contact", "C_EmailAddress\na@b.co\n").json["id"]
    running = service.get(f"/bulk/{number}/status").json
    assert running["status"] == "RUNNING"
    assert not {"bulk_finish_time", "error"} & set(running)
    service.clock.advance("1m")
    aborted = service.get(f"/bulk/{number}/status").json
    assert (aborted["status"], aborted["error"]) == ("ABORTED", "The job was aborted")
    assert aborted["bulk_finish_time"] == aborted["bulk_start_time"] + 60_000


@pytest.mark.parametrize(
    ("method", "what"), [("GET", "status"), ("GET", "errors"), ("PUT", "cancel"), ("GET", "contact")]
)
def test_an_unknown_job_is_404(service: Service, method: str, what: str) -> None:
    reply = service.ask(method, f"/bulk/123456/{what}")
    assert (reply.status, reply.message) == (404, "No job found with ID 123456")


def test_another_instances_job_is_unknown(service: Service) -> None:
    number = service.upload("contact", BAD).json["id"]
    other = service.instantiate("marketing")
    reply = service.get(
        f"/bulk/{number}/status", Authorization=f"Element {other.token}, User {other.user_secret}"
    )
    assert reply.status == 404


class TestErrors:
    """Failed rows (3.9)."""

    @pytest.fixture
    def failed(self, service: Service) -> Service:
        assert service.finished(service.upload("contact", BAD))["recordsFailedCount"] == ROWS
        return service

    def test_an_item_has_row_number_text_and_two_nulls(self, failed: Service) -> None:
        assert failed.get("/bulk/1234/errors").json[0] == {
            "rowNum": 1,
            "status": "bad1: Invalid email address in C_EmailAddress",
            "error": None,
            "response": None,
        }

    def test_37_errors_come_in_30_and_7(self, failed: Service) -> None:
        first = failed.get("/bulk/1234/errors?pageSize=30")
        assert (len(first.json), first.headers["elements-returned-count"]) == (30, "30")
        token = first.headers["elements-next-page-token"]
        second = failed.get(f"/bulk/1234/errors?pageSize=30&nextPage={token}")
        assert (len(second.json), second.headers["elements-returned-count"]) == (7, "7")
        assert "elements-next-page-token" not in second.headers
        assert [each["rowNum"] for each in first.json + second.json] == list(range(1, ROWS + 1))

    def test_fields_choose_what_an_item_shows(self, failed: Service) -> None:
        assert failed.get("/bulk/1234/errors?fields=rowNum&pageSize=1").json == [{"rowNum": 1}]

    def test_no_failures_are_an_empty_list_on_queries_too(self, service: Service) -> None:
        for job in (
            service.upload("contact", "C_EmailAddress\na@b.co\n"),
            service.post(f"/bulk/query?q={quote('select * from contact')}"),
        ):
            reply = service.get(f"/bulk/{service.finished(job)['id']}/errors")
            assert (reply.status, reply.json) == (200, [])


class TestCancel:
    """`PUT /bulk/{id}/cancel` (3.10)."""

    def test_a_waiting_job_is_pending_and_then_cancelled(self, service: Service) -> None:
        service.instance.plans.default = Timeline.parse("CREATED 1h COMPLETE")
        number = service.upload("contact", BAD).json["id"]
        reply = service.ask("PUT", f"/bulk/{number}/cancel")
        assert (reply.status, reply.json["status"]) == (200, "CANCELLATION_PENDING")
        assert service.get(f"/bulk/{number}/status").json["status"] == "CANCELLED"
        service.clock.advance("2h")
        assert service.get(f"/bulk/{number}/status").json["status"] == "CANCELLED"
        assert service.get("/contact").json == []

    def test_an_ended_job_cannot_be_cancelled(self, service: Service) -> None:
        number = service.finished(service.upload("contact", BAD))["id"]
        reply = service.ask("PUT", f"/bulk/{number}/cancel")
        assert (reply.status, reply.message) == (
            400,
            f"Job {number} is COMPLETED and can no longer be cancelled",
        )


class TestList:
    """`GET /bulk/jobs` (3.5)."""

    @pytest.fixture
    def busy(self, service: Service) -> Service:
        service.finished(service.upload("contact", BAD, Elements_Async_Callback_Url="http://localhost/done"))
        service.finished(service.post(f"/bulk/query?q={quote('select * from account limit 1')}"))
        return service

    def test_items_have_the_newer_names_newest_first(self, busy: Service) -> None:
        assert busy.get("/bulk/jobs").json == [
            {
                "id": "1235",
                "status": "COMPLETED",
                "instanceId": busy.instance.id,
                "object_name": "account",
                "job_direction": "DOWNLOAD",
                "job_query": "select * from account limit 1",
                "record_count": 0,
                "error_count": 0,
                "fileFormat": "csv",
                "createdDate": 1704067200000,
                "completion_time": 1704067200000,
                "job_reset_attempt": 0,
            },
            {
                "id": "1234",
                "status": "COMPLETED",
                "instanceId": busy.instance.id,
                "object_name": "contact",
                "job_direction": "UPLOAD",
                "record_count": ROWS,
                "error_count": ROWS,
                "fileFormat": "csv",
                "createdDate": 1704067200000,
                "completion_time": 1704067200000,
                "job_reset_attempt": 0,
                "notification_url": "http://localhost/done",
            },
        ]

    @pytest.mark.parametrize(
        ("where", "ids"),
        [
            ("job_direction='UPLOAD'", ["1234"]),
            ("object_name = 'account'", ["1235"]),
            ("job_status='COMPLETED' and record_count > 1", ["1234"]),
            ("job_status='RUNNING'", []),
            ("", ["1235", "1234"]),
        ],
    )
    def test_it_is_searched_by_the_four_names(self, busy: Service, where: str, ids: list[str]) -> None:
        assert [each["id"] for each in busy.get(f"/bulk/jobs?where={quote(where)}").json] == ids

    def test_it_is_paged_and_its_fields_are_chosen(self, busy: Service) -> None:
        first = busy.get("/bulk/jobs?pageSize=1&fields=id,status")
        assert first.json == [{"id": "1235", "status": "COMPLETED"}]
        token = first.headers["elements-next-page-token"]
        second = busy.get(f"/bulk/jobs?pageSize=1&fields=id&nextPage={token}")
        assert second.json == [{"id": "1234"}]
        assert "elements-next-page-token" not in second.headers

    def test_a_malformed_search_is_400(self, busy: Service) -> None:
        assert busy.get("/bulk/jobs?where=job_status").status == 400


@pytest.mark.parametrize(
    "where", ["foo='UPLOAD'", "job_direction='UPLOAD' and not (job_statu = 'COMPLETE')", "objectName is null"]
)
def test_a_search_for_jobs_by_a_name_they_have_not_is_400(service: Service, where: str) -> None:
    reply = service.get(f"/bulk/jobs?where={quote(where)}")
    name = next(each for each in ("foo", "job_statu", "objectName") if each in where)
    assert (reply.status, reply.json["message"]) == (
        400,
        (
            f"Unknown field '{name}' in where; jobs are searched by object_name, job_status, job_direction,"
            " record_count"
        ),
    )


@pytest.mark.parametrize("generation", ["newer", "older"])
def test_everything_that_a_line_of_the_list_shows_can_be_searched_by(generation: str) -> None:
    service = Service.of(jobs_generation=generation)
    service.upload("contact", "C_EmailAddress\na@b.co\n")
    (line,) = service.get("/bulk/jobs").json
    for name in line:
        assert service.get(f"/bulk/jobs?where={name} is not null").status == 200
