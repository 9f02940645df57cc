"""A lost answer leaves an upload in doubt: it is not repeated, it is looked for."""

from __future__ import annotations

import json

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pytest_ocbulk.client import (
    AmbiguousUpload,
    BulkClient,
    ConfigurationError,
    ConnectionFailed,
    JobStatusReport,
    OutcomeUnknown,
    Refused,
    UploadOutcomeUnknown,
)

from ..ports import closed_port
from .raw_service import CLOSE, RESET, answer, raw_service
from .stand_ins import BASE, STUB, Time, at, make


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (RESET, "Connection reset by peer"),
        (CLOSE, "Remote end closed connection without response"),
        (answer(body=STUB, Content_Length="400"), "IncompleteRead"),
        (answer(body='{"id": "42'), "expected JSON, got 10 bytes"),
        (answer(body=""), "expected JSON, got an empty body"),
        (answer(body="[]"), "POST /bulk/contact: expected a job stub with an id, got []"),
        (answer("504 Gateway Timeout", "<html>"), "was answered 504: Gateway Timeout"),
    ],
    ids=["reset", "closed", "cut", "half a stub", "empty", "no stub", "gateway"],
)
def test_an_upload_whose_answer_got_lost_is_not_repeated(lost: bytes | str, reason: str) -> None:
    with raw_service(lost) as service, at(service.base_url) as client:
        with pytest.raises(UploadOutcomeUnknown) as caught:
            client.upload("contact", b"a\n1\n", {"action": "upsert"}, file_name="a.csv")
        assert len(service.received) == 1
    assert reason in caught.value.reason
    assert str(caught.value).startswith(caught.value.reason)
    assert str(caught.value).endswith(
        "; the service may have carried it out: look with find_upload(error.attempt) before uploading again"
    )
    attempt = caught.value.attempt
    assert (attempt.object, attempt.file_name, attempt.size, attempt.metadata) == (
        "contact",
        "a.csv",
        4,
        {"action": "upsert"},
    )


def test_an_upload_that_never_left_is_not_in_doubt() -> None:
    with (
        closed_port() as port,
        at(gone := f"http://127.0.0.1:{port}/api") as client,
        pytest.raises(ConnectionFailed) as caught,
    ):
        client.upload("contact", b"a\n1\n")
    assert str(caught.value) == f"POST /bulk/contact at {gone}: Connection refused; nothing was sent"


@pytest.mark.parametrize("status", [400, 401, 413, 429])
def test_a_refusal_is_not_in_doubt_and_not_repeated(
    client: BulkClient, service: responses.RequestsMock, time: Time, status: int
) -> None:
    service.post(f"{BASE}/bulk/contact", status=status, json={"message": "No."})
    with pytest.raises(Refused, match=f"^POST /bulk/contact was answered {status}: No.$"):
        client.upload("contact", b"a\n1\n")
    assert len(service.calls) == 1
    assert time.slept == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_of_the_service_leaves_an_upload_in_doubt(
    client: BulkClient, service: responses.RequestsMock, status: int
) -> None:
    service.post(f"{BASE}/bulk/contact", status=status, json={"message": "No.", "requestId": "abc"})
    with pytest.raises(
        UploadOutcomeUnknown, match=f"^POST /bulk/contact was answered {status}: No. "
    ) as caught:
        client.upload("contact", b"a\n1\n")
    assert caught.value.refusal is not None
    assert (caught.value.refusal.status, caught.value.refusal.request_id) == (status, "abc")
    assert len(service.calls) == 1


def test_a_failure_of_the_service_does_not_leave_a_query_in_doubt(
    client: BulkClient, service: responses.RequestsMock
) -> None:
    service.post(f"{BASE}/bulk/query", status=500, json={"message": "Error parsing query"})
    with pytest.raises(Refused, match=r"Error parsing query$"):
        client.query("select * contact")


def test_a_cancel_whose_answer_got_lost_is_not_repeated() -> None:
    with raw_service(RESET) as service, at(service.base_url) as client:
        with pytest.raises(
            OutcomeUnknown, match=r"^PUT /bulk/7/cancel: Connection reset by peer; the service may"
        ):
            client.cancel("7")
        assert len(service.received) == 1


def test_a_session_that_repeats_posts_by_itself_is_refused() -> None:
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=Retry(3, allowed_methods=None)))
        with pytest.raises(ConfigurationError) as caught:
            make(session=session).upload("contact", b"a\n1\n")
    assert str(caught.value) == (
        "the session's adapter repeats POST by itself (Retry.allowed_methods), which can upload twice;"
        " leave POST out of allowed_methods"
    )


def test_a_session_that_repeats_only_reading_calls_is_fine(service: responses.RequestsMock) -> None:
    service.post(f"{BASE}/bulk/contact", body=STUB)
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=Retry(3)))
        assert make(session=session).upload("contact", b"a\n1\n").id == "42114492"


NOW = "Wed, 21 Oct 2015 08:48:00 GMT"


