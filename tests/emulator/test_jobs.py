"""The status table: every step it allows is taken, every other one raises and changes nothing."""

from __future__ import annotations

from itertools import product

import pytest

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.jobs import KNOWN, TERMINAL, TRANSITIONS, Job, JobEvent, can_become, canonical
from pytest_ocbulk.emulator.timeline import Course, Timeline

THE_SERVICES_ENUM = {
    "CREATED", "STARTED", "RUNNING", "ABORTED", "ERROR", "WARNING", "SUCCESS", "COMPLETED", "CANCELLED",
    "CANCELLATION_PENDING", "INITIATED", "SCHEDULED",
}  # fmt: skip
"""protocol.md 4, "The complete enum"."""

BEFORE = {
    "CREATED": set(),
    "SCHEDULED": {"CREATED"},
    "INITIATED": {"CREATED"},
    "STARTED": {"CREATED", "SCHEDULED", "INITIATED"},
    "RUNNING": {"CREATED", "SCHEDULED", "INITIATED", "STARTED"},
    **{
        key: {"CREATED", "SCHEDULED", "INITIATED", "STARTED", "RUNNING"}
        for key in ("COMPLETED", "SUCCESS", "WARNING", "CANCELLATION_PENDING")
    },
    **{
        key: {"CREATED", "SCHEDULED", "INITIATED", "STARTED", "RUNNING", "CANCELLATION_PENDING"}
        for key in ("ABORTED", "ERROR")
    },
    "CANCELLED": {"CREATED", "SCHEDULED", "INITIATED", "STARTED", "RUNNING", "CANCELLATION_PENDING"},
}
"""protocol.md 4, "Transitions", by hand: what a caller can have seen before each status.

A job that was asked to end can fail on the way, which no source tells of: testers make it so (`job.fail()`).
"""


def job(timeline: str = "CREATED COMPLETE") -> Job:
    return Job("1", 7, "contact", "UPLOAD", Course(Timeline.parse(timeline), 0.0), 0.0)


def at(status: str) -> Job:
    """A job that is in this status."""
    found = job()
    found.events.append(JobEvent(status, 1.0))
    return found


def test_the_words_are_those_of_the_service() -> None:
    assert KNOWN == THE_SERVICES_ENUM


@pytest.mark.parametrize(("now", "then"), sorted(product(THE_SERVICES_ENUM, THE_SERVICES_ENUM)))
def test_the_table_allows_a_step_exactly_when_the_protocol_does(now: str, then: str) -> None:
    assert (then in TRANSITIONS[now]) == (now in BEFORE[then])


@pytest.mark.parametrize("final", sorted(TERMINAL))
def test_nothing_follows_a_final_status(final: str) -> None:
    assert TRANSITIONS[final] == frozenset()


@pytest.mark.parametrize(
    ("now", "then"),
    [
        pair
        for pair in sorted(product(KNOWN, KNOWN))
        if pair[1] not in TRANSITIONS[pair[0]] and pair[0] != pair[1]
    ],
)
def test_an_illegal_step_cannot_be_planned(now: str, then: str) -> None:
    with pytest.raises(OcBulkError, match=f"{now} cannot become {then}"):
        Timeline.parse(f"{now} {then} forever")


@pytest.mark.parametrize(("final", "then"), sorted(product(TERMINAL, KNOWN)))
def test_a_step_from_a_final_status_raises_and_changes_nothing(final: str, then: str) -> None:
    found = at(final)
    before = list(found.events), found.finished, found.error
    with pytest.raises(ValueError, match="which is final") as refusal:
        found.move(then, 9.0)
    assert str(refusal.value) == f"job 1 is {final}, which is final; it cannot become {then}"
    assert (found.events, found.finished, found.error) == before


@pytest.mark.parametrize("now", sorted(KNOWN - TERMINAL))
def test_every_allowed_step_is_taken_and_ends_are_remembered(now: str) -> None:
    for then in TRANSITIONS[now]:
        found = at(now)
        found.move(then, 9.0)
        assert found.status == then
        assert found.events[-1] == JobEvent(then, 9.0)
        assert found.finished == (9.0 if then in TERMINAL else None)
        assert found.terminal == (then in TERMINAL)


@pytest.mark.parametrize(("now", "then"), [("RUNNING", "CREATED"), ("CANCELLATION_PENDING", "COMPLETED")])
def test_a_step_that_the_table_forbids_raises_and_changes_nothing(now: str, then: str) -> None:
    found = at(now)
    with pytest.raises(ValueError, match="cannot become") as refusal:
        found.move(then, 9.0)
    assert str(refusal.value) == f"job 1 is {now}; it cannot become {then}"
    assert (found.status, found.finished) == (now, None)


def test_a_status_from_the_future_stands_anywhere_but_behind_the_end() -> None:
    found = at("RUNNING")
    for then in ("QUEUED_V2", "CREATED"):
        found.move(then, 9.0)
        assert found.status == then
    assert not can_become("COMPLETED", "QUEUED_V2")


def test_a_job_can_be_seen_as_it_will_end_and_has_not_ended_by_that() -> None:
    found = job()
    later = found.moved("COMPLETED", 9.0)
    assert (later.status, later.finished, later.events[0]) == ("COMPLETED", 9.0, JobEvent("CREATED", 0.0))
    assert (found.status, found.finished, len(found.events)) == ("CREATED", None, 1)


def test_a_job_of_one_word_is_created_before_it_ends() -> None:
    assert job("COMPLETE").events == [JobEvent("CREATED", 0.0)]


def test_moving_to_the_same_status_is_no_event() -> None:
    found = job()
    found.move("CREATED", 5.0)
    assert found.events == [JobEvent("CREATED", 0.0)]


def test_a_job_begins_where_its_timeline_begins() -> None:
    assert job("SCHEDULED RUNNING COMPLETE").events == [JobEvent("SCHEDULED", 0.0)]


@pytest.mark.parametrize(
    ("word", "core"),
    [("COMPLETE", "COMPLETED"), ("complete", "COMPLETED"), ("COMPLETED", "COMPLETED"), ("CANCELED", "CANCELLED"),
     ("running", "RUNNING"), ("NONSENSE", "NONSENSE")],
)  # fmt: skip
def test_both_spellings_of_a_word_are_one(word: str, core: str) -> None:
    assert canonical(word) == core
