"""What a test that passed has left behind, and should not have: each a sign that it tested less than it seems to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple

from .emulator.clock import spell
from .emulator.messages import BASE_PATH
from .emulator.routes import ROUTES
from .evidence import Evidence
from .in_process import Stray
from .jobs import spelled

_CALLS = tuple(f"{route.method} {route.template}" for route in ROUTES)


class Leftover(NamedTuple):
    """One thing left behind: what sort of thing (a word for the marker's `allow`), and what is the matter."""

    sort: str
    text: str


def leftovers(evidence: Evidence) -> list[Leftover]:
    """What is left of the plans, jobs, calls and callbacks of one instance."""
    evidence.tick()
    instance = evidence.instance
    return [
        *(Leftover("unfired_fault", f"fault {each.describe()}") for each in instance.faults.pending),
        *(Leftover("unused_job", text) for text in instance.plans.describe(instance.dialect.word)),
        *(Leftover("unfinished_job", text) for text in _unfinished(evidence)),
        *(Leftover("undelivered_callback", text) for text in _undelivered(evidence)),
        *stray_calls(
            Stray(each.method, each.path, each.status) for each in instance.journal if not each.operation
        ),
    ]


def complaint(found: Iterable[Leftover], allowed: frozenset[str]) -> str:
    """What a test is told about what it left behind; empty when that is nothing, or allowed."""
    lines = [
        f"- {each.text}\n  if that is meant: @pytest.mark.ocbulk(allow={each.sort!r})"
        for each in found
        if each.sort not in allowed
    ]
    head = "ocbulk: the test passed, but not all that it prepared or began came to its end:"
    return "\n".join([head, *lines]) if lines else ""


def stray_calls(calls: Iterable[Stray]) -> Iterator[Leftover]:
    """The calls that there are none of, each with the nearest one."""
    counts = Counter(call for call in calls if call.status in (404, 405))
    for call, times in counts.items():
        often = f", {times} times" if times > 1 else ""
        yield Leftover(
            "stray_call",
            f"{call.method} {call.path} is no call of the API (answered {call.status}{often}){advice(call)}",
        )


def advice(call: Stray) -> str:
    """What to do about a call that was for nobody, as the end of a sentence; empty where nothing is known."""
    if call.status == 401:
        return "; each test has secrets of its own, from ocbulk.env() or ocbulk.headers"
    if call.status not in (404, 405):
        return ""
    if not call.path.startswith(BASE_PATH):
        return f"; calls go to paths below {BASE_PATH}, which belongs to the base URL"
    from difflib import get_close_matches  # for who has made a mistake

    path = call.path.removeprefix(BASE_PATH)
    found = get_close_matches(f"{call.method} {path}", _CALLS, n=1, cutoff=0.4)
    return f"; the nearest is {found[0]}" if found else ""


def _unfinished(evidence: Evidence) -> Iterator[str]:
    """Jobs on a timeline of the test's own that have not ended, unless they never were to."""
    instance = evidence.instance
    for job in instance.running:
        steps = job.course.timeline.steps
        planned = any(step.hold for step in steps)
        if planned and steps[-1].seconds != inf:
            word, length = instance.dialect.word(job.status), spell(instance.clock.now() - job.events[-1].at)
            course = spelled(job.course.timeline, instance)
            yield (
                f"job {job.id} has been {word} for {length}, its timeline is {course!r}: the code under test did"
                " not wait for its end, or the clock did not move: what sleeps moves it"
                " within `with ocbulk.clock.drives_sleep():`"
            )


def _undelivered(evidence: Evidence) -> Iterator[str]:
    instance = evidence.instance
    for attempt in instance.callbacks.undelivered:
        if attempt.outcome in ("failed", "refused") and not attempt.fault:
            yield str(attempt)
    for callback in evidence.emulator.runner.outbox:
        if callback.instance_id == instance.id:
            about = f"callback of job {callback.job} to {callback.url}"
            wait = callback.due - instance.clock.now()
            if callback.held:
                yield f"{about} waits for the callback of a later job, which did not come"
            elif callback.failure and callback.fault:
                continue  # a receiver is right to refuse what a planned fault has spoilt
            elif callback.failure:
                yield f"{about}: {callback.failure}; the next try would be in {spell(max(wait, 0))}"
            else:
                yield f"{about} was not delivered; it is due in {spell(max(wait, 0))}"
