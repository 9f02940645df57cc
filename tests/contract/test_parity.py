"""The table: what is the same, what differs, what is accepted, and acceptances that no longer hold."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pytest_ocbulk.contract import report
from pytest_ocbulk.contract.accepted import Accepted, read
from pytest_ocbulk.contract.case import Case, Changes
from pytest_ocbulk.contract.facts import Fact, Observation, kind, kinds, one_of
from pytest_ocbulk.contract.parity import Line, Parity, Verdict, compare
from pytest_ocbulk.emulator.errors import OcBulkError

TODAY = date(2026, 5, 1)
CASE = Case("a_case", "area", "A case", "[docs] a page", (), Changes.NOTHING, lambda at: None)
OTHER = Case("another", "area", "Another", "[docs] a page", (), Changes.NOTHING, lambda at: None)
EXPECTED = [
    Observation(CASE, (Fact("status", 200, 200), Fact("word", "COMPLETE", "COMPLETE"))),
    Observation(OTHER, (Fact("there", True, True), Fact("count", 3, 3))),
]
DIFFERENT = [
    Observation(CASE, (Fact("status", 200, 200), Fact("word", "COMPLETED", "COMPLETE"))),
    EXPECTED[1],
]
ENTRY = Accepted("a_case", "the account is live", date(2026, 12, 31), "word", '"COMPLETED"')


def parity(seen: list[Observation], *accepted: Accepted) -> Parity:
    return compare(EXPECTED, seen, target="there", fake="here", today=TODAY, accepted=accepted)


def lines(found: Parity) -> list[tuple[str, str, str, str, str]]:
    return [(line.case, line.fact, line.expected, line.seen, line.verdict.value) for line in found.lines]


# -- verdicts -----------------------------------------------------------------------------------------------


def test_what_is_the_same_is_one_line_for_each_case() -> None:
    found = parity(EXPECTED)
    assert lines(found) == [
        ("a_case", "", "status 200", "status 200", "same"),
        ("another", "", "count 3", "count 3", "same"),
    ]
    assert not found.failed


def test_what_differs_is_one_line_for_each_fact() -> None:
    found = parity(DIFFERENT)
    assert lines(found)[0] == ("a_case", "word", '"COMPLETE"', '"COMPLETED"', "DIFFERS")
    assert found.failed


def test_true_and_one_are_two_values() -> None:
    found = parity([EXPECTED[0], Observation(OTHER, (Fact("there", 1, True), Fact("count", 3, 3)))])
    assert lines(found)[1] == ("another", "there", "true", "1", "DIFFERS")


def test_a_skipped_case_says_why_and_does_not_fail() -> None:
    found = parity([EXPECTED[0], Observation(OTHER, skipped="no object")])
    assert found.lines[1] == Line("another", "", "", "", Verdict.SKIPPED, "no object")
    assert not found.failed


def test_a_case_that_was_stopped_says_by_what() -> None:
    found = parity([EXPECTED[0], Observation(OTHER, (Fact("there", True, True),), stopped="stopped by X: y")])
    assert lines(found)[1:] == [("another", "the end", "it comes to its end", "stopped by X: y", "DIFFERS")]


def test_an_accepted_difference_does_not_fail() -> None:
    found = parity(DIFFERENT, ENTRY)
    assert found.lines[0].verdict is Verdict.ACCEPTED
    assert found.lines[0].note == "the account is live (until 2026-12-31)"
    assert not found.failed


@pytest.mark.parametrize(
    "entry",
    [
        Accepted("a_case", "r", date(2026, 12, 31)),
        Accepted("a_case", "r", TODAY, fact="word"),
        Accepted("a_case", "r", date(2026, 12, 31), seen='"COMPLETED"'),
    ],
)
def test_an_acceptance_may_leave_fact_and_value_open(entry: Accepted) -> None:
    assert not parity(DIFFERENT, entry).failed


@pytest.mark.parametrize(
    "entry",
    [
        Accepted("another", "r", date(2026, 12, 31)),
        Accepted("a_case", "r", date(2026, 12, 31), fact="status"),
        Accepted("a_case", "r", date(2026, 12, 31), seen='"ABORTED"'),
    ],
)
def test_another_difference_than_the_accepted_one_fails(entry: Accepted) -> None:
    found = parity(DIFFERENT, entry)
    assert found.lines[0].verdict is Verdict.DIFFERS
    assert found.failed


def test_an_acceptance_that_has_expired_fails() -> None:
    found = parity(DIFFERENT, Accepted("a_case", "r", date(2026, 4, 30)))
    assert found.lines[0].verdict is Verdict.EXPIRED
    assert found.failed


def test_an_accepted_difference_that_no_longer_occurs_fails() -> None:
    found = parity(EXPECTED, ENTRY)
    assert found.lines[-1] == Line(
        "a_case", "word", "", "", Verdict.GONE, "no longer occurs, take it out: the account is live"
    )
    assert found.failed


def test_an_acceptance_about_a_case_that_did_not_run_is_left_alone() -> None:
    assert not parity([Observation(CASE, skipped="no object"), EXPECTED[1]], ENTRY).failed


# -- facts --------------------------------------------------------------------------------------------------


def test_a_fact_says_what_was_expected() -> None:
    assert str(Fact("word", "RUNNING", one_of("COMPLETE", "COMPLETED"))) == (
        'word: expected "COMPLETE" or "COMPLETED", got "RUNNING"'
    )
    assert Fact("word", "COMPLETED", one_of("COMPLETE", "COMPLETED")).holds
    assert not Fact("there", True, 1).holds


def test_kinds_of_values() -> None:
    values: list[object] = ["a", 1, 1.5, True, None, [], {}]
    names = ["text", "number", "number", "boolean", "null", "array", "object"]
    assert [kind(value) for value in values] == names
    assert kinds(["a", 1, "b"]) == ["number", "text"]


# -- the table in its three forms ---------------------------------------------------------------------------


def test_the_table_for_people() -> None:
    skipped = [DIFFERENT[0], Observation(OTHER, skipped="no object")]
    found = parity(skipped)
    assert list(report.table(found)) == [
        ("DIFFERS", "a_case: word", '"COMPLETE"', '"COMPLETED"'),
        ("skipped", "another", "", "no object"),
    ]
    assert list(report.notes(found)) == ["DIFFERS a_case: word: [docs] a page"]
    assert report.summary(found) == "there against here, 2026-05-01: 1 skipped, 1 DIFFERS"


def test_a_long_value_is_cut_in_the_table_only() -> None:
    long = [Observation(CASE, (Fact("word", "x" * 100, "x"),)), EXPECTED[1]]
    found = parity(long)
    cells = dict(zip(report.COLUMNS, next(iter(report.table(found))), strict=True))
    assert cells["seen at the target"] == "nothing"
    assert len(json.loads(json.dumps(report.as_json(found)))["lines"][1]["seen"]) == 102


def test_the_table_as_json() -> None:
    found = json.loads(json.dumps(report.as_json(parity(DIFFERENT, ENTRY))))
    assert found["failed"] is False
    assert (found["target"], found["fake"], found["checked"]) == ("there", "here", "2026-05-01")
    assert found["lines"][0] == {
        "case": "a_case",
        "fact": "word",
        "expected": '"COMPLETE"',
        "seen": '"COMPLETED"',
        "verdict": "accepted",
        "note": "the account is live (until 2026-12-31)",
    }


def test_the_table_as_junit() -> None:
    gone = Accepted("another", "it was so once", date(2026, 12, 31))
    skipped = [DIFFERENT[0], Observation(OTHER, skipped="no <object>")]
    root = ET.fromstring(report.as_junit(parity(skipped)))
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    failure = suite[0].find("failure")
    assert failure is not None
    assert failure.get("message") == 'DIFFERS: expected "COMPLETE", seen "COMPLETED"'
    told = suite[1].find("skipped")
    assert told is not None
    assert told.get("message") == "no <object>"
    last = ET.fromstring(report.as_junit(parity(EXPECTED, gone)))[0][-1].find("failure")
    assert last is not None
    assert last.get("message") == "no longer occurs, take it out: it was so once"


# -- accepted differences in a file -------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    path = folder / "accepted.toml"
    path.write_text(text)
    return path


def test_accepted_differences_are_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [[accepted]]
        case = "a_case"
        fact = "word"
        seen = '"COMPLETED"'
        reason = "the account is live"
        until = 2026-12-31
        """,
    )
    assert read(path, ["a_case"]) == [ENTRY]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[accept]]\ncase = 'x'", "expected [[accepted]] tables only, got accept"),
        ("[[accepted]]\ncases = 'x'", "entry 1: unknown key 'cases'; did you mean 'case'?"),
        ("[[accepted]]\ncase = 1", "entry 1: case takes a text, got 1"),
        ("[[accepted]]\nuntil = '2026'", "entry 1: until takes a date like 2027-06-30, got '2026'"),
        (
            "[[accepted]]\ncase = 'a_case'\nuntil = 2026-12-31",
            "entry 1: reason is missing; an accepted difference has a case, a reason and a day",
        ),
        (
            "[[accepted]]\ncase = 'a_cas'\nreason = 'r'\nuntil = 2026-12-31",
            "entry 1: there is no case 'a_cas'; did you mean 'a_case'?",
        ),
        ("[[accepted", "cannot read"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(OcBulkError) as refusal:
        read(path, ["a_case"])
    assert str(path) in str(refusal.value)
    assert complaint in str(refusal.value)


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    with pytest.raises(OcBulkError) as refusal:
        read(path, ["a_case"])
    assert str(refusal.value) == f"cannot read {path}: No such file or directory"
