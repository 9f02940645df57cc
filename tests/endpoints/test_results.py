"""Results of query jobs (protocol.md 3.7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pytest_ocbulk.emulator.timeline import Timeline

from .service import Reply, Service, connector

QUERY = f"/bulk/query?q={quote('select * from activities')}"


def filled(**quirks: Any) -> Service:
    service = Service.of(**quirks)
    service.fill(
        "activities",
        {"n": 1, "when": {"day": "Mon"}, "ok": True, "price": 1.5, "tags": ["a"]},
        {"n": 2, "text": 'says "hi", twice\nor more'},
    )
    return service


def results(service: Service, more: str = "", **headers: str) -> Reply:
    job = service.finished(service.post(QUERY))
    return service.get(f"/bulk/{job['id']}/activities{more}", **headers)


def test_without_accept_the_result_is_csv_and_its_type_has_no_charset() -> None:
    for headers in ({}, {"Accept": "text/csv"}, {"Accept": "*/*"}):
        reply = results(filled(), **headers)
        assert reply.headers["Content-Type"] == "text/csv"
        assert reply.text == (
            "id,n,when.day,ok,price,tags,text\n"
            '1,1,Mon,true,1.5,"[""a""]",\n'
            '2,2,,,,,"says ""hi"", twice\nor more"\n'
        )


def test_column_order_follows_the_select_list() -> None:
    service = filled()
    job = service.finished(service.post(f"/bulk/query?q={quote('select text, n, when.day from activities')}"))
    assert service.get(f"/bulk/{job['id']}/activities").text.startswith("text,n,when.day\n,1,Mon\n")


def test_a_selected_branch_means_its_leaves_and_a_field_named_twice_comes_once() -> None:
    service = filled()
    job = service.finished(service.post(f"/bulk/query?q={quote('select when, n, n from activities')}"))
    assert service.get(f"/bulk/{job['id']}/activities").text == "when.day,n\nMon,1\n,2\n"


LINES = (
    '{"id": 1, "n": 1, "when": {"day": "Mon"}, "ok": true, "price": 1.5, "tags": ["a"]}\n'
    '{"id": 2, "n": 2, "text": "says \\"hi\\", twice\\nor more"}\n'
)


def test_json_comes_by_lines_each_ended() -> None:
    reply = results(filled(), Accept="application/json")
    assert (reply.headers["Content-Type"], reply.text) == ("application/json", LINES)


def test_json_is_an_array_by_quirk_under_the_same_type() -> None:
    reply = results(filled(json_shape="array"), Accept="application/json")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json[0] == {"id": 1, "n": 1, "when": {"day": "Mon"}, "ok": True, "price": 1.5, "tags": ["a"]}
    assert [each["id"] for each in reply.json] == [1, 2]


def test_json_lines_may_be_asked_for_by_name_whatever_the_quirk() -> None:
    reply = results(filled(json_shape="array"), Accept="application/jsonl")
    assert (reply.headers["Content-Type"], reply.text) == ("application/jsonl", LINES)


def test_no_records_are_an_empty_body_in_json_lines_and_a_header_in_csv() -> None:
    service = Service.of()
    job = service.finished(service.post(f"/bulk/query?q={quote('select C_FirstName from contact')}"))
    assert service.get(f"/bulk/{job['id']}/contact", Accept="application/json").body == b""
    assert service.get(f"/bulk/{job['id']}/contact", Accept="text/csv").text == "C_FirstName\n"


def test_no_records_are_an_empty_array_by_quirk() -> None:
    service = Service.of(json_shape="array")
    job = service.finished(service.post(f"/bulk/query?q={quote('select * from contact')}"))
    assert service.get(f"/bulk/{job['id']}/contact", Accept="application/json").json == []


@pytest.mark.parametrize("off", ["false", '"false"'])
def test_values_stay_text_when_native_types_are_not_wanted(off: str) -> None:
    options = '{ "convertToNativeType": ' + off + " }"
    reply = results(filled(), f"?json={quote(options)}", Accept="application/json")
    assert reply.text.splitlines()[0] == (
        '{"id": "1", "n": "1", "when": {"day": "Mon"}, "ok": "true", "price": "1.5", "tags": "[\\"a\\"]"}'
    )


@pytest.mark.parametrize("wanted", ['{"convertToNativeType": "true"}', "{}", ""])
def test_values_are_native_otherwise(wanted: str) -> None:
    assert results(filled(), f"?json={quote(wanted)}", Accept="application/json").text == LINES


@pytest.mark.parametrize("text", ["[]", "no"])
def test_a_json_parameter_that_is_no_object_is_400(text: str) -> None:
    reply = results(filled(), f"?json={text}", Accept="application/json")
    assert (reply.status, reply.message) == (
        400,
        f'Expected json to be an object like {{"convertToNativeType":"false"}}, got {text}',
    )


def test_no_form_that_fits_is_406() -> None:
    reply = results(filled(), Accept="application/xml")
    assert reply.status == 406
    assert reply.message.endswith(", got application/xml")


def test_the_object_in_the_path_is_not_checked_unless_the_quirk_asks_for_it() -> None:
    for strict, status in ((False, 200), (True, 404)):
        service = filled(result_object_checked=strict)
        job = service.finished(service.post(QUERY))
        assert service.get(f"/bulk/{job['id']}/Activities").status == status
        assert service.get(f"/bulk/{job['id']}/activities").status == 200


def test_results_are_a_snapshot_of_the_jobs_end() -> None:
    service = filled()
    job = service.finished(service.post(QUERY))
    service.ask("PATCH", "/activities/1", {"n": 99})
    service.fill("activities", {"n": 3})
    assert service.get(f"/bulk/{job['id']}/activities", Accept="application/json").text == LINES


class TestPages:
    """`/bulk/{id}/{object}/data`."""

    def test_pages_are_json_arrays_with_a_token_until_the_last(self) -> None:
        first = results(filled(), "/data?pageSize=1")
        assert [each["n"] for each in first.json] == [1]
        assert first.headers["elements-returned-count"] == "1"
        service = filled()
        job = service.finished(service.post(QUERY))
        token = first.headers["elements-next-page-token"]
        second = service.get(f"/bulk/{job['id']}/activities/data?pageSize=1&nextPage={token}")
        assert [each["n"] for each in second.json] == [2]
        assert "elements-next-page-token" not in second.headers

    def test_the_last_page_has_a_token_by_quirk(self) -> None:
        assert "elements-next-page-token" in results(filled(token_on_last_page=True), "/data").headers


class TestNotThere:
    @pytest.mark.parametrize("more", ["", "/data"])
    def test_results_are_gone_after_the_days_of_the_quirk(self, more: str) -> None:
        for days in (3, 7):
            service = filled(retention_days=days)
            job = service.finished(service.post(QUERY))
            service.clock.advance(days * 86400.0)
            assert service.get(f"/bulk/{job['id']}/activities{more}").status == 200
            service.clock.advance("1s")
            reply = service.get(f"/bulk/{job['id']}/activities{more}")
            assert (reply.status, reply.message) == (
                404,
                f"The results of job {job['id']} were deleted after {days} days",
            )
            assert service.get(f"/bulk/{job['id']}/status").status == 200

    def test_an_upload_has_no_results(self) -> None:
        service = filled()
        job = service.finished(service.upload("activities", "n\n1\n"))
        reply = service.get(f"/bulk/{job['id']}/activities")
        assert (reply.status, reply.message) == (404, f"Job {job['id']} is an upload and has no results")

    def test_an_unfinished_or_failed_job_has_no_results(self) -> None:
        service = filled()
        service.instance.plans.default = Timeline.parse("CREATED 1h COMPLETE")
        waiting = service.post(QUERY).json["id"]
        reply = service.get(f"/bulk/{waiting}/activities")
        assert (reply.status, reply.message) == (400, f"Job {waiting} is CREATED and has no results")
        failed = service.post(f"/bulk/query?q={quote('select no from contact')}").json["id"]
        service.clock.advance("1h")
        assert service.get(f"/bulk/{waiting}/activities").status == 200
        reply = service.get(f"/bulk/{failed}/contact")
        assert (reply.status, reply.message) == (400, f"Job {failed} is ERROR and has no results")

    def test_an_unknown_job_is_404(self) -> None:
        reply = filled().get("/bulk/99/activities")
        assert (reply.status, reply.message) == (404, "No job found with ID 99")


def test_nested_lists_have_stars_in_their_columns(tmp_path: Path) -> None:
    service = Service.of(connector(tmp_path, "[objects.people]\n"))
    service.finished(service.upload("people", "name,emails.list[*].address\nAnn,ann@acme.com\n"))
    assert service.get("/people").json == [
        {"id": 1, "name": "Ann", "emails": {"list": [{"address": "ann@acme.com"}]}}
    ]
    job = service.finished(
        service.post(f"/bulk/query?q={quote('select name, emails.list[*].address from people')}")
    )
    assert service.get(f"/bulk/{job['id']}/people").text == "name,emails.list[*].address\nAnn,ann@acme.com\n"
