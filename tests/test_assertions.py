"""What a test is told when rows did not arrive as they were, or calls were not made: letter by letter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import dedent
from typing import Any

import pytest
import requests

from pytest_ocbulk import OcBulk, OcBulkError, status

pytestmark = pytest.mark.ocbulk(allow="client_warning")  # the clients here are no example

ROWS = [
    {"C_EmailAddress": "ann@example.com", "C_FirstName": "Ann", "C_BusPhone": "0049"},
    {"C_EmailAddress": "bob@example.com", "C_FirstName": "Bob", "C_BusPhone": ""},
]
HEADER = "C_EmailAddress,C_FirstName,C_BusPhone\n"
GOOD = HEADER + "ann@example.com,Ann,0049\nbob@example.com,Bob,\n"


def upload(fake: OcBulk, content: str | bytes, object: str = "contact", finish: bool = True) -> None:
    body = content.encode() if isinstance(content, str) else content
    requests.post(
        f"{fake.base_url}/bulk/{object}",
        headers=fake.headers,
        files={"file": ("a.csv", body, "text/csv")},
        data={"metaData": '{"bulkUploadRecordSize": 1}'},
    )
    if finish and not fake.jobs[-1].ended:
        fake.jobs[-1].finish()


def complaint(
    fake: OcBulk,
    rows: Sequence[Mapping[str, object]] = ROWS,
    object: str = "contact",
    key: str = "C_EmailAddress",
) -> str:
    with pytest.raises(AssertionError) as raised:
        fake.assert_uploaded(object, rows, key=key)
    return str(raised.value)


def text(lines: str) -> str:
    return dedent(lines).strip("\n")


# -- rows -------------------------------------------------------------------------------------------------


def test_rows_that_arrived_as_they_were_are_fine(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD)
    ocbulk.assert_uploaded("contact", ROWS, key="C_EmailAddress")


def test_the_order_of_rows_does_not_matter(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD)
    ocbulk.assert_uploaded("contact", ROWS[::-1], key="C_EmailAddress")


def test_only_the_columns_of_the_rows_are_compared(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD)
    ocbulk.assert_uploaded(
        "contact", [{"C_EmailAddress": row["C_EmailAddress"]} for row in ROWS], key="C_EmailAddress"
    )


def test_an_empty_value_and_a_missing_one_are_the_same(ocbulk: OcBulk) -> None:
    upload(ocbulk, "C_EmailAddress,C_FirstName,C_BusPhone\nann@example.com,,\n")
    row = {"C_EmailAddress": "ann@example.com", "C_FirstName": None, "C_BusPhone": ""}
    ocbulk.assert_uploaded("contact", [row], key="C_EmailAddress")


@pytest.mark.ocbulk(connector="sqlserver")
def test_a_number_written_with_zeros_is_the_number(ocbulk: OcBulk) -> None:
    upload(ocbulk, "contact_id,first_name\n007,Ann\n", "contacts")
    ocbulk.assert_uploaded("contacts", [{"contact_id": "007", "first_name": "Ann"}], key="contact_id")


def test_what_was_seeded_is_not_extra(ocbulk: OcBulk) -> None:
    ocbulk.seed("contact", [{"C_EmailAddress": "eve@example.com"}])
    upload(ocbulk, GOOD)
    ocbulk.assert_uploaded("contact", ROWS, key="C_EmailAddress")


def test_the_time_that_has_passed_is_taken_into_account(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 5s COMPLETE")
    upload(ocbulk, GOOD, finish=False)
    ocbulk.clock.advance("5s")
    ocbulk.assert_uploaded("contact", ROWS, key="C_EmailAddress")


def test_missing_extra_and_changed_rows_are_told_apart(ocbulk: OcBulk) -> None:
    upload(ocbulk, HEADER + "ann@example.com,Ann,49\neve@example.com,Eve,\n")
    assert complaint(ocbulk) == text("""
        contact: expected 2 rows by C_EmailAddress: 1 missing, 1 changed, 1 extra
        missing: row 2: bob@example.com
        changed: row 1 (ann@example.com): C_BusPhone '0049' arrived as '49': leading zeros were lost
        extra: eve@example.com
        """)


def test_a_change_without_a_known_cause_is_shown_as_it_is(ocbulk: OcBulk) -> None:
    upload(ocbulk, HEADER + "ann@example.com,Zoe,0049\nbob@example.com,Bob,\n")
    assert complaint(ocbulk) == text("""
        contact: expected 2 rows by C_EmailAddress: 1 changed
        changed: row 1 (ann@example.com): C_FirstName 'Ann' arrived as 'Zoe'
        """)


def test_a_changed_key_is_a_changed_row_not_a_missing_one(ocbulk: OcBulk) -> None:
    upload(ocbulk, HEADER + "ANN@example.com,Ann,0049\nbob@example.com,Bob,\n")
    assert complaint(ocbulk) == text("""
        contact: expected 2 rows by C_EmailAddress: 1 changed
        changed: row 1 (ann@example.com): C_EmailAddress 'ann@example.com' arrived as 'ANN@example.com': \
