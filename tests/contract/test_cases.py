"""The cases themselves: what they say of themselves is so, they clean up, and they keep to their limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from pytest_ocbulk.contract.case import Case, Changes
from pytest_ocbulk.contract.fakes import fake
from pytest_ocbulk.contract.running import all_cases, observe
from pytest_ocbulk.contract.settings import ContractSettings
from pytest_ocbulk.contract.subject import Subject
from pytest_ocbulk.contract.target import Target

CASES = all_cases()
MARKS = ("[live-test]", "[client]", "[docs]", "[swagger]", "[inferred]", "docs")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_names_its_evidence_and_its_behaviour(case: Case) -> None:
    assert case.title
    assert any(mark in case.source for mark in MARKS)
    assert "protocol" in case.source
    assert all(hasattr(ContractSettings(), need) for need in case.needs)
    if case.changes is Changes.RECORDS:
        assert {"object", "writable"} <= set(case.needs), "its records could not be found again"


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("connector", ["sqlserver", "sage200"])
def test_the_other_connectors_fulfil_the_contract_too(connector: str) -> None:
    with fake("requests", connector=connector) as target:
        found = [observe(case, target) for case in CASES]
    assert {seen.case.name: seen.complaints for seen in found if seen.complaints} == {}
    assert [seen.case.name for seen in found if seen.skipped] == []


@pytest.fixture
def target() -> object:
    with fake("requests") as target:
        yield target


def records(target: Target) -> int:
    return len(target.ask("GET", f"/{target.settings.object}").json())


def jobs(target: Target) -> int:
    return len(target.ask("GET", "/bulk/jobs").json())


def test_every_record_is_removed_again(target: Target) -> None:
    for case in CASES:
        observe(case, target)
    assert records(target) == 0
    assert jobs(target) > 20


def test_records_that_were_there_stay(target: Target) -> None:
    target.ask("POST", "/contact", json={"C_EmailAddress": "mine@example.com", "C_Company": "Mine"})
    for case in CASES:
        observe(case, target)
    assert [record["C_Company"] for record in target.ask("GET", "/contact").json()] == ["Mine"]


def test_readonly_changes_nothing(target: Target) -> None:
    target.readonly = True
    found = [observe(case, target) for case in CASES]
    assert (records(target), jobs(target)) == (0, 0)
    ran = [seen for seen in found if not seen.skipped]
    assert len(ran) >= 15
    assert all(not seen.complaints for seen in found)
    assert {seen.skipped for seen in found if seen.skipped} == {
        "readonly: this case makes jobs",
        "readonly: this case makes records",
    }


def test_what_a_case_says_it_changes_is_what_it_changes(target: Target) -> None:
    for case in CASES:
        before = jobs(target)
        observe(case, target)
        if case.changes is Changes.NOTHING:
            assert jobs(target) == before, case.name


def test_without_settings_what_needs_them_is_skipped_with_the_reason(target: Target) -> None:
    target.settings = ContractSettings()
    found = {case.name: observe(case, target) for case in CASES}
    assert all(not seen.complaints for seen in found.values())
    assert found["an_upload_ends_well"].skipped == (
        "ocbulk_contract.toml has no 'object': an object that supports bulk upload and download"
    )
    assert found["objects_are_listed_by_name"].skipped == ""


def test_status_is_asked_for_at_the_polling_interval(target: Target) -> None:
    target.settings = replace(target.settings, poll_interval=4.0)
    asked: list[float] = []
    assert target.clock is not None

    def note(response: object, *_: object, **__: object) -> None:
        assert target.clock is not None
        if str(getattr(response, "url", "")).endswith("/status"):
            asked.append(target.clock())

    target.session.hooks["response"].append(note)
    subject = Subject(target)
    subject.finish(subject.empty_query())
    assert [round(later - earlier, 3) for earlier, later in pairwise(asked)] == [4.0]


def test_a_case_that_breaks_off_still_removes_its_records(target: Target) -> None:
    def check(at: Subject) -> None:
        at.send("POST", f"/{at.object}", at.row())
        raise RuntimeError("the service went away")

    case = Case("broken", "area", "t", "s", ("object", "writable"), Changes.RECORDS, check)
    seen = observe(case, target)
    assert seen.stopped == "stopped by RuntimeError: the service went away"
    assert records(target) == 0


def test_records_that_cannot_be_removed_are_told(target: Target) -> None:
    def check(at: Subject) -> None:
        at.send("POST", f"/{at.object}", at.row())
        at.target.settings = replace(at.settings, id="C_EmailAddress")

    case = Case("sticky", "area", "t", "s", ("object", "writable"), Changes.RECORDS, check)
    assert observe(case, target).complaints == [
        f"1 of its records are left: those with C_Company='{target.run}'"
    ]
