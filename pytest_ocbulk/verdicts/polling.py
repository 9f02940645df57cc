"""Manners of polling: pauses between looks, no look after the end, and no call before `Retry-After` is over."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..emulator.clock import ManualClock, seconds
from ..emulator.journal import Exchange
from ..evidence import Evidence
from ..showing import target
from .judging import Which, calls, chosen, complain, is_final, length, moment, nothing_to_judge, shown_status

MANY = 10
"""Polls after the end that are certainly no mere double check."""
_SAME = 1e-6
"""Seconds by which two instants may differ and still be the same: they are sums of floating point numbers."""


def assert_polite_polling(
    evidence: Evidence,
    *,
    min_interval: float | str = "1s",
    max_polls: int | None = None,
    stops_at_terminal: bool = True,
    honours_retry_after: bool = True,
    job: Which = None,
) -> None:
    """Fail if jobs were polled too fast, too often or for too long; see `OcBulk.assert_polite_polling`."""
    __tracebackhide__ = True
    evidence.tick()
    looks = calls(evidence, "status")
    polled = {each.id: looks[each.id] for each in chosen(evidence, job)}
    if not any(polled.values()):
        raise nothing_to_judge("assert_polite_polling", "nobody asked for the status of a job")
    complaints: list[str] = []
    for name, polls in polled.items():
        complaints += _too_fast(evidence, name, polls, seconds(min_interval))
        if max_polls is not None and len(polls) > max_polls:
            complaints.append(f"job {name}: polled {len(polls)} times, expected at most {max_polls}")
        if stops_at_terminal:
            complaints += _after_the_end(evidence, name, polls, least=1)
    if honours_retry_after:
        complaints += _too_soon(evidence)
    complain(evidence, "expected polite polling", complaints)


def polls_after_the_end(evidence: Evidence) -> Iterator[str]:
    """The jobs that somebody went on to poll long after he had been told of their end, in words."""
    for job, polls in calls(evidence, "status").items():
        yield from _after_the_end(evidence, job, polls, least=MANY)


def _too_fast(evidence: Evidence, job: str, polls: list[Exchange], least: float) -> Iterator[str]:
    pauses = [later.at - earlier.at for earlier, later in pairwise(polls)]
    short = [pause for pause in pauses if pause < least - _SAME]
    if not short:
        return
    hint = ""
    if not any(pauses) and isinstance(evidence.instance.clock, ManualClock):
        hint = "; the clock stood still: code that sleeps moves it within `with ocbulk.clock.drives_sleep():` only"
    of = f"{len(short)} of {len(pauses)} pauses" if len(pauses) > 1 else "the only pause"
    were = "were" if len(pauses) > 1 else "was"
    yield (
        f"job {job}: {of} between polls {were} shorter than {length(least)}, the shortest {length(min(short))}{hint}"
    )


def _after_the_end(evidence: Evidence, job: str, polls: list[Exchange], *, least: int) -> Iterator[str]:
    for at, poll in enumerate(polls):
        word = shown_status(poll)
        if is_final(word):
            more = len(polls) - at - 1
            if more >= least:
                often = "once more" if more == 1 else f"{more} more times"
                yield f"job {job}: polled {often} after it had been shown {word} at {moment(evidence, poll.at)}"
            return


def _too_soon(evidence: Evidence) -> Iterator[str]:
    exchanges = list(evidence.instance.journal)
    for at, refused in enumerate(exchanges):
        wait = _retry_after(refused)
        if wait is None:
            continue
        again = next((each for each in exchanges[at + 1 :] if _repeats(each, refused)), None)
        if again is not None and again.at - refused.at < wait - _SAME:
            yield (
                f"{refused.method} {target(refused)} was answered {refused.status} at {moment(evidence, refused.at)}"
                f" with Retry-After of {length(wait)}, and called again {length(again.at - refused.at)} later"
            )


def _repeats(call: Exchange, other: Exchange) -> bool:
    return (call.method, call.path) == (other.method, other.path)


def _retry_after(exchange: Exchange) -> float | None:
    """The wait that an answer asked for, in seconds, None if it asked for none (RFC 9110, 10.2.3)."""
    # Imported here, because it takes a while and every server has the verdicts.
    from email.utils import parsedate_to_datetime

    text = next(
        (value for name, value in exchange.answer_headers.items() if name.lower() == "retry-after"), ""
    )
    try:
        return float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - exchange.at
    except (ValueError, TypeError):
        return None
