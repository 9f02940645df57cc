"""The client against the fake, behind a socket and in process, and against a real account if there is one.

What the client does by itself is tested in tests/client/, against answers that are not ours. Here it meets a service:
the fake, and with OCBULK_REAL=1 and the OPEN_CONNECTORS_... variables set the instance that they name (object
`contact` of a marketing connector, or OCBULK_REAL_OBJECT; contacts are created there and stay).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from pytest_ocbulk.client import (
    BadRequest,
    BulkClient,
    BulkClientError,
    ConnectionFailed,
    JobFailed,
    JobStatusReport,
    NotFound,
    RowsFailed,
    Unauthorized,
    UploadOutcomeUnknown,
    WaitTimedOut,
)
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.faults import Fault
from pytest_ocbulk.emulator.faults.kinds import (
    empty,
    malformed_json,
    rate_limit,
    reset,
    status,
    truncate,
    wrong_type,
)
from pytest_ocbulk.server import Server

from .served import Served, served

REAL = os.environ.get("OCBULK_REAL") == "1"
OBJECT = os.environ.get("OCBULK_REAL_OBJECT", "contact") if REAL else "contact"


@pytest.fixture(
    params=[
        "documented",
        "live",
        "in process",
        pytest.param("real", marks=pytest.mark.skipif(not REAL, reason="OCBULK_REAL is not 1")),
    ]
)
def client(request: pytest.FixtureRequest, server: tuple[Server, Emulator]) -> Iterator[BulkClient]:
    """A client of each service there is."""
    if request.param == "real":
        with BulkClient.from_environment() as client:
            yield client
        return
    if request.param == "in process":
        with request.getfixturevalue("ocbulk").client() as client:
            yield client
        return
    with served(*server, dialect=request.param) as fake, fake.client() as client:
        yield client


def people(count: int) -> tuple[list[str], bytes]:
    """E-mail addresses that nobody has yet, and a CSV of them."""
    addresses = [f"{uuid.uuid4().hex}@example.com" for _ in range(count)]
    lines = [f"{address},Ann,Smith" for address in addresses]
    return addresses, "\n".join(["C_EmailAddress,C_FirstName,C_LastName", *lines, ""]).encode()


# --- what any service does ------------------------------------------------------------------------------------------


def test_the_object_is_listed_and_described(client: BulkClient) -> None:
    assert OBJECT in client.objects()
    assert "C_EmailAddress" in [field.name for field in client.metadata(OBJECT)]


def test_uploaded_rows_are_found_as_records(client: BulkClient) -> None:
    (address,), csv = people(1)
    report = client.wait(client.upload(OBJECT, csv, file_name="people.csv")).check()
    assert (report.records_count, report.records_failed_count) == (1, 0)
    (record,) = client.records(OBJECT, f"C_EmailAddress='{address}'")
    assert record["C_FirstName"] == "Ann"
    assert report.id in [job.id for job in client.jobs("job_direction='UPLOAD'")]


def test_a_row_that_is_refused_is_an_error_of_a_job_that_is_complete(client: BulkClient) -> None:
    _, csv = people(2)
    report = client.wait(client.upload(OBJECT, csv + b"nobody,Ann,Smith\n", {"bulkUploadRecordSize": 1}))
    assert report.succeeded
    with pytest.raises(RowsFailed, match="1 of 3 rows failed"):
        report.check()
    (error,) = client.errors(report)
    assert error.row == 3


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_a_query_gives_back_what_was_uploaded(client: BulkClient, format_: str) -> None:
    (address,), csv = people(1)
    client.wait(client.upload(OBJECT, csv)).check()
    q = f"select C_EmailAddress,C_LastName from {OBJECT} where C_EmailAddress='{address}'"
    job = client.wait(client.query(q))
    rows = client.download(job, OBJECT, "json" if format_ == "json" else "csv")
    assert list(rows) == [{"C_EmailAddress": address, "C_LastName": "Smith"}]


def test_a_query_that_cannot_be_parsed_is_refused(client: BulkClient) -> None:
    with pytest.raises(BadRequest, match="Error parsing query") as caught:
        client.query("select * contacts")
    assert caught.value.request_id


def test_an_unknown_job_is_not_found(client: BulkClient) -> None:
    with pytest.raises(NotFound) as caught:
        client.status(999_999_999)
    assert caught.value.request_id


# --- what only the fake can be told to do ---------------------------------------------------------------------------


def test_a_wrong_secret_is_refused(fake: Served) -> None:
    wrong = BulkClient.from_environment(fake.environment, user_secret="wrong")
    with wrong as client, pytest.raises(Unauthorized, match="Invalid Organization or User secret"):
        client.objects()


def test_a_hub_that_does_not_exist_does_no_harm(fake: Served) -> None:
    with BulkClient.from_environment(fake.environment, hub="invented") as client:
        assert "contact" in client.objects()


def test_waiting_sees_the_job_through_its_course(fake: Served) -> None:
    fake.next_job("CREATED 2s RUNNING 10m COMPLETE")
    seen: list[str] = []
    with fake.client() as client:
        job = client.upload("contact", people(3)[1])
        client.wait(job, on_poll=lambda report: seen.append(report.status)).check()
    assert list(dict.fromkeys(seen)) == ["CREATED", "RUNNING", "COMPLETE"]
    assert 602 <= fake.clock.elapsed <= 632, "the end is seen one longest interval late at most"


def test_waiting_gives_up_in_time(fake: Served) -> None:
    fake.next_job("CREATED RUNNING forever")
    with fake.client() as client:
        job = client.upload("contact", people(1)[1])
        with pytest.raises(WaitTimedOut, match="is still RUNNING after 90 s"):
            client.wait(job, timeout=90)
    assert fake.clock.elapsed == 90


@pytest.mark.parametrize("end", ["ABORTED", "ERROR"])
def test_a_job_that_fails_tells_its_error(fake: Served, end: str) -> None:
    fake.next_job(f"CREATED RUNNING x1 {end}", error="All prospects require either 'email' or 'id'")
    with fake.client() as client:
        report = client.wait(client.upload("contact", people(1)[1]))
        assert report.error == "All prospects require either 'email' or 'id'"
        with pytest.raises(JobFailed, match=f"ended {end}: All prospects"):
            report.check()


def test_a_cancelled_job_ends_cancelled(fake: Served) -> None:
    fake.next_job("CREATED RUNNING forever")
    with fake.client() as client:
        job = client.upload("contact", people(1)[1])
        client.cancel(job)
        assert client.wait(job, timeout=60).word == "CANCELLED"


def test_thirty_seven_errors_come_in_pages(fake: Served) -> None:
    csv = b"C_EmailAddress\n" + b"nobody\n" * 37
    with fake.client() as client:
        job = client.wait(client.upload("contact", csv, {"bulkUploadRecordSize": 1}))
        assert [error.row for error in client.errors(job, page_size=30)] == list(range(1, 38))


@pytest.mark.parametrize(
    "quirks", [{}, {"json_shape": "array"}, {"id_type": "number"}, {"jobs_generation": "older"}]
)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_no_oddity_of_the_service_shows_in_rows(
    server: tuple[Server, Emulator], quirks: dict[str, object], count: int
) -> None:
    addresses, csv = people(count)
    with served(*server, quirks=quirks) as fake, fake.client() as client:
        client.wait(client.upload("contact", csv)).check()
        job = client.wait(client.query("select C_EmailAddress from contact"))
        rows = list(client.download(job, "contact", "json"))
        assert [row["C_EmailAddress"] for row in rows] == addresses
        assert job.id in [each.id for each in client.jobs()]


def test_a_result_is_saved_as_it_is(fake: Served, tmp_path: Path) -> None:
    with fake.client() as client:
        client.wait(client.upload("contact", b"C_EmailAddress\na@x.com\n")).check()
        job = client.wait(client.query("select C_EmailAddress from contact"))
        client.download(job, "contact", to=tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"C_EmailAddress\na@x.com\n"


# --- what goes wrong on the way -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [reset(), truncate(5), malformed_json(), empty(), status(503)], ids=lambda fault: fault.kind
)
def test_an_upload_whose_answer_got_lost_is_found_and_its_rows_are_in(fake: Served, fault: Fault) -> None:
    (address,), csv = people(1)
    fake.instance.faults.on("upload", fault, phase="after")
    with fake.client() as client:
        with pytest.raises(UploadOutcomeUnknown) as lost:
            client.upload("contact", csv)
        found = client.find_upload(lost.value.attempt)
        assert found is not None
        client.wait(found).check()
        assert [record["C_EmailAddress"] for record in client.records("contact")] == [address]
    assert len(fake.instance.jobs) == 1


def test_an_upload_that_never_arrived_is_not_found(fake: Served) -> None:
    fake.instance.faults.on("upload", reset(), phase="before")
    with fake.client() as client:
        with pytest.raises(UploadOutcomeUnknown) as lost:
            client.upload("contact", people(1)[1])
        assert client.find_upload(lost.value.attempt) is None


def test_waiting_outlasts_what_passes(fake: Served) -> None:
    fake.next_job("CREATED 60s COMPLETE")
    with fake.client() as client:
        job = client.upload("contact", people(1)[1])
        fake.instance.faults.on("status", status(503), times=2)
        fake.instance.faults.on("status", rate_limit(retry_after=40))
        fake.instance.faults.on("status", reset(), times=2)
        client.wait(job).check()
    assert fake.clock.elapsed >= 60


def test_pages_of_errors_come_whole_though_one_was_lost(fake: Served) -> None:
    csv = b"C_EmailAddress\n" + b"nobody\n" * 37
    with fake.client() as client:
        job = client.wait(client.upload("contact", csv, {"bulkUploadRecordSize": 1}))
        fake.instance.faults.on("errors", truncate(200))
        assert [error.row for error in client.errors(job, page_size=30)] == list(range(1, 38))


def test_a_result_that_breaks_off_is_no_result(fake: Served, tmp_path: Path) -> None:
    with fake.client() as client:
        client.wait(client.upload("contact", people(50)[1])).check()
        job = client.wait(client.query("select * from contact"))
        fake.instance.faults.on("download", truncate(100))
        with pytest.raises(ConnectionFailed, match="the body broke off"):
            client.download(job, "contact", to=tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


CALLS: dict[str, Callable[[BulkClient, JobStatusReport], object]] = {
    "upload": lambda client, job: client.upload("contact", people(1)[1]),
    "status": lambda client, job: client.status(job),
    "errors": lambda client, job: list(client.errors(job)),
    "objects": lambda client, job: client.objects(),
    "metadata": lambda client, job: client.metadata("contact"),
    "query": lambda client, job: client.query("select * from contact"),
    "cancel": lambda client, job: client.cancel(job),
    "records": lambda client, job: list(client.records("contact")),
    "download": lambda client, job: list(client.download(job, "contact", "json")),
    "jobs": lambda client, job: list(client.jobs()),
}
BREAKAGES = (
    reset(),
    truncate(7),
    malformed_json(),
    empty(),
    wrong_type(),
    status(500),
    rate_limit(1),
)


@pytest.mark.parametrize("fault", BREAKAGES, ids=lambda fault: fault.kind)
@pytest.mark.parametrize("operation", CALLS)
def test_whatever_breaks_the_client_raises_its_own_errors_only(
    fake: Served, operation: str, fault: Fault
) -> None:
    """A result that is empty, or of which nothing but brackets is left, has no rows; anything else must not pass."""
    with fake.client() as client:
        client.wait(client.upload("contact", people(1)[1])).check()
        job = client.wait(client.query("select * from contact"))
        fake.instance.faults.on(operation, fault, times="forever", phase=fault.phases[0])
        readable = operation == "download" and fault.kind in ("empty", "wrong_type")
        with nullcontext() if readable else pytest.raises(BulkClientError):
            CALLS[operation](client, job)


def test_a_file_of_many_chunks_arrives_whole(fake: Served, tmp_path: Path) -> None:
    addresses, csv = people(12_000)
    path = tmp_path / "people.csv"
    path.write_bytes(csv)
    with fake.client() as client, path.open("rb") as file:
        report = client.wait(client.upload("contact", iter(lambda: file.read(1000), b""))).check()
        assert report.records_count == 12_000
        assert report.file_size == path.stat().st_size
        (last,) = client.records("contact", f"C_EmailAddress='{addresses[-1]}'")
    assert last["C_LastName"] == "Smith"
