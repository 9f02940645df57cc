"""What the client sends for each method, and what it makes of refusals and broken answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from pytest_ocbulk.client import (
    BadRequest,
    BulkClient,
    ConfigurationError,
    ConnectionFailed,
    Forbidden,
    Job,
    JobStatusReport,
    NotFound,
    RateLimited,
    Refused,
    RowError,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)

from ..ports import closed_port
from .raw_service import answer, raw_service
from .stand_ins import BASE, ORGANIZATION, SECRET, STUB, TOKEN, Time, at, make


def test_every_call_carries_all_credentials_in_one_header(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.get(f"{BASE}/objects", json=["activities", "contact"])
    assert client.objects() == ["activities", "contact"]
    header = service.calls[0].request.headers["Authorization"]
    assert header == f"User {SECRET}, Organization {ORGANIZATION}, Element {TOKEN}"


def test_objects_of_the_newer_release_are_named_too(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.get(f"{BASE}/objects", json=[{"name": "contact", "vendorName": "Contact", "type": "vendor"}])
    assert client.objects() == ["contact"]


def test_a_hub_goes_in_front_of_every_path(service: responses.RequestsMock) -> None:
    service.get(f"{BASE}/hubs/marketing/objects", json=[])
    assert make(base_url=BASE + "/", hub="marketing").objects() == []


def test_names_with_slashes_and_blanks_stay_one_segment(service: responses.RequestsMock) -> None:
    service.get(re.compile(f"{BASE}/.*"), json=[])
    assert list(make().records("my table/x")) == []
    assert service.calls[0].request.url == f"{BASE}/my%20table%2Fx"


def test_metadata_lists_fields_whether_booleans_are_text_or_not(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    fields = [
        {"vendorPath": "contact_id", "type": "number", "vendorRequired": True, "vendorReadOnly": False},
        {"vendorPath": "email", "type": "string", "vendorRequired": "false", "vendorReadOnly": "true"},
    ]
    service.get(f"{BASE}/objects/contact/metadata", json={"fields": fields})
    found = [
        (field.name, field.type, field.required, field.read_only) for field in client.metadata("contact")
    ]
    assert found == [("contact_id", "number", True, False), ("email", "string", False, True)]


def test_metadata_of_another_shape_is_said_so(client: BulkClient, service: responses.RequestsMock) -> None:
    service.get(f"{BASE}/objects/contact/metadata", json=["email"])
    with pytest.raises(
        UnexpectedAnswer, match=r'^GET /objects/contact/metadata: expected \{"fields": \[\.\.\.\]\}'
    ):
        client.metadata("contact")


def test_a_query_goes_into_the_url_and_becomes_a_job(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.post(f"{BASE}/bulk/query", body=STUB)
    job = client.query("select * from contact where C_EmailAddress='a+b@x.com'", "https://me.example/done")
    assert job == Job("42114492", "CREATED", 425904)
    request = service.calls[0].request
    assert request.url is not None
    assert "C_EmailAddress%3D%27a%2Bb%40x.com%27" in request.url
    assert request.headers["Elements-Async-Callback-Url"] == "https://me.example/done"


def test_cancel_is_one_put(client: BulkClient, service: responses.RequestsMock) -> None:
    service.put(f"{BASE}/bulk/7/cancel", json={"id": "7", "status": "CANCELLATION_PENDING"})
    client.cancel("7")
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Refused),
        (500, Refused),
    ],
)
def test_a_refusal_has_the_services_own_words(
    client: BulkClient, service: responses.RequestsMock, status: int, kind: type[Refused]
) -> None:
    body = {"requestId": "5b0437c6e4b07731ae39b533", "message": "No.", "providerMessage": "Nope."}
    service.get(f"{BASE}/objects", status=status, json=body)
    with pytest.raises(Refused) as caught:
        client.objects()
    assert type(caught.value) is kind
    assert str(caught.value) == (
        f"GET /objects was answered {status}: No. (provider: Nope.) [request 5b0437c6e4b07731ae39b533]"
    )
    assert (caught.value.message, caught.value.provider_message) == ("No.", "Nope.")
    assert caught.value.request_id == "5b0437c6e4b07731ae39b533"
    assert len(service.calls) == 1


def test_a_refusal_without_a_body_has_at_least_its_request_id(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.get(f"{BASE}/objects", status=409, body="<html>", headers={"elements-request-id": "abc"})
    with pytest.raises(Refused, match=r"^GET /objects was answered 409: Conflict \[request abc\]$"):
        client.objects()


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (502, Unavailable), (503, Unavailable)])
def test_a_reading_call_is_repeated_three_times_and_no_more(
    client: BulkClient, service: responses.RequestsMock, time: Time, status: int, kind: type[Refused]
) -> None:
    service.get(f"{BASE}/objects", status=status, json={"message": "later"})
    with pytest.raises(kind):
        client.objects()
    assert len(service.calls) == 4
    assert time.slept == [0.5, 0.75, 1.125]


def test_a_reading_call_recovers_from_a_lost_connection(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    service.get(f"{BASE}/objects", body=requests.ConnectionError(ConnectionResetError(104, "reset by peer")))
    service.get(f"{BASE}/objects", json=["contact"])
    assert client.objects() == ["contact"]
    assert time.slept == [0.5]


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3"},
        {"Retry-After": "Wed, 21 Oct 2015 07:28:03 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"},
    ],
    ids=["seconds", "date"],
)
def test_retry_after_is_obeyed_in_both_forms(
    client: BulkClient, service: responses.RequestsMock, time: Time, headers: dict[str, str]
) -> None:
    service.get(f"{BASE}/objects", status=503, json={"message": "later"}, headers=headers)
    service.get(f"{BASE}/objects", json=["contact"])
    client.objects()
    assert time.slept == [3]


def test_who_is_told_to_come_back_much_later_gets_the_refusal_at_once(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    service.get(f"{BASE}/objects", status=429, json={"message": "later"}, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimited) as caught:
        client.objects()
    assert caught.value.retry_after == 3600
    assert time.slept == []


def test_an_unreadable_retry_after_is_no_wait_at_all(
    client: BulkClient, service: responses.RequestsMock, time: Time
) -> None:
    service.get(f"{BASE}/objects", status=429, json={"message": "later"}, headers={"Retry-After": "soon"})
    service.get(f"{BASE}/objects", json=["contact"])
    client.objects()
    assert time.slept == [0.5]


@pytest.mark.parametrize(
    ("body", "got"),
    [("<html>down</html>", "17 bytes starting '<html>down</html>'"), ("", "an empty body")],
)
def test_an_answer_that_is_not_json_is_shown(
    client: BulkClient, service: responses.RequestsMock, body: str, got: str
) -> None:
    service.get(f"{BASE}/objects", body=body, headers={"elements-request-id": "abc"})
    with pytest.raises(UnexpectedAnswer) as caught:
        client.objects()
    assert str(caught.value) == f"GET /objects: expected JSON, got {got} [request abc]"


def test_a_redirect_is_not_followed(client: BulkClient, service: responses.RequestsMock) -> None:
    service.get(f"{BASE}/objects", status=302, headers={"Location": "https://elsewhere.example/objects"})
    with pytest.raises(ConfigurationError) as caught:
        client.objects()
    assert str(caught.value) == (
        "GET /objects was answered 302, a redirect to https://elsewhere.example/objects;"
        " set the base URL to where the service is, redirects are not followed"
    )


def test_a_cut_answer_is_asked_for_again() -> None:
    cut = answer(body='["contact"]', Content_Length="400")
    with raw_service(cut, answer(body='["contact"]')) as service, at(service.base_url) as client:
        assert client.objects() == ["contact"]
        assert len(service.received) == 2


def test_a_refused_connection_is_named(time: Time) -> None:
    with (
        closed_port() as port,
        at(gone := f"http://127.0.0.1:{port}/api", time) as client,
        pytest.raises(ConnectionFailed, match=rf"^GET /objects at {gone}: Connection refused$"),
    ):
        client.objects()
    assert len(time.slept) == 3


def asks_for(page: str | None) -> Callable[[requests.PreparedRequest], tuple[bool, str]]:
    """A matcher for requests of the page with that token, None being the first."""

    def matches(request: requests.PreparedRequest) -> tuple[bool, str]:
        token = parse_qs(urlsplit(str(request.url)).query).get("nextPage", [None])[0]
        return token == page, f"asks for page {token}"

    return matches


def page(
    service: responses.RequestsMock, path: str, items: list[object], this: str | None, following: str | None
) -> None:
    """Answer the page with the token `this` by items and the token of the `following` one."""
    service.get(
        f"{BASE}{path}",
        json=items,
        match=[asks_for(this)],
        headers={"elements-next-page-token": following} if following else {},
    )


def error_items(first: int, last: int) -> list[object]:
    return [{"rowNum": number, "status": "bad", "error": None} for number in range(first, last + 1)]


def test_errors_are_read_page_after_page(client: BulkClient, service: responses.RequestsMock) -> None:
    """37 failures in pages of 30, the case of the vendor's own test (protocol.md 3.9)."""
    page(service, "/bulk/7/errors", error_items(1, 30), None, "p2")
    page(service, "/bulk/7/errors", error_items(31, 37), "p2", None)
    rows = client.errors("7", page_size=30)
    assert len(service.calls) == 0, "nothing is asked for before the first row is"
    assert next(rows) == RowError(1, "bad")
    assert len(service.calls) == 1
    assert [error.row for error in rows] == list(range(2, 38))
    assert "pageSize=30" in str(service.calls[1].request.url)


