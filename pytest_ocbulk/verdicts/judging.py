"""What all verdicts need: the jobs that are judged, times and row numbers for people, and the shape of a complaint."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..emulator.clock import spell
from ..emulator.errors import OcBulkError
from ..emulator.jobs import TERMINAL, Job, canonical
from ..emulator.journal import Exchange
from ..evidence import Evidence, WhichJob

Which = WhichJob | None
"""A job by its id or as a test holds it; None for all."""


def chosen(evidence: Evidence, which: Which) -> list[Job]:
    """The jobs that are meant, oldest first; raises `OcBulkError` for an unknown one."""
    return list(evidence.instance.jobs.values()) if which is None else [evidence.job(which)]


def nothing_to_judge(verdict: str, reason: str) -> OcBulkError:
    """A verdict that could only ever be good says nothing."""
    return OcBulkError(f"{verdict}() has nothing to judge: {reason}")


def complain(evidence: Evidence, head: str, complaints: Iterable[str]) -> None:
    """Raise an `AssertionError` that lists the complaints, if there are any."""
    __tracebackhide__ = True
    lines = [f"- {each}" for each in complaints]
    forgotten = evidence.instance.journal.forgotten
    if lines and forgotten:
        lines.append(f"  (the oldest {forgotten} calls are no longer in the journal)")
    if lines:
        raise AssertionError("\n".join([f"{head}:", *lines]))


def moment(evidence: Evidence, at: float) -> str:
    """An instant as seconds since the fake was made: `+2s`."""
    return f"+{length(at - evidence.began)}"


def length(seconds: float) -> str:
    """A duration in the way of timelines, to the millisecond."""
    return spell(round(seconds, 3))


def calls(evidence: Evidence, operation: str) -> defaultdict[str, list[Exchange]]:
    """The calls of an operation by the job that they were about, also those that were kept from being answered."""
    found: defaultdict[str, list[Exchange]] = defaultdict(list)
    for each in evidence.instance.journal:
        if each.operation == operation:
            found[each.job or evidence.about(each).get("id", "")].append(each)
    return found


def shown_status(exchange: Exchange) -> str:
    """The status word that an answer showed, empty if it showed none."""
    if exchange.status != 200 or exchange.fault:
        return ""
    try:
        body = json.loads(exchange.answer)
    except ValueError:
        return ""
    return str(body.get("status", "")) if isinstance(body, dict) else ""


def is_final(word: str) -> bool:
    """Whether a status word, in any spelling, is a final one."""
    return canonical(word) in TERMINAL


def spans(rows: Sequence[int], most: int = 5) -> str:
    """Row numbers for people: `row 3`, `rows 1-200`, `rows 1-3, 7 and 9-12`."""
    ranges: list[list[int]] = []
    for row in sorted(rows):
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:most]]
    rest = sum(last - first + 1 for first, last in ranges[most:])
    if rest:
        shown.append(f"{rest} more")
    text = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"row{'' if len(rows) == 1 else 's'} {text}"
