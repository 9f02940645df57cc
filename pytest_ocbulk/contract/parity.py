"""The parity of a target with the fake: what each case saw here and there, and whether the difference is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from .accepted import Accepted
from .facts import Fact, Observation, shown


class Verdict(Enum):
    """What is to be said of one line of the table."""

    SAME = "same"
    SKIPPED = "skipped"
    ACCEPTED = "accepted"
    DIFFERS = "DIFFERS"
    GONE = "GONE"
    EXPIRED = "EXPIRED"

    @property
    def fails(self) -> bool:
        """Whether it makes the whole verification fail."""
        return self in (Verdict.DIFFERS, Verdict.GONE, Verdict.EXPIRED)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a case that is the same, or one thing in which it differs.

    `expected` is what the fake showed, `seen` what the target did, both as JSON text; `note` says why, where there
    is a reason to tell.
    """

    case: str
    fact: str
    expected: str
    seen: str
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parity:
    """The table. `target` and `fake` name both sides, `checked` is the day."""

    target: str
    fake: str
    checked: date
    lines: tuple[Line, ...]

    @property
    def failed(self) -> bool:
        """Whether there is a difference that nobody accepted, or an acceptance that no longer holds."""
        return any(line.verdict.fails for line in self.lines)

    @property
    def compared(self) -> bool:
        """Whether any case ran on both sides."""
        return self.count(Verdict.SKIPPED) < len(self.lines)

    def count(self, verdict: Verdict) -> int:
        """How many lines have this verdict."""
        return sum(line.verdict is verdict for line in self.lines)


def compare(
    expected: Sequence[Observation],
    seen: Sequence[Observation],
    *,
    target: str,
    fake: str,
    today: date,
    accepted: Sequence[Accepted] = (),
) -> Parity:
    """Lay what the fake showed and what a target showed side by side; both saw the same cases in the same order."""
    lines = [line for pair in zip(expected, seen, strict=True) for line in _lines(*pair)]
    return Parity(target, fake, today, tuple(_judged(lines, accepted, today)))


def _lines(expected: Observation, seen: Observation) -> list[Line]:
    case = seen.case
    if reason := seen.skipped or expected.skipped:
        return [Line(case.name, "", "", "", Verdict.SKIPPED, reason)]
    differing = [
        Line(case.name, name, _of(expected, name), _of(seen, name), Verdict.DIFFERS, case.source)
        for name in dict.fromkeys(fact.name for fact in (*expected.facts, *seen.facts))
        if _of(expected, name) != _of(seen, name)
    ]
    if seen.stopped != expected.stopped:
        # What a case did not come to see is no difference of its own: the reason is the one line.
        came = {fact.name for fact in seen.facts}
        differing = [line for line in differing if line.fact in came]
        came_to = seen.stopped or "it came to its end"
        differing.append(
            Line(case.name, "the end", expected.stopped or "it comes to its end", came_to, Verdict.DIFFERS)
        )
    return differing or [Line(case.name, "", _summary(expected), _summary(seen), Verdict.SAME)]


def _of(observation: Observation, name: str) -> str:
    return next((shown(fact.seen) for fact in observation.facts if fact.name == name), "nothing")


def _summary(observation: Observation) -> str:
    """A case that is the same in one cell: the fact that tells most, which is the first that is not plainly true."""
    facts: list[Fact] = [fact for fact in observation.facts if fact.seen is not True]
    first = facts[0] if facts else observation.facts[0]
    return f"{first.name} {shown(first.seen)}"


def _judged(lines: Iterable[Line], accepted: Sequence[Accepted], today: date) -> Iterable[Line]:
    """The lines with the acceptances in force, and a line for each that is not."""
    judged, met = [], set[Accepted]()
    for line in lines:
        entry = next(
            (each for each in accepted if line.verdict is Verdict.DIFFERS and _covers(each, line)), None
        )
        if entry is not None:
            met.add(entry)
            verdict = Verdict.ACCEPTED if entry.until >= today else Verdict.EXPIRED
            line = replace(line, verdict=verdict, note=f"{entry.reason} (until {entry.until})")  # noqa: PLW2901
        judged.append(line)
    skipped = {line.case for line in judged if line.verdict is Verdict.SKIPPED}
    ran = {line.case for line in judged} - skipped
    gone = (entry for entry in accepted if entry not in met and entry.case in ran)
    judged += [
        Line(entry.case, entry.fact, "", "", Verdict.GONE, f"no longer occurs, take it out: {entry.reason}")
        for entry in gone
    ]
    return judged


def _covers(entry: Accepted, line: Line) -> bool:
    return entry.case == line.case and entry.fact in ("", line.fact) and entry.seen in ("", line.seen)