def test_a_token_with_the_last_page_leads_to_an_empty_one_and_ends(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    page(service, "/contact", [{"id": 1}], None, "p2")
    page(service, "/contact", [], "p2", "p3")
    assert list(client.records("contact")) == [{"id": 1}]


def test_the_same_token_twice_is_an_error_and_not_an_endless_loop(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    page(service, "/contact", [{"id": 1}], None, "p2")
    page(service, "/contact", [{"id": 2}], "p2", "p2")
    with pytest.raises(UnexpectedAnswer, match=r"^GET /contact: the same page token came twice, 'p2'$"):
        list(client.records("contact"))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"rowNum": 1, "status": "74234: Invalid prospect email address", "error": None},
            RowError(1, "74234: Invalid prospect email address"),
        ),
        ({"rowNum": 2, "status": "ERROR", "error": "No such object"}, RowError(2, "No such object")),
        ({"rowNum": 3, "status": "ERROR", "error": None}, RowError(3, "ERROR")),
        ({"rowNum": 4, "error": "No status"}, RowError(4, "No status")),
        ("row 5 is bad", RowError(None, "row 5 is bad")),
    ],
)
def test_an_error_item_says_what_the_vendors_own_grid_prints(item: object, expected: RowError) -> None:
    assert RowError.from_item(item) == expected


def test_where_is_sent_encoded_and_left_out_when_empty(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.get(f"{BASE}/contact", json=[])
    list(client.records("contact", "C_Company='Acme & Söhne'"))
    list(client.records("contact", ""))
    urls = [call.request.url for call in service.calls]
    assert urls == [f"{BASE}/contact?where=C_Company%3D%27Acme+%26+S%C3%B6hne%27", f"{BASE}/contact"]


def test_a_list_of_another_shape_is_said_so(client: BulkClient, service: responses.RequestsMock) -> None:
    service.get(f"{BASE}/contact", json={"id": 1})
    with pytest.raises(UnexpectedAnswer, match=r"""^GET /contact: expected a list, got "{'id': 1}"$"""):
        list(client.records("contact"))


def test_jobs_are_reports(client: BulkClient, service: responses.RequestsMock) -> None:
    page(
        service,
        "/bulk/jobs",
        [{"id": 1722, "status": "COMPLETED", "record_count": 41, "error_count": 0}],
        None,
        None,
    )
    assert list(client.jobs()) == [JobStatusReport("1722", "COMPLETED", 41, 0)]
