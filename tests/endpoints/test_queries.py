"""Query and download jobs, and the query answered at once (protocol.md 3.2, 3.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from .service import Reply, Service, connector, form

PEOPLE = [{"C_EmailAddress": f"p{number}@acme.com", "C_FirstName": f"P{number}"} for number in range(1, 8)]


@pytest.fixture
def service() -> Service:
    filled = Service.of()
    filled.fill("contact", *PEOPLE)
    return filled


def query(service: Service, text: str, more: str = "", **headers: str) -> Reply:
    return service.post(f"/bulk/query?q={quote(text)}{more}", **headers)


def names(service: Service, reply: Reply) -> list[str]:
    """The first names in the result of a query job."""
    assert service.finished(reply)["status"] == "COMPLETED"
    csv = service.get(f"/bulk/{reply.json['id']}/contact", Accept="text/csv").text.splitlines()
    at = csv[0].split(",").index("C_FirstName")
    return [line.split(",")[at] for line in csv[1:]]


def download(service: Service, **body: Any) -> Reply:
    return service.post("/bulk/download", {"objectName": "contact", "format": "application/json"} | body)


def test_a_query_answers_the_stub_and_then_its_status(service: Service) -> None:
    reply = query(service, "select C_FirstName from contact")
    assert reply.json == {"id": "1234", "instanceId": service.instance.id, "status": "CREATED"}
    assert service.get("/bulk/1234/status").json == {
        "id": "1234",
        "instanceId": service.instance.id,
        "status": "COMPLETED",
        "object_name": "contact",
        "job_direction": "DOWNLOAD",
        "fileFormat": "csv",
        "fileSize": 0,
        "recordsCount": 7,
        "recordsFailedCount": 0,
        "metadata": None,
        "bulk_start_time": 1704067200000,
        "bulk_finish_time": 1704067200000,
    }


def test_where_order_and_limit_are_those_of_the_query(service: Service) -> None:
    reply = query(service, "select * from contact where C_FirstName > 'P3' order by C_FirstName desc limit 2")
    assert names(service, reply) == ["P7", "P6"]


def test_a_meaningless_where_beside_the_query_is_ignored(service: Service) -> None:
    reply = query(service, "select * from contact limit 1", "&where=complete%20nonsense&pageSize=x")
    assert names(service, reply) == ["P1"]


@pytest.mark.parametrize("generation", [400, 500])
def test_a_malformed_query_is_refused_with_the_place(generation: int) -> None:
    service = Service.of(malformed_query_status=generation)
    message = "Error parsing query: expected 'from' at position 10, got 'contacts'"
    for reply in (
        query(service, "select * contacts"),
        service.get("/bulk/query?q=select%20*%20contacts"),
    ):
        assert (reply.status, reply.message) == (generation, message)
    assert service.get("/bulk/jobs").json == []


def test_no_query_at_all_is_400(service: Service) -> None:
    for reply in (service.post("/bulk/query"), service.get("/bulk/query"), query(service, "")):
        assert (reply.status, reply.message) == (400, "Expected a query in parameter 'q', got none")


def test_an_unknown_object_is_400_when_the_job_is_made(service: Service) -> None:
    for reply in (query(service, "select * from nope"), download(service, objectName="nope")):
        assert (reply.status, reply.message) == (400, "Object 'nope' does not exist")


def test_an_object_whose_download_is_disabled_is_400(tmp_path: Path) -> None:
    service = Service.of(connector(tmp_path, "[objects.secrets]\ndownload = false\n"))
    for reply in (query(service, "select * from secrets"), download(service, objectName="secrets")):
        assert (reply.status, reply.message) == (400, "Bulk download is not enabled for object 'secrets'")


@pytest.mark.parametrize(
    "text",
    [
        "select nope from contact",
        "select * from contact where nope = 1",
        "select * from contact order by nope",
    ],
)
def test_an_unknown_field_ends_the_job_in_error(service: Service, text: str) -> None:
    body = service.finished(query(service, text))
    assert (body["status"], body["error"]) == ("ERROR", "Unknown field 'nope' in contact")


def test_a_select_of_more_columns_than_a_table_has_ends_the_job_and_no_other_call() -> None:
    service = Service.of()
    fields = ",".join(f"f{number}" for number in range(2_000))
    body = service.finished(service.post("/bulk/query", {"query": f"select {fields} from activities"}))
    assert body["status"] == "ERROR"
    assert body["error"] == "Expected at most 1900 fields of activities, got 2000"
    assert service.get("/objects").status == 200


def test_the_query_may_stand_in_a_body_as_in_the_vendors_formulas(service: Service) -> None:
    body = {"query": "select * from contact limit 2", "headerData": {"order": "asc"}}
    assert names(service, service.post("/bulk/query", body)) == ["P1", "P2"]


def test_a_text_body_without_meaning_is_accepted(service: Service) -> None:
    reply = query(service, "select * from contact limit 1", Content_Type="text/plain;charset=UTF-8")
    assert reply.status == 200


class TestBounds:
    """`from`, `to` and `lastRunDate` bound the date of change (3.2)."""

    @pytest.fixture
    def later(self, service: Service) -> Service:
        service.clock.advance("1h")
        service.fill("contact", {"C_EmailAddress": "late@acme.com", "C_FirstName": "Late"})
        return service

    @pytest.mark.parametrize(
        ("bounds", "count"),
        [
            ("&from=2024-01-01T00:30:00Z", 1),
            ("&from=2024-01-01T01:00:00Z", 1),
            ("&from=2024-01-01T01:00:01Z", 0),
            ("&from=2024-01-01T02:30:00%2B02:00", 1),
            ("&from=2024-01-01T00:30:00", 1),  # no zone: UTC
            ("&to=2024-01-01T00:30:00.000Z", 7),
            ("&from=2023-12-31&to=2024-01-02", 8),
            ("&lastRunDate=2024-01-01T00:30:00Z", 1),
            ("&from=2023-12-31T00:00:00Z&lastRunDate=2024-01-01T00:30:00Z", 8),
            ("&from=&to=", 8),
        ],
    )
    def test_they_choose_records_by_their_change(self, later: Service, bounds: str, count: int) -> None:
        assert len(names(later, query(later, "select * from contact", bounds))) == count
        assert len(later.get(f"/bulk/query?q=select%20*%20from%20contact{bounds}").json) == count

    @pytest.mark.parametrize("name", ["from", "to", "lastRunDate"])
    def test_what_is_no_date_is_refused(self, later: Service, name: str) -> None:
        reply = query(later, "select * from contact", f"&{name}=yesterday")
        assert (reply.status, reply.message) == (
            400,
            f"Expected {name} to be an ISO 8601 date, got 'yesterday'",
        )

    def test_a_download_bounds_the_field_it_names(self) -> None:
        service = Service.of("sage200")
        service.fill("customers", {"reference": "1", "name": "Early"})
        service.clock.advance("1h")
        service.fill("customers", {"reference": "2", "name": "Late"})
        bounds = {"from": "2024-01-01T00:30:00Z", "filterDateField": "date_time_updated"}
        assert service.finished(download(service, objectName="customers", **bounds))["recordsCount"] == 1
        bounds = {
            "to": "2024-01-01T00:30:00Z",
            "filterDateField": "date_time_updated",
            "where": "name='Late'",
        }
        assert service.finished(download(service, objectName="customers", **bounds))["recordsCount"] == 0


class TestContinuing:
    """`continueFromJobId` goes on behind the limit of a job: the next so many (3.2)."""

    def test_the_next_records_of_the_same_query(self, service: Service) -> None:
        first = query(service, "select * from contact where C_FirstName != 'P2' limit 2")
        second = service.post(f"/bulk/query?continueFromJobId={first.json['id']}")
        third = service.post(f"/bulk/query?q=None&continueFromJobId={second.json['id']}")
        last = service.post(f"/bulk/query?continueFromJobId={third.json['id']}")
        assert [names(service, reply) for reply in (first, second, third, last)] == [
            ["P1", "P3"],
            ["P4", "P5"],
            ["P6", "P7"],
            [],
        ]

    def test_under_an_order_too(self, service: Service) -> None:
        first = query(service, "select * from contact order by C_FirstName desc limit 3")
        second = service.post(f"/bulk/query?continueFromJobId={first.json['id']}")
        assert names(service, second) == ["P4", "P3", "P2"]

    def test_a_job_without_limit_leaves_nothing(self, service: Service) -> None:
        first = query(service, "select * from contact")
        assert len(names(service, first)) == 7
        assert names(service, service.post(f"/bulk/query?continueFromJobId={first.json['id']}")) == []

    def test_a_download_can_be_continued(self, service: Service) -> None:
        first = download(service, limit=5, where="C_FirstName != 'P7'")
        second = download(service, continueFromJobId=first.json["id"])
        assert names_of_json(service, second) == ["P6"]

    def test_what_is_no_query_job_cannot(self, service: Service) -> None:
        upload = service.upload("contact", "C_EmailAddress\na@b.co\n").json["id"]
        for number in (upload, "99"):
            reply = service.post(f"/bulk/query?continueFromJobId={number}")
            assert (reply.status, reply.message) == (404, f"No query job found with ID {number}")


def names_of_json(service: Service, reply: Reply) -> list[str]:
    assert service.finished(reply)["status"] == "COMPLETED"
    lines = service.get(f"/bulk/{reply.json['id']}/contact", Accept="application/json").text
    return [line.split('"C_FirstName": "')[1].split('"')[0] for line in lines.splitlines()]


class TestMetadata:
    """A query may come with a form whose `metaData` is JSON (3.2)."""

    def asked(self, service: Service, metadata: dict[str, Any], **headers: str) -> Reply:
        return service.post(
            "/bulk/query?q=select%20*%20from%20contact",
            form(None, metadata),
            Content_Type="multipart/form-data; boundary=B",
            **headers,
        )

    def test_the_callback_payload_comes_back_in_the_notification(self, service: Service) -> None:
        reply = self.asked(
            service, {"callback-payload": {"run": 7}}, Elements_Async_Callback_Url="http://localhost/done"
        )
        service.finished(reply)
        (callback,) = service.emulator.take_callbacks()
        assert b'"callback-payload": {"run": 7}' in callback.body

    def test_the_file_name_is_that_of_the_result_with_its_date_filled_in(self, service: Service) -> None:
        reply = self.asked(service, {"fileName": "{yyyy-MM-dd HH:mm:ss}_MyFile"})
        service.clock.advance("1d")
        service.finished(reply)
        headers = service.get(f"/bulk/{reply.json['id']}/contact").headers
        assert headers["Content-Disposition"] == 'attachment; filename="2024-01-01 00:00:00_MyFile"'

    def test_without_a_file_name_the_result_has_none(self, service: Service) -> None:
        reply = self.asked(service, {"pageSize": 200}, Elements_Version="Helium")
        assert service.finished(reply)["metadata"] == '{"pageSize":200}'
        assert "Content-Disposition" not in service.get(f"/bulk/{reply.json['id']}/contact").headers

    def test_metadata_that_is_no_object_is_refused(self, service: Service) -> None:
        reply = self.asked(service, ["x"])  # type: ignore[arg-type]  # the mistake under test
        assert (reply.status, reply.message) == (
            400,
            'Expected metaData to be a JSON object, got ["x"]',
        )

    def test_a_date_mask_that_is_not_valid_is_refused(self, service: Service) -> None:
        reply = self.asked(service, {"fileName": "{dd.MM.yyyy}_x"})
        assert reply.status == 400
        assert reply.message.startswith("Expected the date format in fileName to be one of yyyy-MM-dd'T'")
        assert reply.message.endswith(", got 'dd.MM.yyyy'")


class TestDownload:
    """`POST /bulk/download`, "bulk v3" (3.6)."""

    def test_its_status_has_the_fields_of_both_generations(self, service: Service) -> None:
        reply = download(
            service,
            selectFields="C_FirstName, C_LastName",
            where="C_FirstName = 'P1'",
            notificationUrl="http://localhost/done",
            docsHubDetails={"instanceId": 1, "path": "/x"},
            apiLimit=5,
            pageSize=100,
            query={"anything": True},
        )
        assert service.get(f"/bulk/{reply.json['id']}/status").json == {
            "id": "1234",
            "instanceId": service.instance.id,
            "status": "COMPLETED",
            "object_name": "contact",
            "job_direction": "DOWNLOAD",
            "fileFormat": "JSON",
            "fileSize": 0,
            "recordsCount": 1,
            "recordsFailedCount": 0,
            "metadata": None,
            "bulk_start_time": 1704067200000,
            "bulk_finish_time": 1704067200000,
            "recordCount": 1,
            "errorCount": 0,
            "objectName": "contact",
            "jobDirection": "DOWNLOAD",
            "jobStatus": "COMPLETED",
            "createdDate": 1704067200000,
            "notificationUrl": "http://localhost/done",
            "defaultSelectFields": "C_FirstName,C_LastName",
            "jobCriteria": "select C_FirstName, C_LastName from contact where C_FirstName = 'P1'",
            "native": False,
            "completionTime": 1704067200000,
        }
        (callback,) = service.emulator.take_callbacks()
        assert callback.url == "http://localhost/done"

    def test_its_failure_has_a_status_message(self, service: Service) -> None:
        body = service.finished(download(service, selectFields="nope"))
        assert (body["jobStatus"], body["statusMessage"]) == ("ERROR", "Unknown field 'nope' in contact")

    def test_the_older_status_is_a_quirk(self) -> None:
        service = Service.of(status_generation="v1")
        body = service.finished(download(service))
        assert body["fileFormat"] == "json"
        assert "jobStatus" not in body

    def test_a_query_job_has_the_old_fields_only(self, service: Service) -> None:
        assert "jobStatus" not in service.finished(query(service, "select * from contact"))

    @pytest.mark.parametrize(
        ("form", "shown", "accept"),
        [
            ("application/json", "JSON", "application/json"),
            ("application/jsonl", "JSONL", "application/jsonl"),
            ("txt/csv", "CSV", "text/csv"),
            ("text/csv", "CSV", "text/csv"),
        ],
    )
    def test_its_format_is_the_form_of_its_result(
        self, service: Service, form: str, shown: str, accept: str
    ) -> None:
        reply = download(service, format=form)
        assert service.finished(reply)["fileFormat"] == shown
        for headers in ({}, {"Accept": "*/*"}, {"Accept": accept}, {"Accept": "text/html, */*;q=0.1"}):
            result = service.get(f"/bulk/{reply.json['id']}/contact", **headers)
            assert (result.status, result.headers["Content-Type"]) == (200, accept)

    @pytest.mark.parametrize("accept", ["application/json", "application/jsonl"])
    def test_another_accept_than_its_format_is_400(self, service: Service, accept: str) -> None:
        number = service.finished(download(service, format="txt/csv"))["id"]
        reply = service.get(f"/bulk/{number}/contact", Accept=accept)
        assert (reply.status, reply.message) == (
            400,
            f"Accept {accept} does not match the format csv of job {number}",
        )

    def test_that_check_is_a_quirk(self) -> None:
        service = Service.of(accept_must_match=False)
        number = service.finished(download(service, format="txt/csv"))["id"]
        reply = service.get(f"/bulk/{number}/contact", Accept="application/json")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")

    @pytest.mark.parametrize(("filter_nulls", "shown"), [(True, False), ("true", False), (False, True)])
    def test_null_values_are_dropped_unless_the_job_keeps_them(
        self, service: Service, filter_nulls: object, shown: bool
    ) -> None:
        number = service.finished(download(service, filterNulls=filter_nulls, limit=1))["id"]
        assert ('"C_Title": null' in service.get(f"/bulk/{number}/contact").text) is shown

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"format": None}, "Expected a text 'format' in the body, got None"),
            ({"objectName": 7}, "Expected a text 'objectName' in the body, got 7"),
            (
                {"format": "xlsx"},
                "Expected format to be one of application/json, application/jsonl, txt/csv, text/csv, got 'xlsx'",
            ),
            ({"limit": "many"}, "Expected limit to be a number of records, got 'many'"),
            ({"limit": -1}, "Expected limit to be a number of records, got -1"),
            ({"limit": True}, "Expected limit to be a number of records, got True"),
            ({"selectFields": ["a"]}, 'Expected selectFields to be a text, got ["a"]'),
            ({"where": 1}, "Expected where to be a text, got 1"),
            ({"filterNulls": "maybe"}, 'Expected filterNulls to be true or false, got "maybe"'),
            ({"from": "x"}, "Expected from to be an ISO 8601 date, got 'x'"),
            (
                {"from": "x", "filterDateField": "id"},
                "Expected from to be an ISO 8601 date, got 'x'",
            ),
        ],
    )
    def test_a_wrong_body_is_refused(self, service: Service, body: dict[str, Any], message: str) -> None:
        reply = download(service, **body)
        assert (reply.status, reply.message) == (400, message)

    @pytest.mark.parametrize("limit", [2, "2"], ids=["number", "text"])
    def test_limit_and_all_fields(self, service: Service, limit: object) -> None:
        assert names_of_json(service, download(service, selectFields="*", limit=limit)) == ["P1", "P2"]


class TestAtOnce:
    """`GET /bulk/query`, the obsolete synchronous form (3)."""

    def test_it_answers_the_records(self, service: Service) -> None:
        reply = service.get("/bulk/query?q=select%20C_FirstName%20from%20contact%20limit%202")
        assert reply.json == [{"C_FirstName": "P1"}, {"C_FirstName": "P2"}]
        assert service.get("/bulk/jobs").json == []

    def test_it_answers_csv_to_who_asks_for_it(self, service: Service) -> None:
        reply = service.get(
            "/bulk/query?q=select%20C_FirstName%20from%20contact%20order%20by%20id%20desc%20limit%202",
            Accept="text/csv",
        )
        assert reply.text == "C_FirstName\nP7\nP6\n"
        assert service.get("/bulk/query?q=select%20*%20from%20contact", Accept="text/html").status == 406

    @pytest.mark.parametrize("order", ["", " order by n desc"])
    def test_more_records_than_a_block_come_whole(self, order: str) -> None:
        service = Service.of()
        rows = "\n".join(map(str, range(4_500)))
        service.finished(service.upload("activities", f"n\n{rows}\n", {"bulkUploadRecordSize": 1000}))
        found = service.get(f"/bulk/query?q={quote('select n from activities' + order)}").json
        assert len(found) == len({each["n"] for each in found}) == 4_500
        limited = service.get(
            f"/bulk/query?q={quote('select n from activities' + order + ' limit 2001')}"
        ).json
        assert limited == found[:2001]

    def test_an_unknown_field_is_400(self, service: Service) -> None:
        reply = service.get("/bulk/query?q=select%20nope%20from%20contact")
        assert (reply.status, reply.message) == (400, "Unknown field 'nope' in contact")
