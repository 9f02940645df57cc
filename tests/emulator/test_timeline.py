"""Timelines: one line of text is parsed, printed and played; a mistake names the word and the nearest right one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.jobs import KNOWN, TERMINAL, TRANSITIONS
from pytest_ocbulk.emulator.timeline import Course, Step, Timeline

from .asking import Asked, contacts

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
        *(
            (
                f"CREATED {zero} COMPLETE",
                (
                    f"timeline 'CREATED {zero} COMPLETE': '{zero}' holds CREATED for no time at all;"
                    " leave it out to pass the status through"
                ),
            )
            for zero in ("x0", "0s", "0m0s")
        ),
        *(
            (
                f"CREATED COMPLETE {hold}",
                f"timeline 'CREATED COMPLETE {hold}': COMPLETED is final and is held for ever; leave '{hold}' out",
            )
            for hold in ("5s", "x2")
        ),
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
                " what can follow: ABORTED, CANCELLED, ERROR"
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
        if status in TERMINAL:
            return Timeline((*steps, Step(status)))
        steps.append(Step(status, float(length) if hold == "time" else 0.0, looks if hold == "looks" else 0))
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


class Played:
    """One job on a timeline, moved by `Lifecycle.tick`."""

    def __init__(self, fake: Asked, timeline: str) -> None:
        self.fake = fake
        fake.instance.plans.next_job(timeline)
        self.job = fake.instance.jobs[fake.upload(contacts("ann"))]

    def until(self, after: float) -> list[tuple[str, float]]:
        """What the job becomes when it is ticked so many seconds after its beginning: statuses, and when."""
        known = len(self.job.events)
        self.fake.emulator.runner.tick(self.fake.instance, self.job.created + after)
        return [(each.status, each.at - self.job.created) for each in self.job.events[known:]]

    def due(self) -> float | None:
        due = self.fake.emulator.runner.next_due(self.fake.instance)
        return None if due is None else due - self.job.created


Play = Callable[[str], Played]


@pytest.fixture
def play() -> Iterator[Play]:
    with Asked() as fake:
        yield partial(Played, fake)


def test_time_moves_a_course_at_the_instants_that_were_planned(play: Play) -> None:
    played = play("CREATED 2s RUNNING 3s COMPLETE")
    assert (played.due(), played.until(1.9)) == (2.0, [])
    assert played.until(2.0) == [("RUNNING", 2.0)]
    assert played.due() == 5.0
    assert played.until(400.0) == [("COMPLETED", 5.0)]
    assert played.due() is None
    assert played.until(800.0) == []


def test_a_late_look_sees_all_the_steps_that_were_due(play: Play) -> None:
    assert play("CREATED 2s RUNNING 3s COMPLETE").until(60.0) == [("RUNNING", 2.0), ("COMPLETED", 5.0)]


def test_a_status_without_a_hold_is_passed_through(play: Play) -> None:
    passed = [("STARTED", 0.0), ("RUNNING", 0.0), ("COMPLETED", 0.0)]
    assert play("CREATED STARTED RUNNING COMPLETE").until(0.0) == passed


def test_a_status_is_shown_at_as_many_looks_as_it_holds_for(play: Play) -> None:
    played = play("CREATED RUNNING x2 COMPLETE")
    assert played.until(5.0) == [("RUNNING", 0.0)]
    for _ in range(2):
        assert (played.due(), played.until(99.0)) == (None, [])
        played.fake.emulator.runner.look(played.job)
    assert played.until(99.0) == [("COMPLETED", 99.0)]


def test_looks_of_one_status_do_not_count_for_the_next(play: Play) -> None:
    played = play("CREATED x1 RUNNING x1 COMPLETE")
    for _ in range(2):
        played.fake.emulator.runner.look(played.job)
    assert played.until(1.0) == [("RUNNING", 1.0)]
    assert played.until(2.0) == []


def test_forever_never_moves(play: Play) -> None:
    played = play("CREATED forever")
    assert (played.due(), played.until(1e9)) == (None, [])


def test_calls_for_a_status_are_counted_as_long_as_no_time_passes() -> None:
    course = Course(Timeline.parse("CREATED forever"), 0.0)
    counts = []
    for at in (0.0, 0.0, 1.0, 1.0, 1.0, 2.0):
        course.ask(at)
        counts.append(course.asked)
    assert counts == [1, 2, 1, 2, 3, 1]
