"""OcBulk: what a test holds in its hand, through both of its doors."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from pytest_ocbulk import BulkClient, MakeOcBulk, OcBulk, OcBulkError, OcBulkJob, Receiver, status, twice
from pytest_ocbulk.client.bulk_client import ENVIRONMENT
from pytest_ocbulk.doors import ServerDoor
from pytest_ocbulk.settings import read_settings

from .patience import PATIENCE

CSV = b"C_EmailAddress,C_FirstName\nann@example.com,Ann\nbob@example.com,Bob\n"
pytestmark = pytest.mark.ocbulk(allow="client_warning")  # the clients here are no example


@pytest.fixture(params=["ocbulk", "ocbulk_server"])
def fake(request: pytest.FixtureRequest) -> OcBulk:
    """The same handle through either door."""
    handle: OcBulk = request.getfixturevalue(request.param)
    return handle


def call(fake: OcBulk, method: str, path: str, **options: Any) -> requests.Response:
    return requests.request(
        method, f"{fake.base_url}{path}", headers=fake.headers, timeout=PATIENCE, **options
    )


def upload(fake: OcBulk, content: bytes = CSV, object: str = "contact", **options: Any) -> str:
    job = call(
        fake, "POST", f"/bulk/{object}", files={"file": ("a.csv", content, "text/csv")}, **options
    ).json()
    return str(job["id"])


def upload_with_callback(fake: OcBulk, url: str) -> None:
    headers = {**fake.headers, "Elements-Async-Callback-Url": url}
    requests.post(f"{fake.base_url}/bulk/contact", headers=headers, files={"file": CSV}, timeout=PATIENCE)


# -- how to reach it --------------------------------------------------------------------------------------


def test_the_first_job_of_every_test_is_the_walk_throughs(fake: OcBulk) -> None:
    assert upload(fake) == "1234"
    assert upload(fake, object="account") == "1235"


def test_base_url_and_headers_are_all_that_a_call_needs(fake: OcBulk) -> None:
    assert call(fake, "GET", "/objects").json() == ["activities", "contact", "campaign", "list", "account"]


@pytest.mark.ocbulk(allow="stray_call")
def test_without_its_secrets_a_call_is_refused(fake: OcBulk) -> None:
    answer = requests.get(f"{fake.base_url}/objects", timeout=PATIENCE)
    assert answer.status_code == 401


def test_the_environment_configures_a_client(fake: OcBulk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in fake.env().items():
        monkeypatch.setenv(name, value)
    with BulkClient.from_environment() as client:
        assert "contact" in client.objects()


def test_the_environment_has_every_variable_that_the_client_reads(ocbulk: OcBulk) -> None:
    assert set(ocbulk.env()) == set(ENVIRONMENT.values())


def test_a_client_of_the_fake_waits_on_the_fakes_clock(fake: OcBulk, tmp_path: Path) -> None:
    fake.next_job("CREATED 5s RUNNING 10m COMPLETE")
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    with fake.client() as client:
        report = client.wait(client.upload("contact", path))
    assert report.status == "COMPLETE"
    assert fake.clock.elapsed >= 605


def test_the_client_fixture_is_bound_to_the_fake(ocbulk: OcBulk, ocbulk_client: BulkClient) -> None:
    assert "contact" in ocbulk_client.objects()
    ocbulk.assert_called("objects", times=1)


def test_the_client_fixture_is_bound_to_the_server_where_only_that_is_used(
    ocbulk_server: OcBulk, ocbulk_client: BulkClient
) -> None:
    assert "contact" in ocbulk_client.objects()
    ocbulk_server.assert_called("objects", times=1)


def test_a_repr_tells_what_is_there(ocbulk: OcBulk) -> None:
    upload(ocbulk)
    assert repr(ocbulk) == f"<OcBulk marketing at {ocbulk.base_url}, 1 jobs>"
    assert repr(ocbulk.jobs) == "[<job 1234: UPLOAD contact, CREATED COMPLETE, now COMPLETE>]"


def test_what_happened_is_read_by_place_and_prints_itself(ocbulk: OcBulk) -> None:
    with Receiver() as receiver:
        upload_with_callback(ocbulk, receiver.url)
        ocbulk.jobs[0].finish()
        ocbulk.faults.on("objects", status(503))
        assert repr(ocbulk.requests) == "<Journal of 1: POST /elements/api-v2/bulk/contact -> 200>"
        assert (ocbulk.requests[-1].operation, ocbulk.requests[-1].job) == ("upload", "1234")
        assert repr(ocbulk.callbacks) == (
            f"<CallbackLog of 1: callback of job 1234 to {receiver.url}: delivered>"
        )
        assert ocbulk.callbacks[0].outcome == "delivered"
        assert (len(ocbulk.faults), str(ocbulk.faults[0])) == (1, "objects:503")
    ocbulk.faults.clear()
    assert len(ocbulk.faults) == 0


def test_a_closed_fake_knows_its_token_no_more(make_ocbulk: MakeOcBulk) -> None:
    fake = make_ocbulk()
    fake.close()
    assert call(fake, "GET", "/objects").status_code == 401


# -- records ----------------------------------------------------------------------------------------------


def test_seeded_records_are_found_by_a_client(fake: OcBulk) -> None:
    fake.seed("contact", [{"C_EmailAddress": "ann@example.com", "C_FirstName": "Ann"}])
    found = call(fake, "GET", "/contact?where=C_FirstName='Ann'").json()
    assert [record["C_EmailAddress"] for record in found] == ["ann@example.com"]


def test_records_are_those_that_a_client_would_find(fake: OcBulk) -> None:
    upload(fake)
    assert fake.records("contact", "C_FirstName = 'Bob'") == call(fake, "GET", "/contact").json()[1:]


def test_nested_rows_can_be_seeded_either_way(ocbulk: OcBulk) -> None:
    ocbulk.seed("account", [{"address": {"city": "Bonn"}}, {"address.city": "Ulm"}])
    assert ocbulk.records("account") == [
        {"id": 1, "address": {"city": "Bonn"}},
        {"id": 2, "address": {"city": "Ulm"}},
    ]


MISTAKES: list[tuple[Callable[[Any], object], str]] = [
    (lambda fake: fake.records("contakt"), "marketing has no object 'contakt'; did you mean 'contact'?"),
    (
        lambda fake: fake.seed("contact", [{"C_EmailAddress": "no address"}]),
        "seed('contact'): row 1: no address: Invalid email address in C_EmailAddress",
    ),
    (
        lambda fake: fake.seed("contact", [{"C_EmailAddress": "a@b.co"}, {"C_EmailAddress": "a@b.co"}]),
        "seed('contact'): row 2: another record has this C_EmailAddress already",
    ),
    (
        lambda fake: fake.next_job(object="contakt"),
        "marketing has no object 'contakt'; did you mean 'contact'?",
    ),
    (
        lambda fake: fake.seed("contact", [{"C_EmailAdress": "a@b.co"}]),
        "seed('contact'): row 1: contact has no column 'C_EmailAdress'; did you mean 'C_EmailAddress'?",
    ),
    (
        lambda fake: fake.seed("contact", {"C_EmailAddress": "a@b.co"}),
        "rows are a list of dictionaries, one for each row, got {'C_EmailAddress': 'a@b.co'}",
    ),
    (
        lambda fake: fake.seed("contact", ["a@b.co"]),
        "rows are a list of dictionaries, one for each row, got 'a@b.co' for row 1",
    ),
    (
        lambda fake: fake.records("contact", "C_FirstNam = 'Ann'"),
        (
            "records('contact', where=\"C_FirstNam = 'Ann'\"): Unknown field 'C_FirstNam' in where; contact has id,"
            " C_EmailAddress, C_FirstName, C_LastName, C_Title, C_BusPhone, C_Company, C_Website1"
        ),
    ),
    (
        lambda fake: fake.records(5),
        "marketing has no object 5; known are account, activities, campaign, contact, list",
    ),
    (
        lambda fake: fake.configuration.update({"event.notification.signature.kee": "secret"}),
        (
            "the fake reads no configuration 'event.notification.signature.kee'; did you mean"
            " 'event.notification.signature.key'?"
        ),
    ),
    (
        lambda fake: fake.configuration.update({"event.notification.signature.key": 5}),
        "configuration maps names to texts, got 5 for 'event.notification.signature.key'",
    ),
    (
        lambda fake: setattr(fake, "other_host", "refuse"),
        "ocbulk.other_host = ... sets nothing; ocbulk.other_hosts is all that can be set so",
    ),
    (
        lambda fake: fake.allow_callbacks_to("http://hook.example/x"),
        (
            "callbacks are allowed to hosts, like 'hook.example' or '10.0.0.1', or to '*', not to URLs and ports;"
            " got 'http://hook.example/x'"
        ),
    ),
    (
        lambda fake: fake.next_job(object=5),
        "marketing has no object 5; known are account, activities, campaign, contact, list",
    ),
    (
        lambda fake: fake.contacts("3"),
        "the number of contacts must be between 0 and 99990000, got '3'",
    ),
    (
        lambda fake: fake.contacts(3, bad=["email"]),
        "bad says how many rows of each kind, like {'email': 2}, got ['email']",
    ),
    (
        lambda fake: fake.contacts(3, bad={"email": "1"}),
        "bad says how many rows of each kind, like {'email': 2}, got {'email': '1'}",
    ),
    (
        lambda fake: fake.assert_called("upload", times="1"),
        "assert_called(times=...) is a number from 0, or left out for any number from 1, got '1'",
    ),
    (
        lambda fake: fake.assert_called("upload", times=-1),
        "assert_called(times=...) is a number from 0, or left out for any number from 1, got -1",
    ),
    (
        lambda fake: fake.faults.on(status(503), "upload"),
        "the operation comes first: faults.on('upload', status(...))",
    ),
    (
        lambda fake: fake.install_into(requests),
        f"install_into() takes a mock of the library responses, such as responses.mock, got {requests!r}",
    ),
    (lambda fake: fake.jobs[0], "there is no job at place 0; no job was created so far"),
    (lambda fake: fake.jobs["77"], "there is no job '77'; no job was created so far"),
]


@pytest.mark.parametrize(("use", "text"), MISTAKES, ids=[f"{at}" for at in range(len(MISTAKES))])
def test_a_mistake_in_a_test_is_named(ocbulk: OcBulk, use: Callable[[OcBulk], object], text: str) -> None:
    with pytest.raises(OcBulkError) as refused:
        use(ocbulk)
    assert str(refused.value) == text


def test_what_is_no_name_at_all_is_no_operation(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError, match=r"^unknown operation 5; known are callback, cancel, "):
        ocbulk.faults.on(5, status(503))  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(OcBulkError, match=r"^unknown operation 5; known are "):
        ocbulk.assert_called(5)  # type: ignore[arg-type]  # as above


def test_a_file_of_contacts_stands_for_its_rows(fake: OcBulk) -> None:
    csv = fake.contacts(3)
    fake.seed("contact", csv)
    assert len(fake.records("contact")) == 3
    other = fake.contacts(2)
    upload(fake, other.bytes)
    fake.assert_uploaded("contact", other, key="C_EmailAddress")


def test_a_column_of_a_records_own_key_can_be_seeded_back(ocbulk: OcBulk, make_ocbulk: MakeOcBulk) -> None:
    ocbulk.seed("contact", [{"C_EmailAddress": "ann@example.com"}])
    make_ocbulk().seed("contact", ocbulk.records("contact"))


def test_a_configuration_of_ones_own_is_kept_and_seen_by_a_client(fake: OcBulk) -> None:
    fake.configuration["my.setting"] = "on"
    fake.configuration["event.notification.signature.key"] = "secret"
    shown = call(fake, "GET", "/instances").json()
    assert (
        next(each["configuration"]["my.setting"] for each in shown if "my.setting" in each["configuration"])
        == "on"
    )
    assert dict(fake.configuration)["my.setting"] == "on"
    assert repr(fake.configuration) == "<Configuration: my.setting, event.notification.signature.key>"
    del fake.configuration["my.setting"]
    assert list(fake.configuration) == ["event.notification.signature.key"]


@pytest.mark.ocbulk(allow=("undelivered_callback", "client_warning"))
def test_a_refused_callback_tells_how_its_host_is_allowed(ocbulk: OcBulk) -> None:
    upload_with_callback(ocbulk, "https://hook.example/x")
    ocbulk.jobs[0].finish()
    assert [each.failure for each in ocbulk.callbacks] == [
        (
            "callbacks go to this machine only, and hook.example is not among the allowed hosts; to allow it:"
            " ocbulk.allow_callbacks_to('hook.example')"
        )
    ]


def test_a_condition_that_cannot_be_read_is_shown(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError, match=re.escape("records('contact', where='C_FirstName ='): ")):
        ocbulk.records("contact", "C_FirstName =")


def test_records_may_come_later_than_the_end_of_their_job(fake: OcBulk) -> None:
    fake.visibility(lag="5s")
    upload(fake)
    fake.jobs[0].finish()
    assert fake.records("contact") == []
    fake.clock.advance("5s")
    assert len(fake.records("contact")) == 2


def test_a_closed_fakes_failed_rows_are_not_the_next_ones(ocbulk: OcBulk) -> None:
    emulator = ocbulk.evidence.emulator
    ocbulk.next_job(fail_rows={1: "bad"})
    upload(ocbulk)
    ocbulk.jobs[0].finish()
    assert emulator.store.failures("1234", 0, 10) == [(1, "bad")]
    emulator.close_instance(ocbulk.evidence.instance)
    assert emulator.store.failures("1234", 0, 10) == []


# -- contacts ---------------------------------------------------------------------------------------------


def test_contacts_are_a_file_below_the_tests_own_directory(ocbulk: OcBulk, tmp_path: Path) -> None:
    csv = ocbulk.contacts(3)
    assert csv.path.parent == tmp_path
    assert csv.path.read_bytes() == csv.bytes
    assert len(csv.rows) == 3


def test_each_call_makes_other_contacts(ocbulk: OcBulk) -> None:
    assert ocbulk.contacts(3).bytes != ocbulk.contacts(3).bytes


def test_a_seed_decides_which_contacts_are_made(ocbulk: OcBulk) -> None:
    assert ocbulk.contacts(3, seed=1).bytes == ocbulk.contacts(3, seed=1).bytes
    assert ocbulk.contacts(3, seed=1).bytes != ocbulk.contacts(3, seed=2).bytes


def test_the_errors_that_contacts_will_cause_are_those_that_come(fake: OcBulk) -> None:
    csv = fake.contacts(20, bad={"email": 2, "duplicate": 1})
    upload(fake, csv.bytes)
    fake.jobs[0].finish()
    errors = [{"rowNum": each["rowNum"], "status": each["status"]} for each in fake.jobs[0].errors]
    assert errors == csv.expected_errors
    fake.assert_uploaded("contact", csv.good_rows, key="C_EmailAddress")


def test_contacts_take_the_form_that_is_asked_for(ocbulk: OcBulk) -> None:
    csv = ocbulk.contacts(2, encoding="cp1252", delimiter=";", newline="\r\n", locale="de_DE")
    assert csv.bytes.decode("cp1252").splitlines()[0].split(";") == list(csv.columns)
    assert ocbulk.contacts(1, bom=True).bytes.startswith(b"\xef\xbb\xbf")


# -- jobs -------------------------------------------------------------------------------------------------


def test_a_planned_course_is_followed_by_the_clock(fake: OcBulk) -> None:
    fake.next_job("CREATED 2s RUNNING 40s COMPLETE")
    upload(fake)
    job = fake.jobs["1234"]
    assert (job.status, job.timeline, job.ended) == ("CREATED", "CREATED 2s RUNNING 40s COMPLETE", False)
    fake.clock.advance("3s")
    assert job.status == "RUNNING"
    fake.clock.advance("40s")
    assert (job.status, job.ended) == ("COMPLETE", True)
    assert job.history == [("CREATED", 0.0), ("RUNNING", 2.0), ("COMPLETE", 42.0)]


def test_a_job_can_be_taken_through_its_course_by_hand(fake: OcBulk) -> None:
    fake.next_job("CREATED 2s RUNNING forever")
    upload(fake)
    job = fake.jobs[-1]
    job.advance()
    assert job.status == "RUNNING"
    job.finish()
    assert (job.status, job.records_count, job.failed_count) == ("COMPLETE", 2, 0)


def test_a_job_can_fail_by_hand(fake: OcBulk) -> None:
    fake.next_job("CREATED forever")
    upload(fake)
    fake.jobs[0].fail("the provider is away", status="ERROR")
    answer = call(fake, "GET", "/bulk/1234/status").json()
    assert (answer["status"], answer["error"]) == ("ERROR", "the provider is away")
    assert fake.jobs[0].error == "the provider is away"


def test_finishing_what_has_succeeded_changes_nothing_and_what_has_failed_cannot_be(ocbulk: OcBulk) -> None:
    upload(ocbulk)
    ocbulk.jobs[0].finish()
    history = ocbulk.jobs[0].history
    ocbulk.jobs[0].finish()
    assert ocbulk.jobs[0].history == history
    upload(ocbulk)
    ocbulk.jobs[1].fail("away")
    with pytest.raises(OcBulkError, match="job 1235 is ABORTED already, which is final"):
        ocbulk.jobs[1].finish()


def test_a_large_upload_on_a_server_is_finished_when_its_rows_are_there(ocbulk_server: OcBulk) -> None:
    ocbulk_server.next_job("CREATED forever")
    upload(ocbulk_server, b"name\n" + b"a company with a name\n" * 20_000, "account")
    ocbulk_server.jobs[0].finish()
    assert (ocbulk_server.jobs[0].status, ocbulk_server.jobs[0].records_count) == ("COMPLETE", 20_000)


def test_rows_that_are_to_fail_do(fake: OcBulk) -> None:
    fake.next_job(fail_rows={2: "bad email"})
    upload(fake)
    fake.jobs[0].finish()
    assert fake.jobs[0].errors == [{"rowNum": 2, "status": "bad email", "error": None, "response": None}]


def test_jobs_are_a_sequence(ocbulk: OcBulk) -> None:
    upload(ocbulk)
    upload(ocbulk, object="account")
    assert [job.object for job in ocbulk.jobs] == ["contact", "account"]
    assert [job.id for job in ocbulk.jobs[1:]] == ["1235"]
    with pytest.raises(OcBulkError, match=r"there is no job '7'; the jobs so far are 1234, 1235"):
        ocbulk.jobs["7"]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda job: job.ended, True),
        (lambda job: job.records_count, 2),
        (lambda job: job.failed_count, 1),
        (lambda job: [each["rowNum"] for each in job.errors], [2]),
        (lambda job: [word for word, _ in job.history], ["CREATED", "COMPLETE"]),
        (lambda job: job.status, "COMPLETE"),
    ],
    ids=["ended", "records_count", "failed_count", "errors", "history", "status"],
)
def test_whatever_is_asked_about_a_job_what_is_due_happens_first(
    fake: OcBulk, ask: Callable[[OcBulkJob], object], told: object
) -> None:
    fake.next_job(fail_rows={2: "bad email"})
    upload(fake)
    assert ask(fake.jobs[0]) == told


def test_a_failed_job_tells_why_without_being_asked_for_its_status(fake: OcBulk) -> None:
    fake.next_job(error="quota exceeded")
    upload(fake)
    assert fake.jobs[0].error == "quota exceeded"


def test_a_job_is_known_by_its_id_as_text_as_number_and_as_itself(fake: OcBulk) -> None:
    upload(fake)
    upload(fake, object="account")
    assert "1234" in fake.jobs
    assert 1235 in fake.jobs
    assert "1236" not in fake.jobs
    assert fake.jobs[0] in fake.jobs
    assert fake.jobs[1] == fake.jobs["1235"] != fake.jobs[0]
    assert {fake.jobs[0], fake.jobs["1234"]} == {fake.jobs[0]}
    with pytest.raises(OcBulkError) as refusal:
        assert None in fake.jobs
    assert str(refusal.value) == (
        "a job is named by its id, such as '1234', or is one of ocbulk.jobs, got None"
    )


def test_jobs_of_two_fakes_are_not_the_same(ocbulk: OcBulk, ocbulk_server: OcBulk) -> None:
    assert upload(ocbulk) == upload(ocbulk_server)
    assert ocbulk.jobs[0] != ocbulk_server.jobs[0]
    assert ocbulk_server.jobs[0] not in ocbulk.jobs


@pytest.mark.ocbulk(quirks={"id_type": "number"})
def test_the_number_that_the_service_gives_as_an_id_is_understood(ocbulk: OcBulk) -> None:
    job = call(ocbulk, "POST", "/bulk/contact", files={"file": CSV}).json()["id"]
    call(ocbulk, "GET", f"/bulk/{job}/status")
    assert job == 1234
    ocbulk.assert_polite_polling(job=job)
    ocbulk.assert_job_not_abandoned(job=job)
    ocbulk.assert_called("status", job=job, times=1)
    ocbulk.assert_called("status", job=ocbulk.jobs[0], times=1)
    with pytest.raises(OcBulkError) as refusal:
        ocbulk.jobs[job]
    assert str(refusal.value) == (
        "there is no job at place 1234; the jobs so far are 1234; by its id it is jobs['1234']"
    )


@pytest.mark.ocbulk(dialect="live")
def test_jobs_speak_the_dialect(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 1s COMPLETE")
    upload(ocbulk)
    assert ocbulk.jobs[0].timeline == "CREATED 1s COMPLETED"
    ocbulk.jobs[0].finish()
    assert ocbulk.jobs[0].status == "COMPLETED"
    assert ocbulk.dialect == "live"


# -- faults and callbacks ---------------------------------------------------------------------------------


def test_a_fault_strikes_as_often_as_planned(fake: OcBulk) -> None:
    fake.faults.on("objects", status(503), times=2)
    assert [call(fake, "GET", "/objects").status_code for _ in range(3)] == [503, 503, 200]


def test_a_callback_arrives_when_the_job_ends(fake: OcBulk, ocbulk_receiver: Receiver) -> None:
    fake.configuration["event.notification.signature.key"] = ocbulk_receiver.key = "secret"
    upload_with_callback(fake, ocbulk_receiver.url)
    fake.jobs[0].finish()
    callback = ocbulk_receiver.wait_for()
    assert callback.verified
    assert callback.json()["status"] == "COMPLETE"
    assert [attempt.outcome for attempt in fake.callbacks] == ["delivered"]


def test_a_callback_that_is_due_comes_while_it_is_waited_for(fake: OcBulk, ocbulk_receiver: Receiver) -> None:
    upload_with_callback(fake, ocbulk_receiver.url)
    assert ocbulk_receiver.wait_for(timeout=PATIENCE).json()["status"] == "COMPLETE"


def test_who_sees_that_a_job_has_ended_sees_its_callback_too(ocbulk: OcBulk) -> None:
    with Receiver() as receiver:
        upload_with_callback(ocbulk, receiver.url)
        assert ocbulk.jobs[0].status == "COMPLETE"
        assert len(receiver) == 1
        assert [attempt.outcome for attempt in ocbulk.callbacks] == ["delivered"]


def test_a_receiver_may_ask_about_the_job_whose_callback_it_is_given(fake: OcBulk) -> None:
    seen = []

    class Asking(Receiver):
        def _take(self, *arguments: Any) -> int:
            seen.append(fake.jobs[0].status)
            return super()._take(*arguments)

    with Asking() as receiver:
        upload_with_callback(fake, receiver.url)
        fake.clock.advance("1s")
        receiver.wait_for(timeout=PATIENCE)
    assert seen == ["COMPLETE"]
    assert [attempt.outcome for attempt in fake.callbacks] == ["delivered"]


def test_a_callback_that_the_servers_own_thread_is_posting_is_waited_for(ocbulk_server: OcBulk) -> None:
    posting, go_on = threading.Event(), threading.Event()

    class Slow(Receiver):
        def _take(self, *arguments: Any) -> int:
            posting.set()
            assert go_on.wait(PATIENCE)
            return super()._take(*arguments)

    with Slow() as receiver:
        upload_with_callback(ocbulk_server, receiver.url)
        call(ocbulk_server, "GET", "/bulk/1234/status")  # the job ends; nobody delivers but the server
        assert posting.wait(PATIENCE)
        threading.Timer(0.05, go_on.set).start()  # later than one who does not wait comes to the last line
        ocbulk_server.jobs[0].finish()
        assert [attempt.outcome for attempt in ocbulk_server.callbacks] == ["delivered"]


def test_a_callback_goes_where_it_is_allowed_to(ocbulk: OcBulk) -> None:
    ocbulk.allow_callbacks_to("hook.test")
    ocbulk.faults.on("callback", twice())
    upload_with_callback(ocbulk, "https://hook.test/done")
    with responses.RequestsMock() as mock:
        mock.post("https://hook.test/done", status=204)
        ocbulk.jobs[0].finish()
        assert len(mock.calls) == 2


# -- several ----------------------------------------------------------------------------------------------


def test_a_test_can_have_several_fakes(ocbulk: OcBulk, make_ocbulk: MakeOcBulk) -> None:
    sage, live = make_ocbulk(connector="sage200"), make_ocbulk(dialect="live")
    sql = make_ocbulk(connector="sqlserver", server=True)
    assert [each.connector for each in (ocbulk, sage, live, sql)] == [
        "marketing",
        "sage200",
        "marketing",
        "sqlserver",
    ]
    upload(ocbulk)
    upload(live)
    assert [len(each.jobs) for each in (ocbulk, sage, live)] == [1, 0, 1]
    assert ocbulk.jobs[0].id != live.jobs[0].id
    assert len({each.element_token for each in (ocbulk, sage, live, sql)}) == 4


def test_one_fake_cannot_speak_both_dialects(make_ocbulk: MakeOcBulk) -> None:
    with pytest.raises(OcBulkError) as refusal:
        make_ocbulk(dialect="both")
    assert str(refusal.value) == (
        "dialect 'both' runs a test twice, so it is for the marker and the options; one fake speaks one dialect"
    )


def test_what_is_given_to_the_factory_is_checked(make_ocbulk: MakeOcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        make_ocbulk(connector="sage20")
    assert str(refused.value) == (
        "unknown connector 'sage20' (a file of your own ends in .toml); did you mean 'sage200'?"
    )


def test_the_server_door_intercepts_nothing(ocbulk_server: OcBulk) -> None:
    assert ocbulk_server.other_hosts == "pass"
    with pytest.raises(OcBulkError) as refused:
        ocbulk_server.other_hosts = "refuse"
    assert str(refused.value) == (
        "other_hosts is for the in-process fixture `ocbulk`: `ocbulk_server` intercepts nothing"
    )


def test_a_served_fake_can_be_installed_into_a_mock(ocbulk_server: OcBulk) -> None:
    with responses.RequestsMock() as mock:
        ocbulk_server.install_into(mock)
        assert call(ocbulk_server, "GET", "/objects").ok


def test_a_copy_of_the_process_starts_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # A real fork of a process with threads may hang, and warns from Python 3.12 on; a new process id is what counts.
    door = ServerDoor()
    door.begin(read_settings({}, "test", Path))
    original, port = door._server, door.base_url
    assert door.base_url == port
    monkeypatch.setattr("os.getpid", lambda: 1)
    assert door.base_url != port
    door.close()
    assert original is not None
    original.stop()