upper and lower case were changed
        """)


def test_swapped_columns_are_one_cause_for_all_rows(ocbulk: OcBulk) -> None:
    rows = [
        {"name": "a", "first": "Ann", "last": "Abel", "city": "Bonn"},
        {"name": "b", "first": "Bob", "last": "Boes", "city": "Ulm"},
    ]
    upload(ocbulk, "name,first,last,city\na,Abel,Ann,Bonn\nb,Boes,Bob,Ulm\n", "account")
    assert complaint(ocbulk, rows, "account", "name") == text("""
        account: expected 2 rows by name: 2 with swapped columns
        swapped: columns 'first' and 'last' in 2 rows
        """)


def test_a_value_of_another_column_is_recognized(ocbulk: OcBulk) -> None:
    rows = [{"name": "a", "first": "Ann", "last": "Abel"}]
    upload(ocbulk, "name,first,last\na,Abel,Abel\n", "account")
    assert complaint(ocbulk, rows, "account", "name") == text("""
        account: expected 1 row by name: 1 changed
        changed: row 1 (a): first 'Ann' arrived as 'Abel': that is the value of last
        """)


def test_rows_that_came_twice_are_extra(ocbulk: OcBulk) -> None:
    upload(ocbulk, "name\na\n", "account")
    upload(ocbulk, "name\na\n", "account")
    assert complaint(ocbulk, [{"name": "a"}], "account", "name") == text("""
        account: expected 1 row by name: 1 extra
        extra: a
        """)


def test_an_extra_record_may_have_no_key(ocbulk: OcBulk) -> None:
    upload(ocbulk, "name,city\n,Bonn\n", "account")
    assert complaint(ocbulk, [], "account", "name") == text("""
        account: expected 0 rows by name: 1 extra
        extra: a record without name
        """)


def test_many_rows_are_counted(ocbulk: OcBulk) -> None:
    upload(ocbulk, "name\n", "account")
    rows = [{"name": str(number)} for number in range(1, 9)]
    assert complaint(ocbulk, rows, "account", "name") == text("""
        account: expected 8 rows by name: 8 missing
        missing: row 1: 1
        missing: row 2: 2
        missing: row 3: 3
        missing: row 4: 4
        missing: row 5: 5
        missing: ... and 3 more
        """)


# -- what happened on the way -----------------------------------------------------------------------------


def test_nothing_was_uploaded(ocbulk: OcBulk) -> None:
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        no upload to 'contact' was made
        """)


def test_it_was_uploaded_to_another_object(ocbulk: OcBulk) -> None:
    upload(ocbulk, "name\na\n", "account")
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        no upload to 'contact' was made, only to account
        """)


def test_a_wrong_delimiter(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD.replace(",", ";"))
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        job 1234 is ABORTED: All contact records require 'C_EmailAddress'
        job 1234: wrong delimiter: the file's columns are separated by ';', the service reads commas
        """)


