"""Verdicts on the client: what they find, what they let pass, and what they say, letter by letter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest

from pytest_ocbulk import verdicts
from pytest_ocbulk.emulator.callbacks import SIGNATURE_HEADER, SIGNATURE_KEY, verify
from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import LIVE
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.faults.kinds import rate_limit
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import Disconnect, Request
from pytest_ocbulk.evidence import Evidence
from pytest_ocbulk.receiver import Receiver
from pytest_ocbulk.verdicts.judging import spans

AUTHORIZATION = "Element T, User U"


class Client:
    """Calls an emulator as a program would, and keeps the clock."""

    def __init__(self, emulator: Emulator, connector: str = "marketing") -> None:
        self.emulator = emulator
        self.clock = ManualClock()
        self.instance: Instance = emulator.create_instance(
            built_in(connector), token="T", user_secret="U", clock=self.clock
        )
        self.evidence = Evidence(emulator, self.instance)

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        """The JSON of the answer, None where the connection was reset."""
        given = {"authorization": AUTHORIZATION, **headers}
        answer = self.emulator.handle(Request.of(method, f"/elements/api-v2{path}", given, body))
        if isinstance(answer, Disconnect):
            return None
        content = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        return json.loads(content) if content[:1] in (b"{", b"[") else content

    def upload(
        self,
        csv: str,
        object: str = "contact",
        metadata: Mapping[str, object] | None = None,
        callback: str = "",
    ) -> Any:
        """Upload a CSV file."""
        parts = {'name="file"; filename="a.csv"': csv}
        if metadata is not None:
            parts['name="metaData"'] = json.dumps(metadata)
        form = "".join(
            f"--B\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}\r\n" for name, text in parts.items()
        )
        headers = {"content-type": "multipart/form-data; boundary=B"}
        if callback:
            headers["elements-async-callback-url"] = callback
        return self.call("POST", f"/bulk/{object}", f"{form}--B--\r\n".encode(), **headers)

    def poll(self, job: str = "1234", times: int = 1, every: float = 1.0) -> Any:
        """Look at a job, with the clock moving in between."""
        body = None
        for _ in range(times):
            body = self.call("GET", f"/bulk/{job}/status")
            self.clock.advance(every)
        return body


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return Client(emulator)


def contacts(*names: str, title: str = "") -> str:
    return "C_EmailAddress,C_Title\n" + "".join(f"{name}@example.com,{title}\n" for name in names)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def said(error: pytest.ExceptionInfo[BaseException]) -> str:
    return str(error.value)


# -- duplicates ------------------------------------------------------------------------------------------


def test_uploads_of_different_rows_are_no_duplicates(client: Client) -> None:
    client.upload(contacts("a", "b"))
    client.upload(contacts("c"))
    client.upload(contacts("a", "b"), object="account")
    verdicts.assert_no_duplicate_uploads(client.evidence)
    assert verdicts.warnings(client.evidence) == []


def test_the_same_file_twice_is_a_duplicate(client: Client) -> None:
    client.upload(contacts("a", "b", "c"))
    client.clock.advance(0.8)
    client.upload(contacts("a", "b", "c"))
    with pytest.raises(AssertionError) as found:
        verdicts.assert_no_duplicate_uploads(client.evidence)
    assert said(found) == (
        "expected every row to be uploaded once:\n"
        "- contact: rows 1-3 uploaded twice, by job 1234 at +0s and job 1235 at +800ms, 800ms apart"
        f" (same content, sha256 {digest(contacts('a', 'b', 'c'))})"
    )


def test_a_lost_answer_is_named_as_the_reason(client: Client) -> None:
    client.instance.faults.add("upload:reset:after")
    client.upload(contacts("a"))
    client.clock.advance(5)
    client.upload(contacts("a"))
    with pytest.raises(AssertionError) as found:
        verdicts.assert_no_duplicate_uploads(client.evidence)
    assert said(found) == (
        "expected every row to be uploaded once:\n"
        "- contact: row 1 uploaded twice, by job 1234 at +0s and job 1235 at +5s, 5s apart"
        f" (same content, sha256 {digest(contacts('a'))}); the answer to the first was lost (upload:reset:after),"
        " but the job was there: before a POST is repeated, GET /bulk/jobs tells whether it arrived"
    )


def test_an_answer_that_was_an_error_is_named_as_the_reason(client: Client) -> None:
    client.instance.faults.add("upload:status:503:after")
    client.upload(contacts("a"))
    client.upload(contacts("a"))
    with pytest.raises(AssertionError, match=r"the answer to the first was 503 \(upload:503:after\), but"):
        verdicts.assert_no_duplicate_uploads(client.evidence)


def test_the_same_keys_in_another_file_are_duplicates(client: Client) -> None:
    client.upload(contacts("a", "b", "c"))
    client.clock.advance(60)
    client.upload(contacts("x", "c", "y", "a", title="Dr"))
    with pytest.raises(AssertionError) as found:
        verdicts.assert_no_duplicate_uploads(client.evidence)
    assert said(found) == (
        "expected every row to be uploaded once:\n"
        "- contact: rows 2 and 4 uploaded twice, by job 1234 at +0s and job 1235 at +1m, 1m apart"
        " (same C_EmailAddress)"
    )
    assert verdicts.warnings(client.evidence)[0].startswith("job 1235: 2 of 4 rows failed")


def test_objects_without_a_key_are_compared_by_whole_rows(client: Client) -> None:
    client.upload("name,town\nA,Ulm\nB,Bonn\n", object="campaign")
    client.upload("name,town\nA,Bonn\nB,Bonn\n", object="campaign")
    with pytest.raises(AssertionError, match=r"campaign: row 2 uploaded twice, .* \(same rows\)"):
        verdicts.assert_no_duplicate_uploads(client.evidence)


def test_a_file_that_was_not_read_yet_is_known_by_its_content(client: Client) -> None:
    for _ in range(2):
        client.instance.plans.next_job("RUNNING forever")
        client.upload(contacts("a"))
    with pytest.raises(AssertionError, match="contact: the whole file uploaded twice, by job 1234"):
        verdicts.assert_no_duplicate_uploads(client.evidence)


def test_rows_that_failed_may_be_uploaded_again(client: Client) -> None:
    client.instance.plans.next_job(fail_rows={2: "bad"})
    client.upload(contacts("a", "b"))
    client.poll()
    client.upload(contacts("b"))
    verdicts.assert_no_duplicate_uploads(client.evidence)


def test_rows_beside_those_that_failed_may_not(client: Client) -> None:
    client.instance.plans.next_job(fail_rows={2: "bad"})
    client.upload(contacts("a", "b", "c"))
    client.poll()
    client.upload(contacts("a", "b", "c"))
    with pytest.raises(AssertionError, match="contact: rows 1 and 3 uploaded twice"):
        verdicts.assert_no_duplicate_uploads(client.evidence)


@pytest.mark.parametrize("timeline", ["CREATED ABORTED", "CREATED ERROR", "CREATED CANCELLED"])
def test_a_file_may_be_uploaded_again_when_its_job_has_failed(client: Client, timeline: str) -> None:
    client.instance.plans.next_job(timeline)
    client.upload(contacts("a"))
    client.poll()
    client.upload(contacts("a"))
    verdicts.assert_no_duplicate_uploads(client.evidence)


def test_a_file_may_not_be_uploaded_again_before_its_job_has_failed(client: Client) -> None:
    client.instance.plans.next_job("CREATED 1m ABORTED")
    client.upload(contacts("a"))
    client.upload(contacts("a"))
    client.clock.advance("2m")
    with pytest.raises(AssertionError, match="uploaded twice"):
        verdicts.assert_no_duplicate_uploads(client.evidence)


def test_an_upsert_of_known_keys_is_no_duplicate(client: Client) -> None:
    upsert = {"action": "upsert", "identifierFieldName": "C_EmailAddress"}
    client.upload(contacts("a"))
    client.upload(contacts("a", title="Dr"), metadata=upsert)
    client.upload(contacts("a", title="Prof"), metadata=upsert)
    verdicts.assert_no_duplicate_uploads(client.evidence)


def test_the_same_upsert_twice_is_one(client: Client) -> None:
    for _ in range(2):
        client.upload(contacts("a"), metadata={"action": "upsert", "identifierFieldName": "C_EmailAddress"})
    with pytest.raises(AssertionError, match="row 1 uploaded twice"):
        verdicts.assert_no_duplicate_uploads(client.evidence)


def test_without_an_upload_there_is_nothing_to_judge(client: Client) -> None:
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_no_duplicate_uploads(client.evidence)
    assert said(refusal) == "assert_no_duplicate_uploads() has nothing to judge: nothing was uploaded"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([3], "row 3"),
        ([1, 2, 3], "rows 1-3"),
        ([1, 3], "rows 1 and 3"),
        ([9, 1, 2, 4], "rows 1-2, 4 and 9"),
        ([1, 3, 5, 7, 9, 11, 12], "rows 1, 3, 5, 7, 9 and 2 more"),
    ],
)
def test_row_numbers_are_told_in_spans(rows: list[int], text: str) -> None:
    assert spans(rows) == text


# -- errors ----------------------------------------------------------------------------------------------


def fail_rows(client: Client, count: int, of: int) -> None:
    client.instance.plans.next_job(fail_rows=dict.fromkeys(range(1, count + 1), "bad e-mail"))
    client.upload(contacts(*(f"n{number}" for number in range(of))))
    client.poll()


def read_errors(client: Client, page_size: int = 200) -> Iterator[int]:
    """Read all pages, and say how many items each has."""
    token: str | None = ""
    while token is not None:
        given = {"authorization": AUTHORIZATION}
        target = f"/elements/api-v2/bulk/1234/errors?pageSize={page_size}&nextPage={token}"
        answer = client.emulator.handle(Request.of("GET", target, given))
        assert not isinstance(answer, Disconnect)
        assert isinstance(answer.body, bytes)
        yield len(json.loads(answer.body))
        token = answer.headers.get("elements-next-page-token")


def test_errors_that_nobody_read_are_told(client: Client) -> None:
    fail_rows(client, 3, of=10)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_errors_were_read(client.evidence)
    text = (
        "job 1234: 3 of 10 rows failed, and GET /bulk/1234/errors was never called;"
        " the first of them is row 1: bad e-mail"
    )
    assert said(found) == (
        "expected the errors of failed rows to be read, for COMPLETE does not mean that all rows are in:\n"
        f"- {text}"
    )
    assert verdicts.warnings(client.evidence) == [text]


def test_the_live_dialect_says_completed(emulator: Emulator) -> None:
    client = Client(emulator)
    client.instance.dialect = LIVE
    fail_rows(client, 1, of=1)
    with pytest.raises(AssertionError, match="for COMPLETED does not mean that all rows are in"):
        verdicts.assert_errors_were_read(client.evidence)


def test_errors_that_were_read_are_no_matter(client: Client) -> None:
    fail_rows(client, 3, of=10)
    assert list(read_errors(client)) == [3]
    verdicts.assert_errors_were_read(client.evidence)
    verdicts.assert_errors_were_read(client.evidence, "1234")
    assert verdicts.warnings(client.evidence) == []


def test_one_page_of_errors_is_not_enough(client: Client) -> None:
    fail_rows(client, 5, of=5)
    assert next(read_errors(client, page_size=2)) == 2
    with pytest.raises(AssertionError) as found:
        verdicts.assert_errors_were_read(client.evidence)
    assert said(found).splitlines()[1] == (
        "- job 1234: 5 of 5 rows failed, and 1 call of GET /bulk/1234/errors read 2 of their 5 errors;"
        " follow elements-next-page-token until an answer has none"
    )


def test_the_same_page_twice_is_not_enough(client: Client) -> None:
    fail_rows(client, 5, of=5)
    for _ in range(3):
        next(read_errors(client, page_size=2))
    with pytest.raises(AssertionError, match="3 calls of GET /bulk/1234/errors read 2 of their 5 errors"):
        verdicts.assert_errors_were_read(client.evidence)


def test_all_pages_are_enough(client: Client) -> None:
    fail_rows(client, 5, of=5)
    assert list(read_errors(client, page_size=2)) == [2, 2, 1]
    verdicts.assert_errors_were_read(client.evidence)


def test_a_page_that_did_not_arrive_was_not_read(client: Client) -> None:
    fail_rows(client, 1, of=1)
    client.instance.faults.add("errors:status:503")
    client.call("GET", "/bulk/1234/errors")
    with pytest.raises(AssertionError, match="1 call of GET /bulk/1234/errors read 0 of their 1 errors"):
        verdicts.assert_errors_were_read(client.evidence)


def test_without_failed_rows_there_is_nothing_to_judge(client: Client) -> None:
    client.upload(contacts("a"))
    client.poll()
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_errors_were_read(client.evidence)
    assert said(refusal) == (
        "assert_errors_were_read() has nothing to judge: no row failed;"
        " plan some: next_job(fail_rows={2: 'bad e-mail'})"
    )


def test_an_unknown_job_is_refused(client: Client) -> None:
    client.upload(contacts("a"))
    with pytest.raises(OcBulkError, match=r"^there is no job '7'; the jobs so far are 1234$"):
        verdicts.assert_errors_were_read(client.evidence, "7")


# -- polling ---------------------------------------------------------------------------------------------


def test_polling_with_pauses_is_polite(client: Client) -> None:
    client.instance.plans.next_job("CREATED 5s COMPLETE")
    client.upload(contacts("a"))
    client.poll(times=6)
    verdicts.assert_polite_polling(client.evidence, max_polls=6)


def test_polling_without_pauses_is_not(client: Client) -> None:
    client.instance.plans.next_job("CREATED x3 COMPLETE")
    client.upload(contacts("a"))
    client.poll(times=4, every=0)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_polite_polling(client.evidence)
    assert said(found) == (
        "expected polite polling:\n"
        "- job 1234: 3 of 3 pauses between polls were shorter than 1s, the shortest 0s;"
        " the clock stood still: code that sleeps moves it within `with ocbulk.clock.drives_sleep():` only"
    )


def test_the_shortest_pause_is_told(client: Client) -> None:
    client.instance.plans.next_job("CREATED x3 COMPLETE")
    client.upload(contacts("a"))
    for pause in (3, 0.5, 3, 0):
        client.poll(every=pause)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_polite_polling(client.evidence, min_interval="2s")
    assert said(found).splitlines()[1:] == [
        "- job 1234: 1 of 3 pauses between polls were shorter than 2s, the shortest 500ms"
    ]


def test_more_polls_than_allowed_are_told(client: Client) -> None:
    client.instance.plans.next_job("CREATED 5s COMPLETE")
    client.upload(contacts("a"))
    client.poll(times=6)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_polite_polling(client.evidence, max_polls=5)
    assert said(found).splitlines()[1:] == ["- job 1234: polled 6 times, expected at most 5"]


@pytest.mark.parametrize(("times", "text"), [(2, "once more"), (4, "3 more times")])
def test_polls_after_the_end_are_told(client: Client, times: int, text: str) -> None:
    client.upload(contacts("a"))
    client.clock.advance(7)
    client.poll(times=times)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_polite_polling(client.evidence)
    assert said(found).splitlines()[1:] == [
        f"- job 1234: polled {text} after it had been shown COMPLETE at +7s"
    ]
    verdicts.assert_polite_polling(client.evidence, stops_at_terminal=False)
    assert verdicts.warnings(client.evidence) == []


def test_many_polls_after_the_end_are_a_warning(client: Client) -> None:
    client.instance.plans.next_job("CREATED ABORTED")
    client.upload(contacts("a"))
    client.poll(times=11)
    assert verdicts.warnings(client.evidence) == [
        "job 1234: polled 10 more times after it had been shown ABORTED at +0s"
    ]


def test_an_end_that_was_not_shown_does_not_count(client: Client) -> None:
    client.upload(contacts("a"))
    client.instance.faults.add("status:status:503:after")
    client.poll(times=2)
    verdicts.assert_polite_polling(client.evidence)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_call_before_retry_after_is_over_is_told(client: Client, form: Literal["seconds", "date"]) -> None:
    client.instance.faults.on("status", rate_limit(30, form=form))
    client.upload(contacts("a"))
    client.poll(every=29)
    client.poll()
    with pytest.raises(AssertionError) as found:
        verdicts.assert_polite_polling(client.evidence)
    assert said(found) == (
        "expected polite polling:\n"
        "- GET /elements/api-v2/bulk/1234/status was answered 429 at +0s with Retry-After of 30s,"
        " and called again 29s later"
    )
    verdicts.assert_polite_polling(client.evidence, honours_retry_after=False)


def test_a_call_after_retry_after_is_polite(client: Client) -> None:
    client.instance.faults.add("status:rate_limit:30s")
    client.upload(contacts("a"))
    client.poll(every=30)
    client.poll()
    verdicts.assert_polite_polling(client.evidence)


def upload_with_part(client: Client, name: str) -> list[str]:
    """What is said about an upload whose options came in a part of this name."""
    parts = {
        'name="file"; filename="a.csv"': contacts("ann"),
        f'name="{name}"': '{"bulkUploadRecordSize": 1}',
    }
    form = "".join(
        f"--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts.items()
    )
    kind = {"content-type": "multipart/form-data; boundary=B"}
    client.call("POST", "/bulk/contact", f"{form}--B--\r\n".encode(), **kind)
    return verdicts.warnings(client.evidence)


@pytest.mark.parametrize("name", ["metadata", "meta_data", "MetaData", "metaDate"])
def test_a_misspelt_part_of_a_form_is_a_warning(client: Client, name: str) -> None:
    assert upload_with_part(client, name) == [
        f"upload of job 1234 had a part {name!r}, which the service does not read; did you mean 'metaData'?"
    ]


@pytest.mark.parametrize("name", ["metaData", "comment"])
def test_parts_that_are_read_or_mean_something_else_are_no_matter(client: Client, name: str) -> None:
    assert upload_with_part(client, name) == []


def test_without_a_poll_there_is_nothing_to_judge(client: Client) -> None:
    client.upload(contacts("a"))
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_polite_polling(client.evidence)
    assert said(refusal) == (
        "assert_polite_polling() has nothing to judge: nobody asked for the status of a job"
    )


def test_what_the_journal_has_forgotten_is_mentioned(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_ocbulk.emulator.journal.CAPACITY", 4)
    client.upload(contacts("a"))
    client.poll(times=6)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_polite_polling(client.evidence)
    assert said(found).splitlines()[-1] == "  (the oldest 3 calls are no longer in the journal)"


# -- abandonment -----------------------------------------------------------------------------------------


def test_a_job_that_nobody_looked_at_was_abandoned(client: Client) -> None:
    client.instance.plans.next_job("CREATED 2s COMPLETE")
    client.upload(contacts("a"))
    client.clock.advance(10)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_job_not_abandoned(client.evidence)
    assert said(found) == (
        "expected every job to be watched to its end, announced by a callback, or cancelled:\n"
        "- job 1234 (contact) is COMPLETE since +2s, and nobody ever asked for its status"
    )


def test_a_job_that_was_left_while_it_ran_was_abandoned(client: Client) -> None:
    client.instance.plans.next_job("CREATED RUNNING 1m COMPLETE")
    client.upload(contacts("a"))
    client.poll(times=3)
    with pytest.raises(AssertionError) as found:
        verdicts.assert_job_not_abandoned(client.evidence)
    assert said(found).splitlines()[1:] == [
        "- job 1234 (contact) is RUNNING since +0s, but was last looked at at +2s, when it was RUNNING"
    ]


def test_a_job_whose_last_look_failed_was_abandoned(client: Client) -> None:
    client.instance.faults.add("status:reset")
    client.upload(contacts("a"))
    client.poll()
    with pytest.raises(AssertionError, match=r"when it was without an answer$"):
        verdicts.assert_job_not_abandoned(client.evidence)


def test_a_job_that_was_watched_to_its_end_was_not_abandoned(client: Client) -> None:
    client.upload(contacts("a"))
    client.poll()
    verdicts.assert_job_not_abandoned(client.evidence)


@pytest.mark.parametrize("generation", ["newer", "older"])
def test_a_job_that_was_seen_at_its_end_in_a_list_was_not_abandoned(client: Client, generation: str) -> None:
    client.instance.dialect = client.instance.dialect.with_quirks({"jobs_generation": generation})
    client.instance.plans.next_job("CREATED 5s COMPLETE")
    client.upload(contacts("a"))
    client.call("GET", "/bulk/jobs")
    with pytest.raises(AssertionError):
        verdicts.assert_job_not_abandoned(client.evidence)
    client.clock.advance(5)
    client.call("GET", "/bulk/jobs")
    verdicts.assert_job_not_abandoned(client.evidence)


def test_a_job_that_was_cancelled_was_not_abandoned(client: Client) -> None:
    client.instance.plans.next_job("CREATED forever")
    client.upload(contacts("a"))
    client.call("PUT", "/bulk/1234/cancel")
    verdicts.assert_job_not_abandoned(client.evidence, "1234")


def test_a_job_that_a_callback_announced_was_not_abandoned(client: Client) -> None:
    client.upload(contacts("a"), callback="http://127.0.0.1:9/")
    client.emulator.tick()
    (callback,) = client.emulator.take_callbacks()
    with pytest.raises(AssertionError):
        verdicts.assert_job_not_abandoned(client.evidence)
    client.emulator.callback_tried(callback, "delivered", status=200)
    verdicts.assert_job_not_abandoned(client.evidence)


def test_a_query_whose_results_were_fetched_was_not_abandoned(client: Client) -> None:
    client.call("POST", "/bulk/query?q=select+*+from+contact")
    with pytest.raises(AssertionError):
        verdicts.assert_job_not_abandoned(client.evidence)
    client.call("GET", "/bulk/1234/contact")
    verdicts.assert_job_not_abandoned(client.evidence)


def test_without_a_job_there_is_nothing_to_judge(client: Client) -> None:
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_job_not_abandoned(client.evidence)
    assert said(refusal) == "assert_job_not_abandoned() has nothing to judge: no job was started"


# -- signatures ------------------------------------------------------------------------------------------

KEY = "MySecretEventSignatureKey"


def checking(body: bytes, headers: Mapping[str, str]) -> int:
    return 200 if verify(KEY, body, headers.get(SIGNATURE_HEADER, "")) else 401


def test_a_receiver_that_checks_is_fine(client: Client) -> None:
    client.instance.configuration[SIGNATURE_KEY] = KEY
    verdicts.assert_signature_checked(client.evidence, checking)


def test_a_receiver_that_takes_everything_is_told(client: Client) -> None:
    with pytest.raises(AssertionError) as found:
        verdicts.assert_signature_checked(client.evidence, lambda body, headers: 204, key=KEY)
    assert said(found) == (
        "expected the receiver to refuse badly signed callbacks with 4xx, it answered 204 to one without a signature,"
        " 204 to one signed with another key, 204 to one changed after it was signed, 204 to one with half a signature;"
        " before the body is read, compare Elements-Webhook-Signature with"
        " 'sha256=' + Base64(HMAC-SHA256(key, raw body))"
    )


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (lambda body, headers: SIGNATURE_HEADER not in headers, "200 to one without a signature;"),
        (
            lambda body, headers: len(headers.get(SIGNATURE_HEADER, "")) > 40,
            "200 to one signed with another key",
        ),
        (
            lambda body, headers: verify(KEY, body.strip(), headers.get(SIGNATURE_HEADER, "")),
            "answered 200 to one changed after it was signed;",
        ),
    ],
)
def test_each_mistake_is_found_by_itself(client: Client, mistake: Any, text: str) -> None:
    def receiver(body: bytes, headers: Mapping[str, str]) -> int:
        return 200 if checking(body, headers) == 200 or mistake(body, headers) else 401

    with pytest.raises(AssertionError) as found:
        verdicts.assert_signature_checked(client.evidence, receiver, key=KEY)
    assert text in said(found)


@pytest.mark.parametrize("name", [SIGNATURE_HEADER, SIGNATURE_HEADER.lower(), SIGNATURE_HEADER.upper()])
def test_a_function_reads_the_header_by_its_name_in_any_case(client: Client, name: str) -> None:
    def receiver(body: bytes, headers: Mapping[str, str]) -> int:
        return 200 if name in headers and verify(KEY, body, headers[name]) else 401

    verdicts.assert_signature_checked(client.evidence, receiver, key=KEY)


@pytest.mark.parametrize("answer", [None, (200, "x"), True, 42])
def test_a_function_that_returns_no_status_is_told_what_to_return(client: Client, answer: Any) -> None:
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_signature_checked(client.evidence, lambda body, headers: answer, key=KEY)
    assert str(refusal.value) == (
        "assert_signature_checked(): a function takes the body (bytes) and the headers and returns the status"
        f" that it answers, such as 200 or 401, got {answer!r}"
    )


def test_a_crash_is_no_refusal(client: Client) -> None:
    def receiver(body: bytes, headers: Mapping[str, str]) -> int:
        return checking(body, headers) if SIGNATURE_HEADER in headers else 500

    with pytest.raises(AssertionError, match="it answered 500 to one without a signature;"):
        verdicts.assert_signature_checked(client.evidence, receiver, key=KEY)


def test_a_receiver_that_refuses_everything_is_told(client: Client) -> None:
    with pytest.raises(AssertionError) as found:
        verdicts.assert_signature_checked(client.evidence, lambda body, headers: 403, key=KEY)
    assert said(found) == (
        "expected the receiver to accept a well signed callback, it answered 403; the signature is"
        " Base64(HMAC-SHA256(key, raw body)) behind 'sha256=' in Elements-Webhook-Signature"
    )


def test_receivers_are_told_about_the_last_job(client: Client) -> None:
    bodies: list[dict[str, Any]] = []

    def receiver(body: bytes, headers: Mapping[str, str]) -> int:
        bodies.append(json.loads(body))
        return checking(body, headers)

    verdicts.assert_signature_checked(client.evidence, receiver, key=KEY)
    assert bodies[0]["status"] == "COMPLETE"
    client.instance.plans.next_job("CREATED ABORTED")
    client.upload(contacts("a"))
    verdicts.assert_signature_checked(client.evidence, receiver, key=KEY)
    assert bodies[-1] == client.poll()


def test_receivers_behind_a_url_are_posted_to(client: Client) -> None:
    with Receiver(KEY, strict=True) as receiver:
        verdicts.assert_signature_checked(client.evidence, receiver.url, key=KEY)
        assert [each.answered for each in receiver.received] == [200, 401, 401, 401, 401]
    with Receiver(KEY) as receiver, pytest.raises(AssertionError, match="200 to one without a signature"):
        verdicts.assert_signature_checked(client.evidence, receiver.url, key=KEY)


def test_a_receiver_that_is_not_there_is_an_error(client: Client) -> None:
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_signature_checked(client.evidence, "http://192.0.2.1/hook", key=KEY)
    assert said(refusal) == (
        "assert_signature_checked('http://192.0.2.1/hook'): callbacks go to this machine only,"
        " and 192.0.2.1 is not among the allowed hosts"
    )


def test_without_a_key_nothing_can_be_signed(client: Client) -> None:
    with pytest.raises(OcBulkError) as refusal:
        verdicts.assert_signature_checked(client.evidence, checking)
    assert said(refusal) == (
        "assert_signature_checked() needs the key that callbacks are signed with:"
        " ocbulk.configuration['event.notification.signature.key'] = 'secret', or key='secret'"
    )
