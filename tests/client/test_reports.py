"""Status bodies of every generation become one typed report."""

from __future__ import annotations

import pytest
import responses

from pytest_ocbulk.client import (
    BulkClient,
    Job,
    JobFailed,
    JobStatusReport,
    RowsFailed,
    UnexpectedAnswer,
)

from .stand_ins import BASE


def test_a_status_body_becomes_a_typed_report(client: BulkClient, service: responses.RequestsMock) -> None:
    """The example of protocol.md 3.4."""
    body = {
        "id": "42114492",
        "instanceId": 425904,
        "status": "COMPLETED",
        "object_name": "contacts",
        "job_direction": "UPLOAD",
        "fileFormat": "csv",
        "fileSize": 512,
        "recordsCount": 24,
        "recordsFailedCount": 1,
        "bulk_start_time": 1542829826619,
        "bulk_finish_time": 1542829827804,
        "metadata": '{"action":"upsert","primaryKeyName":"contact_id"}',
    }
    service.get(f"{BASE}/bulk/42114492/status", json=body)
    report = client.status(Job("42114492", "CREATED"))
    assert (report.id, report.status, report.records_count, report.records_failed_count) == (
        "42114492",
        "COMPLETED",
        24,
        1,
    )
    assert (report.object_name, report.direction, report.file_format, report.file_size) == (
        "contacts",
        "UPLOAD",
        "csv",
        512,
    )
    assert report.metadata == '{"action":"upsert","primaryKeyName":"contact_id"}'
    assert report.created is not None
    assert report.created.isoformat() == "2018-11-21T19:50:26.619000+00:00"
    assert report.raw["bulk_finish_time"] == 1542829827804
    assert (report.final, report.succeeded, report.failed, report.all_rows_in) == (True, True, False, False)


@pytest.mark.parametrize(
    "body",
    [
        {"id": 9, "status": "COMPLETED", "recordsCount": 3, "recordsFailedCount": 1},
        {"id": "9", "jobStatus": "COMPLETED", "recordCount": 3, "errorCount": 1},
        {"job_id": "9", "job_status": "COMPLETED", "record_count": 3, "error_count": 1},
    ],
    ids=["status body", "bulk v3", "older jobs list"],
)
def test_three_generations_of_names_mean_the_same(body: dict[str, object]) -> None:
    report = JobStatusReport.from_body(body)
    assert (report.id, report.word, report.records_count, report.records_failed_count) == (
        "9",
        "COMPLETED",
        3,
        1,
    )


@pytest.mark.parametrize(
    ("word", "final", "succeeded", "known"),
    [
        ("COMPLETE", True, True, True),
        ("COMPLETED", True, True, True),
        ("Completed", True, True, True),
        ("SUCCESS", True, True, True),
        ("WARNING", True, True, True),
        ("ABORTED", True, False, True),
        ("ERROR", True, False, True),
        ("CANCELLED", True, False, True),
        ("CANCELED", True, False, True),
        ("CREATED", False, False, True),
        ("STARTED", False, False, True),
        ("INITIATED", False, False, True),
        ("SCHEDULED", False, False, True),
        ("RUNNING", False, False, True),
        ("CANCELLATION_PENDING", False, False, True),
        ("FAILED", False, False, False),
        ("FINISHING", False, False, False),
    ],
)
def test_every_status_word_is_understood(word: str, final: bool, succeeded: bool, known: bool) -> None:
    report = JobStatusReport("7", word)
    assert (report.final, report.succeeded, report.known) == (final, succeeded, known)


@pytest.mark.parametrize("body", [[], "COMPLETED", {"id": "7"}, {"id": "7", "status": 3}])
def test_a_status_of_another_shape_is_said_so(
    client: BulkClient, service: responses.RequestsMock, body: object
) -> None:
    service.get(f"{BASE}/bulk/7/status", json=body)
    with pytest.raises(UnexpectedAnswer, match=r"^GET /bulk/7/status: expected a job's"):
        client.status("7")


def test_a_job_with_every_row_in_passes_the_check() -> None:
    report = JobStatusReport("7", "COMPLETE", 3, 0)
    assert report.check() is report


def test_a_completed_job_with_failed_rows_does_not_pass_the_check() -> None:
    with pytest.raises(RowsFailed) as caught:
        JobStatusReport("7", "COMPLETED", 24, 24).check()
    assert str(caught.value) == "job 7 ended COMPLETED, but 24 of 24 rows failed; errors('7') lists them"


def test_a_failed_or_unfinished_job_does_not_pass_the_check() -> None:
    with pytest.raises(
        JobFailed, match=r"^job 7 ended ABORTED: All prospects require either 'email' or 'id'$"
    ):
        JobStatusReport("7", "ABORTED", error="All prospects require either 'email' or 'id'").check()
    with pytest.raises(JobFailed, match=r"^job 7 has not ended, it is RUNNING$"):
        JobStatusReport("7", "RUNNING").check()
