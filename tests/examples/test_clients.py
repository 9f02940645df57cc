"""Ten bugs of real clients, each caught by a test with one line of ours; the corrected client passes the same test.

The line is marked; the others arrange what happens or call the client.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from requests.exceptions import JSONDecodeError

from pytest_ocbulk import MakeOcBulk, OcBulk, SleptTooLong

from .clients import (
    expects_records_at_once,
    ignores_failed_rows,
    loads_json_lines_as_one_value,
    never_stops_on_aborted,
    polls_without_pause,
    reads_one_page_of_errors,
    retries_a_post_blindly,
    trusts_unsigned_callbacks,
    waits_only_for_complete,
    waits_only_for_completed,
)

CSV = "C_EmailAddress,C_FirstName\n" + "".join(f"p{number}@example.com,P{number}\n" for number in range(1, 6))

Client = Callable[..., Any]


# -- the tests that a suite would have ---------------------------------------------------------------------


def a_push_comes_to_its_end(ocbulk: OcBulk, push: Client) -> None:
    with ocbulk.clock.drives_sleep(at_most="2m"):  # <- the line
        push(ocbulk.base_url, ocbulk.headers, CSV)


def an_aborted_job_is_noticed(ocbulk: OcBulk, push: Client) -> None:
    ocbulk.next_job("CREATED 2s RUNNING 5s ABORTED", error="quota exceeded")  # <- the line
    with ocbulk.clock.drives_sleep(at_most="2m"):
        assert push(ocbulk.base_url, ocbulk.headers, CSV) == "failed: quota exceeded"


def a_lost_answer_is_not_uploaded_twice(ocbulk: OcBulk, push: Client) -> None:
    ocbulk.faults.add("upload:reset:after")
    push(ocbulk.base_url, ocbulk.headers, CSV)
    ocbulk.assert_no_duplicate_uploads()  # <- the line


def failed_rows_are_noticed(ocbulk: OcBulk, push: Client) -> None:
    ocbulk.next_job(fail_rows={2: "bad e-mail", 3: "bad e-mail", 5: "too old"})
    push(ocbulk.base_url, ocbulk.headers, CSV)
    ocbulk.assert_errors_were_read()  # <- the line


def polling_is_polite(ocbulk: OcBulk, push: Client) -> None:
    ocbulk.next_job("CREATED RUNNING x5 COMPLETE")
    with ocbulk.clock.drives_sleep():
        push(ocbulk.base_url, ocbulk.headers, CSV)
    ocbulk.assert_polite_polling()  # <- the line


def a_webhook_checks_who_calls(ocbulk: OcBulk, webhook: Client) -> None:
    ocbulk.assert_signature_checked(webhook, key=trusts_unsigned_callbacks.KEY)  # <- the line


def late_records_are_waited_for(ocbulk: OcBulk, push: Client) -> None:
    ocbulk.visibility(lag="5s")  # <- the line
    with ocbulk.clock.drives_sleep():
        assert len(push(ocbulk.base_url, ocbulk.headers, CSV)) == 5


def a_result_is_read(ocbulk: OcBulk, query: Client) -> None:
    ocbulk.seed(
        "contact", [{"C_EmailAddress": "a@example.com"}, {"C_EmailAddress": "b@example.com"}]
    )  # <- the line
    with ocbulk.clock.drives_sleep():
        assert [each["C_EmailAddress"] for each in query(ocbulk.base_url, ocbulk.headers)] == [
            "a@example.com",
            "b@example.com",
        ]


# -- that they catch what they should ----------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A module of clients, the test that catches its bug, how it shows, in which dialect and behind which door."""

    module: Any
    test: Callable[[OcBulk, Client], None]
    shows: type[BaseException]
    words: str
    dialect: str = "documented"
    server: bool = False

    def __str__(self) -> str:
        return str(self.module.__name__).rpartition(".")[2]


CASES = [
    Case(
        waits_only_for_complete,
        a_push_comes_to_its_end,
        SleptTooLong,
        "wait for something that never comes. Job 1234 is COMPLETED since +0s",
        dialect="live",
    ),
    Case(
        waits_only_for_completed,
        a_push_comes_to_its_end,
        SleptTooLong,
        "wait for something that never comes. Job 1234 is COMPLETE since +0s",
    ),
    Case(never_stops_on_aborted, an_aborted_job_is_noticed, SleptTooLong, "Job 1234 is ABORTED since +7s"),
    Case(
        retries_a_post_blindly,
        a_lost_answer_is_not_uploaded_twice,
        AssertionError,
        "rows 1-5 uploaded twice, by job 1234 at +0s and job 1235 at +0s",
        server=True,
    ),
    Case(
        ignores_failed_rows,
        failed_rows_are_noticed,
        AssertionError,
        "3 of 5 rows failed, and GET /bulk/1234/errors was never called",
    ),
    Case(reads_one_page_of_errors, failed_rows_are_noticed, AssertionError, "read 2 of their 3 errors"),
    Case(
        polls_without_pause,
        polling_is_polite,
        AssertionError,
        "5 of 5 pauses between polls were shorter than 1s, the shortest 0s",
    ),
    Case(
        trusts_unsigned_callbacks,
        a_webhook_checks_who_calls,
        AssertionError,
        "answered 200 to one without a signature",
    ),
    Case(expects_records_at_once, late_records_are_waited_for, LookupError, "the contacts are not there"),
    Case(loads_json_lines_as_one_value, a_result_is_read, JSONDecodeError, "Extra data"),
]


@pytest.fixture
def fake(case: Case, make_ocbulk: MakeOcBulk) -> OcBulk:
    return make_ocbulk(dialect=case.dialect, server=case.server)


@pytest.mark.ocbulk(allow=["client_warning"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_faulty_client_is_caught(case: Case, fake: OcBulk) -> None:
    with pytest.raises(case.shows) as caught:
        case.test(fake, case.module.faulty)
    assert case.words in str(caught.value)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_corrected_client_passes_the_same_test(case: Case, fake: OcBulk) -> None:
    case.test(fake, case.module.corrected)


def test_every_bug_has_a_test() -> None:
    found = {path.stem for path in (Path(__file__).parent / "clients").glob("*.py")} - {"__init__"}
    assert found == {str(case) for case in CASES}
