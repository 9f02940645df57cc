"""Timelines: one line of text is parsed, printed and played; a mistake names the word and the nearest right one."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.jobs import KNOWN, TERMINAL, TRANSITIONS
from pytest_ocbulk.emulator.timeline import Course, Step, Timeline

KNOWN_WORDS = (
    "ABORTED, CANCELLATION_PENDING, CANCELLED, COMPLETE, COMPLETED, CREATED, ERROR, INITIATED, RUNNING, SCHEDULED,"
    " STARTED, SUCCESS, WARNING"
)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("COMPLETE", [Step("COMPLETED")]),
        ("CREATED COMPLETE", [Step("CREATED"), Step("COMPLETED")]),
        (
            "created  2s\trunning x3 completed",
            [Step("CREATED", 2.0), Step("RUNNING", looks=3), Step("COMPLETED")],
        ),
        ("CREATED 1h30m ERROR", [Step("CREATED", 5400.0), Step("ERROR")]),
        ("CREATED 250ms CANCELED", [Step("CREATED", 0.25), Step("CANCELLED")]),
        ("CREATED forever", [Step("CREATED", inf)]),
        ("CREATED 'QUEUED_V2' x1 COMPLETE", [Step("CREATED"), Step("QUEUED_V2", looks=1), Step("COMPLETED")]),
        ("CREATED RUNNING 1s SUCCESS", [Step("CREATED"), Step("RUNNING", 1.0), Step("SUCCESS")]),
    ],
)
def test_a_line_of_text_is_read(text: str, steps: list[Step]) -> None:
    assert Timeline.parse(text).steps == tuple(steps)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a timeline needs at least one status, like 'CREATED 2s RUNNING COMPLETE'"),
        (
            "CREATED RUNING COMPLETE",
            (
                "timeline 'CREATED RUNING COMPLETE': 'RUNING' is neither a status nor a hold (2s, 10m, x3, forever);"
                " did you mean 'RUNNING'? A status from the future is written in quotes: 'RUNING'."
            ),
        ),
        (
            "CREATED QQQ COMPLETE",
            (
                "timeline 'CREATED QQQ COMPLETE': 'QQQ' is neither a status nor a hold (2s, 10m, x3, forever);"
                f" known are {KNOWN_WORDS}. A status from the future is written in quotes: 'QQQ'."
            ),
        ),
        (
            "CREATED qqq COMPLETE",
            (
                "timeline 'CREATED qqq COMPLETE': 'qqq' is neither a status nor a hold (2s, 10m, x3, forever);"
                f" known are {KNOWN_WORDS}. A status from the future is written in capitals and single quotes: 'QQQ'."
            ),
        ),
        (
            'CREATED "QQQ" COMPLETE',
            (
                "timeline 'CREATED \"QQQ\" COMPLETE': '\"QQQ\"' is neither a status nor a hold (2s, 10m, x3, forever);"
                f" known are {KNOWN_WORDS}. A status from the future is written in single quotes: 'QQQ'."
            ),
        ),
        ("2s CREATED COMPLETE", "timeline '2s CREATED COMPLETE': the hold '2s' must follow a status"),
        ("CREATED 2s x3 COMPLETE", "timeline 'CREATED 2s x3 COMPLETE': the hold 'x3' must follow a status"),
        (
            "CREATED RUNNING",
            (
                "timeline 'CREATED RUNNING' ends in RUNNING, which is not final; write 'RUNNING forever' for a job that"
                " never ends, or add COMPLETE"
            ),
        ),
        (
            "CREATED forever COMPLETE",
            "timeline 'CREATED forever COMPLETE': nothing can follow CREATED forever",
        ),
        (
            "COMPLETE RUNNING",
            "timeline 'COMPLETE RUNNING': COMPLETED cannot become RUNNING; what can follow: nothing, it is final",
        ),
        (
            "CANCELLATION_PENDING COMPLETE",
            (
                "timeline 'CANCELLATION_PENDING COMPLETE': CANCELLATION_PENDING cannot become COMPLETED;"
                " what can follow: CANCELLED"
            ),
        ),
        (
            "RUNNING CREATED COMPLETE",
            (
                "timeline 'RUNNING CREATED COMPLETE': RUNNING cannot become CREATED; what can follow:"
                " ABORTED, CANCELLATION_PENDING, CANCELLED, COMPLETED, ERROR, SUCCESS, WARNING"
            ),
        ),
    ],
)
def test_a_mistake_names_the_word_and_what_to_write(text: str, complaint: str) -> None:
    with pytest.raises(OcBulkError) as refusal:
        Timeline.parse(text)
    assert str(refusal.value) == complaint


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Legal timelines of known words, with holds of whole seconds and looks."""
    status = draw(st.sampled_from(sorted(KNOWN)))
    steps: list[Step] = []
    while True:
        hold = draw(st.sampled_from(["", "time", "looks"]))
        length, looks = draw(st.integers(1, 10**6)), draw(st.integers(1, 99))
        steps.append(Step(status, float(length) if hold == "time" else 0.0, looks if hold == "looks" else 0))
        if status in TERMINAL:
            return Timeline(tuple(steps))
        if draw(st.integers(0, 9)) == 0:
            steps[-1] = Step(status, inf)
            return Timeline(tuple(steps))
        status = draw(st.sampled_from(sorted(TRANSITIONS[status])))


