"""A job's course as one line of text: `CREATED 2s RUNNING x3 COMPLETE`.

    STATUS [hold] STATUS [hold] ... STATUS

A hold is clock time (`2s`, `10m`), a number of looks (`x3`; a look is a status call) or `forever`. Without
one a status is passed through, and shown only if it is the first (in the create answer) or the last. A word
the service does not know today is written in quotes: `CREATED 'QUEUED_V2' x1 COMPLETE`.

This module parses, prints and plays; which step may follow which `jobs.can_become` looks up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from math import inf
from typing import NamedTuple

from .clock import seconds, spell
from .errors import OcBulkError, nearest
from .jobs import KNOWN, TERMINAL, TRANSITIONS, can_become, canonical

_HOLD = re.compile(r"x\d+|forever|(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_QUOTED = re.compile(r"'([A-Z][A-Z0-9_]*)'")


class Step(NamedTuple):
    """One status and how long it is held: `seconds` of clock time and `looks` at it, either may be zero."""

    status: str
    seconds: float = 0.0
    looks: int = 0

    @property
    def hold(self) -> str:
        """The hold as it is written, empty when the status is passed through."""
        if self.seconds == inf:
            return "forever"
        return f"x{self.looks}" if self.looks else spell(self.seconds) if self.seconds else ""

    def __str__(self) -> str:
        word = self.status if self.status in KNOWN else f"'{self.status}'"
        return f"{word} {self.hold}".rstrip()


class Timeline(NamedTuple):
    """The planned course of a job, checked when it was written."""

    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str | Timeline) -> Timeline:
        """Read one line of text; raise `OcBulkError` naming the wrong word and the nearest right one.

        What is a timeline already is returned as it is, anything else refused: whatever a test plans comes here.
        """
        if isinstance(text, Timeline):
            return text
        if not isinstance(text, str):
            raise OcBulkError(f"job is a timeline like 'CREATED 2s RUNNING COMPLETE', got {text!r}")
        steps: list[Step] = []
        for word in text.split():
            if _HOLD.fullmatch(word):
                steps.append(_held(steps, word, text))
            else:
                steps.append(Step(_status(word, text)))
        _check(steps, text)
        return cls(tuple(steps))

    def __str__(self) -> str:
        return " ".join(map(str, self.steps))

    def worded(self, word: Callable[[str], str]) -> str:
        """The line with each status in the words of a dialect."""
        return " ".join(str(step).replace(step.status, word(step.status), 1) for step in self.steps)

    @property
    def end(self) -> str:
        """The last status, in the core's own spelling."""
        return self.steps[-1].status


class Course:
    """Where a job stands on its timeline. It moves; the timeline does not."""

    __slots__ = ("asked", "asked_at", "entered", "index", "looks", "timeline")

    def __init__(self, timeline: Timeline, entered: float, *, index: int = 0, looks: int = 0) -> None:
        self.timeline = timeline
        self.entered = entered
        self.index = index
        self.looks = looks
        self.asked, self.asked_at = 0, entered

    @property
    def step(self) -> Step:
        """The step the job is in."""
        return self.timeline.steps[self.index]

    @property
    def following(self) -> Step | None:
        """The step after this one, None at the end."""
        steps = self.timeline.steps
        return steps[self.index + 1] if self.index + 1 < len(steps) else None

    def due(self) -> float | None:
        """The instant at which the next step is to be taken; None at the end or while looks are awaited."""
        if self.following is None or self.step.seconds == inf or self.looks < self.step.looks:
            return None
        return self.entered + self.step.seconds

    def look(self) -> None:
        """The status was shown once."""
        self.looks += 1

    def ask(self, now: float) -> None:
        """The status was asked for, whatever came of it; `asked` counts how often at this one instant."""
        self.asked = self.asked + 1 if now == self.asked_at else 1
        self.asked_at = now

    def take(self, at: float) -> Step:
        """Go to the next step, entered at the instant `at`; the caller has asked `following`."""
        self.index, self.entered, self.looks = self.index + 1, at, 0
        return self.step


def _status(word: str, text: str) -> str:
    if quoted := _QUOTED.fullmatch(word):
        return quoted[1]
    status = canonical(word)
    if status not in KNOWN:
        hint = nearest(word.upper(), {*KNOWN, "COMPLETE"})
        raise OcBulkError(
            f"timeline {text!r}: {word!r} is neither a status nor a hold (2s, 10m, x3, forever){hint}"
            f"{'' if hint.endswith('?') else '.'} {_in_quotes(word)}"
        )
    return status


def _in_quotes(word: str) -> str:
    """How a status is written that the service does not know today."""
    bare = word.strip("'\"")
    how = "in single quotes" if bare == bare.upper() else "in capitals and single quotes"
    how = "in quotes" if bare == word == word.upper() else how
    return f"A status from the future is written {how}: '{bare.upper()}'."


def _held(steps: list[Step], word: str, text: str) -> Step:
    if not steps or steps[-1].hold:
        raise OcBulkError(f"timeline {text!r}: the hold {word!r} must follow a status")
    status = steps.pop().status
    if word == "forever":
        return Step(status, seconds=inf)
    held = Step(status, looks=int(word[1:])) if word[0] == "x" else Step(status, seconds(word))
    if not held.hold:
        raise OcBulkError(
            f"timeline {text!r}: {word!r} holds {status} for no time at all; leave it out to pass the status through"
        )
    return held


def _check(steps: list[Step], text: str) -> None:
    if not steps:
        raise OcBulkError("a timeline needs at least one status, like 'CREATED 2s RUNNING COMPLETE'")
    for now, then in pairwise(steps):
        if now.seconds == inf:
            raise OcBulkError(f"timeline {text!r}: nothing can follow {now.status} forever")
        if not can_become(now.status, then.status):
            follow = ", ".join(sorted(TRANSITIONS[now.status])) or "nothing, it is final"
            raise OcBulkError(
                f"timeline {text!r}: {now.status} cannot become {then.status}; what can follow: {follow}"
            )
    if (last := steps[-1]).status in TERMINAL and last.hold not in ("", "forever"):
        raise OcBulkError(
            f"timeline {text!r}: {last.status} is final and is held for ever; leave {last.hold!r} out"
        )
    if steps[-1].status not in TERMINAL and steps[-1].seconds != inf:
        raise OcBulkError(
            f"timeline {text!r} ends in {steps[-1].status}, which is not final;"
            f" write '{steps[-1].status} forever' for a job that never ends, or add COMPLETE"
        )