def test_a_wrong_encoding(ocbulk: OcBulk) -> None:
    upload(ocbulk, (HEADER + "ann@example.com,Änn,0049\n").encode("cp1252"))
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        job 1234 is ABORTED: Row 1: not valid UTF-8
        job 1234: wrong encoding: row 1 is not UTF-8 (byte 0xc4), perhaps Windows-1252
        """)


def test_a_wrong_reading_of_the_right_encoding(ocbulk: OcBulk) -> None:
    upload(ocbulk, "C_EmailAddress,C_FirstName\nann@example.com,JÃ¶rg\n")
    assert complaint(ocbulk, [{"C_EmailAddress": "ann@example.com", "C_FirstName": "Jörg"}]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 changed
        changed: row 1 (ann@example.com): C_FirstName 'Jörg' arrived as 'JÃ¶rg': \
wrong encoding: UTF-8 was read as Windows-1252
        """)


def test_one_byte_order_mark_is_harmless_a_second_one_is_not(ocbulk: OcBulk) -> None:
    upload(ocbulk, "\ufeff" + GOOD)
    ocbulk.assert_uploaded("contact", ROWS, key="C_EmailAddress")
    upload(ocbulk, "\ufeff\ufeff" + GOOD.replace("@example.com", "@example.org"))
    rows = [{**row, "C_EmailAddress": row["C_EmailAddress"].replace(".com", ".org")} for row in ROWS]
    assert complaint(ocbulk, [*ROWS, rows[0]]) == text("""
        contact: expected 3 rows by C_EmailAddress: 1 missing
        missing: row 3: ann@example.org
        job 1235 is ABORTED: All contact records require 'C_EmailAddress'
        job 1235: column 'C_EmailAddress' is called '\\ufeffC_EmailAddress' in the file: \
a second byte order mark became part of it
        """)


def test_header_case(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD.replace("C_FirstName", "c_firstname"))
    assert complaint(ocbulk, [ROWS[0]]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 changed, 1 extra
        changed: row 1 (ann@example.com): C_FirstName 'Ann' arrived as '': the value was lost
        extra: bob@example.com
        job 1234: Ignored columns: c_firstname
        job 1234: column 'C_FirstName' is called 'c_firstname' in the file: header case
        """)


def test_a_column_that_the_object_does_not_have_is_told_with_the_nearest_one(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD)
    rows = [{**ROWS[0], "C_FirstNam": "Ann", "Nope": "x", "Empty": ""}, ROWS[1]]
    assert complaint(ocbulk, rows) == text("""
        contact: expected 2 rows by C_EmailAddress: 1 changed
        changed: row 1 (ann@example.com): C_FirstNam 'Ann' arrived as '': contact has no column 'C_FirstNam'; \
did you mean 'C_FirstName'?
        changed: row 1 (ann@example.com): Nope 'x' arrived as '': contact has no column 'Nope'
        """)


def test_a_file_without_a_header(ocbulk: OcBulk) -> None:
    upload(ocbulk, "ann@example.com,Ann,0049\nbob@example.com,Bob,\n")
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        job 1234 is ABORTED: All contact records require 'C_EmailAddress'
        job 1234: the file has no header row: its first line is a row of data
        """)


def test_rows_that_failed(ocbulk: OcBulk) -> None:
    upload(ocbulk, HEADER + "ann.example.com,Ann,0049\nbob@example.com,Bob,\n")
    assert complaint(ocbulk) == text("""
        contact: expected 2 rows by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        job 1234 failed: row 1: ann.example.com: Invalid email address in C_EmailAddress
        """)


