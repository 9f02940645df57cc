"""What a test has planned for the next jobs of an instance, and when their records show up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import floor
from types import MappingProxyType
from typing import Any, NamedTuple

from .clock import is_number, seconds
from .errors import OcBulkError
from .jobs import FAILED, SUCCESSFUL, TERMINAL, Job
from .timeline import Timeline

AT_FIRST_LOOK = Timeline.parse("CREATED COMPLETE")
"""The default course in tests: complete at the first look."""

ABORTED_AT_FIRST_LOOK = Timeline.parse("CREATED ABORTED")
"""The course of a job that is given an error and no timeline."""

NO_ROWS: Mapping[int, str] = MappingProxyType({})

NEVER = 2**62
"""An instant (ms) that does not come: a record with it is never visible."""


class JobPlan(NamedTuple):
    """The course of one job; `fail_rows` maps row numbers to the text of their error item."""

    timeline: Timeline = AT_FIRST_LOOK
    object_name: str | None = None
    fail_rows: Mapping[int, str] = NO_ROWS
    error: str | None = None

    def __str__(self) -> str:
        return self.worded(str)

    def worded(self, word: Callable[[str], str]) -> str:
        """The plan as it is written in a test, its statuses in the words of a dialect."""
        told = [repr(self.timeline.worded(word))]
        if self.object_name is not None:
            told.append(f"object={self.object_name!r}")
        if self.fail_rows:
            told.append(f"fail_rows={dict(self.fail_rows)}")
        if self.error is not None:
            told.append(f"error={self.error!r}")
        return f"next_job({', '.join(told)})"


@dataclass(slots=True)
class JobPlans:
    """Plans for coming jobs, first planned first used; without one the default timeline holds.

    `unreached` tells in words which `fail_rows` of jobs that have ended did not fail any row.
    """

    default: Timeline = AT_FIRST_LOOK
    queued: list[JobPlan] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)

    def next_job(
        self,
        timeline: str | Timeline | None = None,
        *,
        object: str | None = None,
        fail_rows: Mapping[int, str] | None = None,
        error: str | None = None,
        times: int = 1,
    ) -> JobPlan:
        """Plan the next job, or the next about `object`, or the next `times` of them.

        `timeline` is one line of text, `"CREATED 2s RUNNING x3 COMPLETE"`; without one the default holds, or with an
        `error` `CREATED ABORTED`. `fail_rows` maps numbers of data rows, from 1, to the message of their error
        item; `error` is what the status of a failed job says. Raises `OcBulkError` for what could not happen.
        """
        if timeline is None:
            timeline = ABORTED_AT_FIRST_LOOK if error is not None else self.default
        course = Timeline.parse(timeline)
        if error is not None and course.end not in FAILED:
            raise OcBulkError(f"error needs a timeline that ends in ABORTED or ERROR, got {str(timeline)!r}")
        _check_rows(fail_rows or {}, course)
        if type(times) is not int or times < 1:
            raise OcBulkError(f"times is a number from 1, got {times!r}")
        plan = JobPlan(course, object, dict(fail_rows or {}), error)
        self.queued += [plan] * times
        return plan

    def take(self, object_name: str) -> JobPlan:
        """The plan for the next job about an object: the first that names it or names none."""
        for plan in self.queued:
            if plan.object_name in (None, object_name):
                self.queued.remove(plan)
                return plan
        return JobPlan(self.default)

    @property
    def pending(self) -> tuple[JobPlan, ...]:
        """The plans that no job has used yet."""
        return tuple(self.queued)

    def describe(self, word: Callable[[str], str] = str) -> list[str]:
        """What was planned and did not happen, for people: one line each, in the words of a dialect."""
        unused = [
            f"{plan.worded(word)} was not used: no job {f'about {plan.object_name} ' if plan.object_name else ''}came"
            for plan in self.queued
        ]
        return [*unused, *self.unreached]

    def note_unreached(self, plan: JobPlan, job: Job) -> None:
        """Remember the rows that were to fail and that a job, which has ended, did not reach."""
        reached = job.records if job.direction == "UPLOAD" else 0
        missed = {row: text for row, text in plan.fail_rows.items() if row > reached}
        if missed:
            count = "is a query" if job.direction != "UPLOAD" else f"has read {reached} rows"
            self.unreached.append(f"fail_rows={missed} did not happen: job {job.id} {count}")

    def clear(self) -> None:
        """Forget all plans; the default stays."""
        self.queued.clear()
        self.unreached.clear()


def _check_rows(fail_rows: Any, course: Timeline) -> None:
    if not isinstance(fail_rows, Mapping):
        raise OcBulkError(
            "next_job(fail_rows=...) maps numbers of data rows to messages, like {2: 'the record is locked'}, got"
            f" {fail_rows!r}"
        )
    for row, text in fail_rows.items():
        if type(row) is not int or row < 1:
            raise OcBulkError(f"next_job(fail_rows=...) counts data rows from 1, got {row!r}")
        if not isinstance(text, str) or not text:
            raise OcBulkError(
                f"next_job(fail_rows=...) gives each row the message of its error, got {text!r} for row {row}"
            )
    if fail_rows and course.end in TERMINAL - SUCCESSFUL:
        raise OcBulkError(
            f"next_job(fail_rows=...) needs a job that applies rows, got a timeline that ends in {course.end};"
            " leave fail_rows out or end it in COMPLETE"
        )


@dataclass(slots=True)
class Visibility:
    """Done, but not yet to be seen: records show up `lag` seconds late, all but the part `partial`.

    With a `partial` below 1 and no lag the rest never shows up. Of a job's rows, and of records that are posted one
    by one, the part is taken evenly: with 0.5 the second, the fourth ... are there at once.
    """

    lag: float = 0.0
    partial: float | None = None
    posted: int = 0

    def set(self, lag: float | str = 0.0, partial: float | None = None) -> None:
        """Change it for records to come; raises `OcBulkError` for a part outside 0 to 1."""
        if partial is not None and not (is_number(partial) and 0 <= partial <= 1):
            raise OcBulkError(f"visibility partial is a part from 0 to 1, got {partial!r}")
        self.lag, self.partial, self.posted = seconds(lag), partial, 0

    def instants(self, first: int, count: int, now: int, least: float) -> list[int | None]:
        """From when (ms) each of `count` rows, the first of them numbered `first`, is visible; None: at once.

        `least` is the lag in seconds that the connector has anyway, for all records.
        """
        lag = max(self.lag, least)
        late = now + round(lag * 1000) if lag else (NEVER if self.partial is not None else None)
        if self.partial is None or late is None:
            return [late] * count
        part = self.partial
        return [
            None if floor(row * part) > floor((row - 1) * part) else late
            for row in range(first, first + count)
        ]

    def instant_of_one(self, now: int, least: float) -> int | None:
        """From when (ms) a record that is posted by itself is visible; None: at once."""
        self.posted += 1
        return self.instants(self.posted, 1, now, least)[0]
