"""The examples of docs/faults.md; each block of the page is a part of this file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from pytest_ocbulk import (
    OcBulk,
    OcBulkError,
    bad_signature,
    early,
    empty,
    latency,
    malformed_json,
    rate_limit,
    reset,
    reset_upload,
    status,
    truncate,
    twice,
)
from pytest_ocbulk.emulator.callbacks import SIGNATURE_KEY
from pytest_ocbulk.emulator.faults import operations
from pytest_ocbulk.receiver import Receiver

from .. import docs_faults
from ..docs_faults import PAGE

CSV = "C_EmailAddress,C_FirstName\nann@example.com,Ann\nbob@example.com,Bob\n"


def upload(fake: OcBulk, callback: str = "") -> str:
    """Code under test: upload, and say which job it is."""
    headers = fake.headers | ({"Elements-Async-Callback-Url": callback} if callback else {})
    answer = requests.post(
        f"{fake.base_url}/bulk/contact", headers=headers, files={"file": ("a.csv", CSV)}, timeout=5
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def job_status(fake: OcBulk, job: str) -> str:
    """Code under test: how far a job is."""
    answer = requests.get(f"{fake.base_url}/bulk/{job}/status", headers=fake.headers, timeout=5)
    answer.raise_for_status()
    return str(answer.json()["status"])


# --- the page begins here


def test_a_lost_answer(ocbulk_server: OcBulk) -> None:
    ocbulk_server.faults.on("upload", reset(), phase="after")  # the job is created, the answer never arrives

    with pytest.raises(requests.ConnectionError):
        upload(ocbulk_server)
    assert len(ocbulk_server.jobs) == 1  # whoever uploads again now has uploaded twice


def test_two_bad_answers_and_a_good_one(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("status", status(503), times=2)
    job = upload(ocbulk)

    for _ in range(2):
        with pytest.raises(requests.HTTPError, match="503"):
            job_status(ocbulk, job)
    assert job_status(ocbulk, job) == "COMPLETE"


def test_a_rate_limit_after_three_calls(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("status", rate_limit("30s"), after_calls=3)
    job = upload(ocbulk)

    assert [job_status(ocbulk, job) for _ in range(3)] == ["COMPLETE"] * 3
    answer = requests.get(f"{ocbulk.base_url}/bulk/{job}/status", headers=ocbulk.headers, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_an_upload_that_breaks_off(ocbulk_server: OcBulk) -> None:
    ocbulk_server.faults.on("upload", reset_upload(after=40))

    with pytest.raises(requests.ConnectionError):
        upload(ocbulk_server)
    assert len(ocbulk_server.jobs) == 0


def test_faults_in_one_line_of_text(ocbulk_server: OcBulk) -> None:
    ocbulk_server.faults.add("upload:reset:after")
    ocbulk_server.faults.add("status:503:x2")
    ocbulk_server.faults.add("download:stall:100:10s")

    assert [str(fault) for fault in ocbulk_server.faults] == [
        "upload:reset:after",
        "status:503:x2",
        "download:stall:100:10s",
    ]
    ocbulk_server.faults.clear()  # planned faults that never fire fail the test


def test_a_slow_service(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("objects", latency(between=("1s", "3s"), seed=7), times=10)

    for _ in range(10):
        requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers, timeout=5)
    assert 10 < ocbulk.clock.elapsed < 30  # in no time: in-process the fake's clock moves instead


def test_what_is_refused(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError, match=r"unknown operation 'uplaod'; did you mean 'upload'\?"):
        ocbulk.faults.on("uplaod", status(503))
    with pytest.raises(OcBulkError, match=r"truncate\(\) needs a socket: use the ocbulk_server fixture"):
        ocbulk.faults.on("download", truncate(after=100))


def test_what_has_not_happened_is_told(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("errors", malformed_json())
    ocbulk.faults.on("status", empty(), times=2)
    job = upload(ocbulk)
    with pytest.raises(requests.JSONDecodeError):
        job_status(ocbulk, job)

    assert [fault.describe() for fault in ocbulk.faults.pending] == [
        "errors:malformed_json never fired: no errors call came for it",
        "status:empty:x2 fired 1 of 2 times",
    ]
    ocbulk.faults.clear()


def test_a_callback_before_the_end_shows(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("callback", early())
    with Receiver() as receiver:
        job = upload(ocbulk, callback=receiver.url)
        ocbulk.clock.advance("1s")

        assert receiver.wait_for().json()["status"] == "COMPLETE"
        assert job_status(ocbulk, job) == "CREATED"
        assert job_status(ocbulk, job) == "COMPLETE"


def test_a_callback_from_somebody_else(ocbulk: OcBulk) -> None:
    ocbulk.configuration["event.notification.signature.key"] = "secret"
    ocbulk.faults.on("callback", bad_signature())
    with Receiver(key="secret", strict=True) as receiver:
        upload(ocbulk, callback=receiver.url)
        ocbulk.clock.advance("1s")

    assert [(each.verified, each.answered) for each in receiver.received] == [(False, 401)]
    (attempt,) = ocbulk.callbacks
    assert (attempt.status, attempt.fault) == (401, "callback:bad_signature")


# --- the page ends here


def test_the_key_of_signatures_is_spelled_as_on_the_page() -> None:
    assert SIGNATURE_KEY == "event.notification.signature.key"


def test_a_callback_that_comes_twice_comes_twice(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("callback", twice())
    with Receiver() as receiver:
        upload(ocbulk, callback=receiver.url)
        ocbulk.clock.advance("1s")
    first, second = receiver.received
    assert json.loads(first.body) == json.loads(second.body)


def test_the_tables_of_the_page_are_in_step_with_the_kinds() -> None:
    assert docs_faults.table() in PAGE.read_text(), "run: python -m tests.docs_faults"


def test_every_operation_that_the_page_names_is_one() -> None:
    listed = PAGE.read_text().partition("- **operation**")[2].partition("- **times**")[0]
    assert set(listed.split("`")[1::2]) <= operations()


def test_every_block_of_the_page_is_run_here() -> None:
    blocks = [block.partition("```")[0] for block in PAGE.read_text().split("```python\n")[1:]]
    run = Path(__file__).read_text().partition("# --- the page begins here")[2]
    assert len(blocks) >= 8
    assert [block for block in blocks if block not in run] == []