def test_a_job_that_has_not_ended(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 5s RUNNING forever")
    upload(ocbulk, GOOD, finish=False)
    ocbulk.clock.advance("65s")
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        job 1234 is still RUNNING after 1m5s: its rows are not there yet
        """)


def test_records_that_cannot_be_seen_yet(ocbulk: OcBulk) -> None:
    ocbulk.visibility(lag="5s")
    upload(ocbulk, GOOD)
    assert complaint(ocbulk, ROWS[:1]) == text("""
        contact: expected 1 row by C_EmailAddress: 1 missing
        missing: row 1: ann@example.com
        not visible yet: 2 records (visibility)
        """)


def test_a_key_that_rows_do_not_have_is_named(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.assert_uploaded("contact", ROWS, key="C_EMailAddress")
    assert str(refused.value) == "row 1 has no column 'C_EMailAddress'; did you mean 'C_EmailAddress'?"


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        ({"a": "b"}, "{'a': 'b'}"),
        (["a"], "'a' for row 1"),
        ("a.csv", "'a.csv'"),
        (7, "7"),
        (None, "None"),
        ("x" * 200, "'" + "x" * 79),
    ],
)
def test_rows_that_are_none_are_refused(ocbulk: OcBulk, rows: Any, got: str) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.assert_uploaded("contact", rows, key="C_EmailAddress")
    assert str(refused.value) == f"rows are a list of dictionaries, one for each row, got {got}"


def test_a_key_that_is_repeated_in_the_rows_is_told(ocbulk: OcBulk) -> None:
    upload(ocbulk, HEADER + "ann@example.com,Ann,0049\nbob@example.com,Bob,\n")
    with pytest.raises(AssertionError) as failed:
        ocbulk.assert_uploaded("contact", [*ROWS, ROWS[0]], key="C_EmailAddress")
    assert str(failed.value).splitlines()[1] == (
        f"missing: row {len(ROWS) + 1}: ann@example.com, which repeats the key of row 1"
    )


def test_a_byte_order_mark_in_the_tests_own_rows_is_named(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.assert_uploaded("contact", [{"\ufeffC_EmailAddress": "ann@example.com"}], key="C_EmailAddress")
    assert str(refused.value) == (
        "row 1 has no column 'C_EmailAddress', but '\\ufeffC_EmailAddress': the rows were read from a file that "
        "starts with a byte order mark; read it with encoding='utf-8-sig'"
    )


def test_an_object_that_there_is_not_is_named(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.assert_uploaded("contacts", ROWS, key="C_EmailAddress")
    assert str(refused.value) == "marketing has no object 'contacts'; did you mean 'contact'?"


# -- calls ------------------------------------------------------------------------------------------------


def test_calls_that_were_made_are_returned(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD)
    (made,) = ocbulk.assert_called("upload", times=1, object="contact", file_name="a.csv")
    assert made.job == "1234"
    ocbulk.assert_called("status", times=0)
    ocbulk.assert_called("upload", metadata='{"bulkUploadRecordSize": 1}', status=200)
    ocbulk.assert_called("upload", metadata='{"bulkUploadRecordSize":1}')
    ocbulk.assert_called("upload", metadata={"bulkUploadRecordSize": 1})
    with pytest.raises(
        AssertionError, match=r"metadata: expected \{'a': 1\}, got \{'bulkUploadRecordSize': 1\}"
    ):
        ocbulk.assert_called("upload", metadata={"a": 1})


def test_a_call_that_was_not_made(ocbulk: OcBulk) -> None:
    with pytest.raises(AssertionError) as raised:
        ocbulk.assert_called("errors")
    assert str(raised.value) == "expected a call of 'errors', got none\nno other call was made"


def test_the_nearest_calls_are_shown_with_what_kept_them_from_being_it(ocbulk: OcBulk) -> None:
    requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers)
    upload(ocbulk, GOOD, "account")
    ocbulk.clock.advance("2s")
    requests.get(f"{ocbulk.base_url}/bulk/1234/status?x=1", headers=ocbulk.headers)
    requests.get(f"{ocbulk.base_url}/nonsense/a/b/c/d", headers=ocbulk.headers)
    with pytest.raises(AssertionError) as raised:
        ocbulk.assert_called("upload", object="contact", status=200, times=2)
    ocbulk.requests.clear()  # the unknown path was on purpose
    assert str(raised.value) == text("""
        expected 2 calls of 'upload' with object 'contact' and status 200, got none
        nearest call 1: +0s  POST /elements/api-v2/bulk/account -> 200
          object: expected 'contact', got 'account'
          metaData: {"bulkUploadRecordSize": 1}
          file 'a.csv' (text/csv):
            C_EmailAddress,C_FirstName,C_BusPhone
            ann@example.com,Ann,0049
            bob@example.com,Bob,
        nearest call 2: +0s  GET /elements/api-v2/objects -> 200
          operation: expected 'upload', got 'objects'
          object: expected 'contact', got None
        nearest call 3: +2s  GET /elements/api-v2/bulk/1234/status?x=1 -> 200
          operation: expected 'upload', got 'status'
          object: expected 'contact', got 'account'
        """)


def test_calls_that_were_made_too_often_are_listed(ocbulk: OcBulk) -> None:
    ocbulk.faults.on("objects", status(503))
    for _ in range(3):
        requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers)
    with pytest.raises(AssertionError) as raised:
        ocbulk.assert_called("objects", times=1)
    assert str(raised.value) == text("""
        expected 1 call of 'objects', got 3
          +0s  GET /elements/api-v2/objects -> 503  (objects:503)
          +0s  GET /elements/api-v2/objects -> 200
          +0s  GET /elements/api-v2/objects -> 200
        """)


def test_a_call_that_should_not_have_been_made(ocbulk: OcBulk) -> None:
    requests.get(f"{ocbulk.base_url}/objects", headers=ocbulk.headers)
    with pytest.raises(AssertionError) as raised:
        ocbulk.assert_called("objects", times=0)
    assert str(raised.value) == text("""
        expected no call of 'objects', got 1
          +0s  GET /elements/api-v2/objects -> 200
        """)


def test_query_and_headers_can_be_asked_for(ocbulk: OcBulk) -> None:
    requests.get(f"{ocbulk.base_url}/contact?pageSize=5", headers={**ocbulk.headers, "X-Trace": "7"})
    ocbulk.assert_called("records", query={"pageSize": "5"}, headers={"X-Trace": "7"})
    with pytest.raises(AssertionError) as raised:
        ocbulk.assert_called("records", query={"pageSize": "6"}, headers={"x-trace": "8"})
    assert str(raised.value) == text("""
        expected a call of 'records' with query pageSize '6' and header x-trace '8', got none
        nearest call 1: +0s  GET /elements/api-v2/contact?pageSize=5 -> 200
          query pageSize: expected '6', got '5'
          header x-trace: expected '8', got '7'
        """)


def test_a_call_can_be_asked_for_by_its_job(ocbulk: OcBulk) -> None:
    upload(ocbulk, GOOD)
    requests.get(f"{ocbulk.base_url}/bulk/1234/status", headers=ocbulk.headers)
    ocbulk.assert_called("status", job="1234", object="contact")
    with pytest.raises(AssertionError, match=re.escape("job: expected '1235', got '1234'")):
        ocbulk.assert_called("status", job="1235")


def test_an_operation_that_there_is_not_is_named(ocbulk: OcBulk) -> None:
    with pytest.raises(OcBulkError) as refused:
        ocbulk.assert_called("uplaod")
    assert str(refused.value) == "unknown operation 'uplaod'; did you mean 'upload'?"


def test_unprintable_and_long_content_is_shown_so_that_it_can_be_read(ocbulk: OcBulk) -> None:
    upload(ocbulk, "name\na\0b\n" + "x" * 500 + "\n1\n2\n", "account")
    with pytest.raises(AssertionError) as raised:
        ocbulk.assert_called("upload", file_name="b.csv")
    assert str(raised.value).splitlines()[-5:] == [
        "  file 'a.csv' (text/csv):",
        "    name",
        r"    a\x00b",
        "    " + "x" * 117 + "...",
        "    ... and 2 more lines",
    ]