@given(timelines())
def test_what_is_printed_reads_back(timeline: Timeline) -> None:
    assert Timeline.parse(str(timeline)) == timeline


def test_a_timeline_prints_the_cores_words_and_quotes_unknown_ones() -> None:
    text = "created 90s 'QUEUED_V2' x1 running forever"
    assert str(Timeline.parse(text)) == "CREATED 1m30s 'QUEUED_V2' x1 RUNNING forever"
    assert Timeline.parse("CREATED COMPLETE").end == "COMPLETED"


# -- playing ------------------------------------------------------------------------------------------------


def played(course: Course, now: float) -> list[tuple[str, float]]:
    return [(step.status, at) for step, at in course.moves(now)]


def test_time_moves_a_course_at_the_instants_that_were_planned() -> None:
    course = Course(Timeline.parse("CREATED 2s RUNNING 3s COMPLETE"), 100.0)
    assert (course.due(), played(course, 101.9)) == (102.0, [])
    assert played(course, 102.0) == [("RUNNING", 102.0)]
    assert course.due() == 105.0
    assert played(course, 500.0) == [("COMPLETED", 105.0)]
    assert (course.due(), played(course, 900.0)) == (None, [])


def test_a_late_look_sees_all_the_steps_that_were_due() -> None:
    course = Course(Timeline.parse("CREATED 2s RUNNING 3s COMPLETE"), 0.0)
    assert played(course, 60.0) == [("RUNNING", 2.0), ("COMPLETED", 5.0)]


def test_a_status_without_a_hold_is_passed_through() -> None:
    course = Course(Timeline.parse("CREATED STARTED RUNNING COMPLETE"), 7.0)
    assert played(course, 7.0) == [("STARTED", 7.0), ("RUNNING", 7.0), ("COMPLETED", 7.0)]


def test_a_status_is_shown_at_as_many_looks_as_it_holds_for() -> None:
    course = Course(Timeline.parse("CREATED RUNNING x2 COMPLETE"), 0.0)
    assert played(course, 5.0) == [("RUNNING", 0.0)]
    for _ in range(2):
        assert (course.due(), played(course, 99.0)) == (None, [])
        course.look()
    assert played(course, 99.0) == [("COMPLETED", 99.0)]


def test_looks_of_one_status_do_not_count_for_the_next() -> None:
    course = Course(Timeline.parse("CREATED x1 RUNNING x1 COMPLETE"), 0.0)
    course.look()
    course.look()
    assert played(course, 1.0) == [("RUNNING", 1.0)]
    assert course.looks == 0


def test_forever_never_moves() -> None:
    course = Course(Timeline.parse("CREATED forever"), 0.0)
    assert (course.due(), played(course, 1e12)) == (None, [])


def test_no_looks_at_all_is_no_hold() -> None:
    course = Course(Timeline.parse("CREATED x0 COMPLETE"), 3.0)
    assert played(course, 3.0) == [("COMPLETED", 3.0)]
