"""The examples of docs/verdicts.md; each block of the page is a part of this file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from pytest_ocbulk import OcBulk, Receiver, rate_limit

PAGE = Path(__file__).parent.parent.parent / "docs" / "verdicts.md"
CSV = "C_EmailAddress,C_FirstName\nann@example.com,Ann\nbob@example.com,Bob\n"

pytestmark = pytest.mark.ocbulk(allow=["client_warning"])


def upload(fake: OcBulk) -> str:
    """Code under test: upload, and say which job it is."""
    files = {"file": ("a.csv", CSV)}
    answer = requests.post(f"{fake.base_url}/bulk/contact", headers=fake.headers, files=files, timeout=5)
    return str(answer.json()["id"])


def upload_with_blind_retries(fake: OcBulk) -> str:
    """Code under test: upload again when the connection breaks."""
    try:
        return upload(fake)
    except requests.ConnectionError:
        return upload(fake)


def wait_for(fake: OcBulk, job: str, pause: float = 0.0) -> None:
    """Code under test: poll until the job is complete."""
    while True:
        answer = requests.get(f"{fake.base_url}/bulk/{job}/status", headers=fake.headers, timeout=5)
        if answer.ok and answer.json()["status"] == "COMPLETE":
            return
        time.sleep(pause)


# --- the page begins here


def test_a_lost_answer_is_not_uploaded_twice(ocbulk_server: OcBulk) -> None:
    ocbulk_server.faults.add("upload:reset:after")  # the job is created, the answer never arrives

    upload_with_blind_retries(ocbulk_server)

    with pytest.raises(AssertionError) as verdict:
        ocbulk_server.assert_no_duplicate_uploads()
    assert str(verdict.value) == (
        "expected every row to be uploaded once:\n"
        "- contact: rows 1-2 uploaded twice, by job 1234 at +0s and job 1235 at +0s, 0s apart"
        " (same content, sha256 7c3df743d4ef); the answer to the first was lost (upload:reset:after),"
        " but the job was there: before a POST is repeated, GET /bulk/jobs tells whether it arrived"
    )


def test_failed_rows_are_noticed(ocbulk: OcBulk) -> None:
    ocbulk.next_job(fail_rows={2: "bad e-mail"})

    wait_for(ocbulk, upload(ocbulk))

    with pytest.raises(AssertionError) as verdict:
        ocbulk.assert_errors_were_read()
    assert str(verdict.value) == (
        "expected the errors of failed rows to be read, for COMPLETE does not mean that all rows are in:\n"
        "- job 1234: 1 of 2 rows failed, and GET /bulk/1234/errors was never called;"
        " the first of them is row 2: bad e-mail"
    )


def test_polling_is_polite(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 1m COMPLETE")
    ocbulk.faults.on("status", rate_limit("30s"))

    with ocbulk.clock.drives_sleep():
        wait_for(ocbulk, upload(ocbulk), pause=0.5)

    with pytest.raises(AssertionError) as verdict:
        ocbulk.assert_polite_polling(max_polls=60)
    assert str(verdict.value) == (
        "expected polite polling:\n"
        "- job 1234: 120 of 120 pauses between polls were shorter than 1s, the shortest 500ms\n"
        "- job 1234: polled 121 times, expected at most 60\n"
        "- GET /elements/api-v2/bulk/1234/status was answered 429 at +0s with Retry-After of 30s,"
        " and called again 500ms later"
    )


def test_every_job_is_watched_to_its_end(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED RUNNING 10m COMPLETE")

    upload(ocbulk)
    ocbulk.clock.advance("1h")

    with pytest.raises(AssertionError) as verdict:
        ocbulk.assert_job_not_abandoned()
    assert str(verdict.value) == (
        "expected every job to be watched to its end, announced by a callback, or cancelled:\n"
        "- job 1234 (contact) is COMPLETE since +10m, and nobody ever asked for its status"
    )


def test_the_webhook_checks_who_calls(ocbulk: OcBulk) -> None:
    ocbulk.configuration["event.notification.signature.key"] = "secret"

    with Receiver("secret", strict=True) as webhook:  # your own, in your test
        ocbulk.assert_signature_checked(webhook.url)

    with Receiver("secret") as careless, pytest.raises(AssertionError, match="200 to one without"):
        ocbulk.assert_signature_checked(careless.url)


def test_warnings_are_what_is_certain(ocbulk: OcBulk) -> None:
    ocbulk.next_job(fail_rows={2: "bad e-mail"})
    wait_for(ocbulk, upload(ocbulk))

    (warning,) = ocbulk.warnings()
    assert warning.startswith("job 1234: 1 of 2 rows failed, and GET /bulk/1234/errors was never called")


# --- the page ends here


def test_every_block_of_the_page_is_run_here() -> None:
    blocks = [block.partition("```")[0] for block in PAGE.read_text().split("```python\n")[1:]]
    run = Path(__file__).read_text().partition("# --- the page begins here")[2]
    assert len(blocks) >= 6
    assert [block for block in blocks if block not in run] == []
