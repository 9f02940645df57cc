"""What a test has planned for the next jobs of an instance, and when their records show up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor

from .clock import seconds
from .errors import OcBulkError
from .store import NEVER
from .timeline import Timeline

AT_FIRST_LOOK = Timeline.parse("CREATED COMPLETE")
"""The default course in tests: complete at the first look."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """The course of one job; `fail_rows` maps row numbers to the text of their error item."""

    timeline: Timeline = AT_FIRST_LOOK
    object_name: str | None = None
    fail_rows: Mapping[int, str] = field(default_factory=dict)
    error: str | None = None


@dataclass(slots=True)
class JobPlans:
    """Plans for coming jobs, first planned first used; without one the default timeline holds."""

    default: Timeline = AT_FIRST_LOOK
    queued: list[JobPlan] = field(default_factory=list)

    def take(self, object_name: str) -> JobPlan:
        """The plan for the next job about an object: the first that names it or names none."""
        for plan in self.queued:
            if plan.object_name in (None, object_name):
                self.queued.remove(plan)
                return plan
        return JobPlan(self.default)


@dataclass(slots=True)
class Visibility:
    """Done, but not yet to be seen: records of a job show up `lag` seconds late, all but the part `partial`.

    With a `partial` below 1 and no lag the rest never shows up.
    """

    lag: float = 0.0
    partial: float | None = None

    def set(self, lag: float | str = 0.0, partial: float | None = None) -> None:
        """Change it for the jobs to come; raises `OcBulkError` for a part outside 0 to 1."""
        if partial is not None and not 0 <= partial <= 1:
            raise OcBulkError(f"visibility partial is a part from 0 to 1, got {partial!r}")
        self.lag, self.partial = seconds(lag), partial

    def instants(self, first: int, count: int, now: int, least: float) -> list[int | None]:
        """From when (ms) each of `count` rows, the first of them numbered `first`, is visible; None: at once."""
        lag = max(self.lag, least)
        late = now + round(lag * 1000) if lag else (NEVER if self.partial is not None else None)
        if self.partial is None or late is None:
            return [late] * count
        part = self.partial
        return [
            None if floor(row * part) > floor((row - 1) * part) else late
            for row in range(first, first + count)
        ]