class LostUpload:
    """A client whose upload got lost, and a service with jobs to look through."""

    def __init__(self, client: BulkClient, service: responses.RequestsMock, time: Time) -> None:
        self.client, self.service, self.time = client, service, time
        self.listed: list[dict[str, object]] = []

    def lose(self, metadata: dict[str, object] | None = None) -> UploadOutcomeUnknown:
        self.service.post(
            f"{BASE}/bulk/contact", body=requests.ConnectionError(ConnectionResetError(104, "reset"))
        )
        with pytest.raises(UploadOutcomeUnknown) as caught:
            self.client.upload("contact", b"a\n1\n", metadata)
        return caught.value

    def has_job(self, number: str, details: dict[str, object] | None = None, **listed: object) -> None:
        line = {
            "id": number,
            "status": "COMPLETED",
            "object_name": "contact",
            "job_direction": "UPLOAD",
            **listed,
        }
        self.listed.append(line)
        body = {"id": number, "status": "COMPLETED", "fileSize": 4, "bulk_start_time": 1445417280000}
        body |= details or {}
        self.service.get(f"{BASE}/bulk/{number}/status", json=body)

    def find(self, lost: UploadOutcomeUnknown, **headers: str) -> JobStatusReport | None:
        """Look for it; unless told otherwise the service says `Date`, as every server with a clock does."""
        headers = {key: value for key, value in ({"Date": NOW} | headers).items() if value}
        self.service.get(f"{BASE}/bulk/jobs", json=self.listed, headers=headers)
        self.service.assert_all_requests_are_fired = False
        return self.client.find_upload(lost.attempt)


@pytest.fixture
def lost(client: BulkClient, service: responses.RequestsMock, time: Time) -> LostUpload:
    return LostUpload(client, service, time)


def test_a_lost_upload_is_found_among_the_jobs(lost: LostUpload) -> None:
    lost.has_job("1", object_name="account")
    lost.has_job("2", job_direction="DOWNLOAD")
    lost.has_job("3", {"fileSize": 5})
    lost.has_job("4")
    found = lost.find(lost.lose())
    assert found is not None
    assert found.id == "4"


def test_an_upload_that_made_no_job_is_not_found(lost: LostUpload) -> None:
    lost.has_job("3", {"fileSize": 5})
    assert lost.find(lost.lose()) is None


def test_an_earlier_upload_of_the_same_client_is_not_taken_for_the_lost_one(lost: LostUpload) -> None:
    lost.service.post(f"{BASE}/bulk/contact", json={"id": "4", "status": "CREATED"})
    lost.client.upload("contact", b"a\n1\n")
    lost.has_job("4")
    assert lost.find(lost.lose()) is None


def test_a_job_from_before_the_attempt_is_not_taken_for_the_lost_one(lost: LostUpload) -> None:
    """An hour has passed since the attempt; what began two hours ago by the service's clock is another's."""
    error = lost.lose()
    lost.time.now += 3600
    lost.has_job("1", createdDate=1445410080000)  # 06:48 GMT
    lost.has_job("2", createdDate="2015-10-21T07:48:30Z")
    found = lost.find(error, Date=NOW)
    assert found is not None
    assert found.id == "2"


def test_a_value_of_ones_own_in_the_metadata_tells_two_uploads_apart(lost: LostUpload) -> None:
    lost.has_job("1", {"metadata": json.dumps({"callback-payload": "run 1"})})
    lost.has_job("2", {"metadata": json.dumps({"callback-payload": "run 2"})})
    lost.has_job("3", {"metadata": json.dumps({"callback-payload": "run 3"})})
    found = lost.find(lost.lose({"callback-payload": "run 2"}))
    assert found is not None
    assert found.id == "2"


def test_two_jobs_that_both_can_be_it_are_not_guessed_between(lost: LostUpload) -> None:
    lost.has_job("1")
    lost.has_job("2", {"metadata": "not JSON"})
    with pytest.raises(AmbiguousUpload) as caught:
        lost.find(lost.lose())
    assert str(caught.value) == (
        "2 jobs can be the upload of upload.csv to contact: 1, 2; give each upload a 'callback-payload' of its own"
        " in the metadata to tell them apart"
    )
    assert [report.id for report in caught.value.candidates] == ["1", "2"]


@pytest.mark.parametrize(
    ("date", "times"),
    [("", {}), (NOW, {"bulk_start_time": None})],
    ids=["a service without a clock", "a job without times"],
)
def test_a_job_that_may_be_of_an_earlier_upload_is_not_claimed(
    lost: LostUpload, date: str, times: dict[str, object]
) -> None:
    lost.has_job("4", times)
    with pytest.raises(AmbiguousUpload) as caught:
        lost.find(lost.lose(), Date=date)
    assert str(caught.value) == (
        "job 4 can be the upload of upload.csv to contact, or an earlier one: the service does not tell when it began;"
        " give each upload a 'callback-payload' of its own in the metadata"
    )
    assert [report.id for report in caught.value.candidates] == ["4"]


@pytest.mark.parametrize("kept", [None, "{}", "not JSON", '{"callback-payload": "another"}'])
def test_a_job_that_tells_another_mark_or_none_is_not_the_upload(lost: LostUpload, kept: str | None) -> None:
    lost.has_job("4", {"metadata": kept})
    assert lost.find(lost.lose({"callback-payload": "mine"})) is None


def test_a_mark_leaves_no_doubt_even_without_times(lost: LostUpload) -> None:
    lost.has_job("3")  # tells no metadata, so it could be
    lost.has_job("4", {"metadata": '{"callback-payload": "mine"}', "bulk_start_time": None})
    found = lost.find(lost.lose({"callback-payload": "mine"}), Date="")
    assert found is not None
    assert found.id == "4"
