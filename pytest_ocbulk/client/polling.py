"""Waiting for a job: ask, wait a little longer each time, stop at the end or when the time is up."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator

from .connection import TRANSIENT, wait_for
from .errors import BulkClientError, UnknownStatus, WaitTimedOut
from .reports import JobStatusReport
from .waiting import Timekeeper

PATIENCE = 8
"""Failed calls in a row after which it is an outage; with the default intervals that is about a minute."""


def poll(
    name: str,
    ask: Callable[[], JobStatusReport],
    time: Timekeeper,
    timeout: float | None,
    delays: Iterator[float],
    on_poll: Callable[[JobStatusReport], None] | None = None,
) -> JobStatusReport:
    """The first final report that `ask` gives. Raises `WaitTimedOut` after `timeout` seconds (None: never).

    A call that fails for the moment is a poll without news; after `PATIENCE` of them in a row the failure is
    raised. `delays` are the seconds between two polls; an answer that asks for a longer wait gets it. The last poll
    is made when the time is up, so nothing is missed.
    """
    deadline = None if timeout is None else time.now() + timeout
    report: JobStatusReport | None = None
    surprises: set[str] = set()
    troubles = 0
    for delay in delays:
        pause, trouble = delay, None
        try:
            report = ask()
        except TRANSIENT as failure:
            pause, trouble = max(delay, wait_for(failure, delay)), failure
            troubles += 1
            if troubles == PATIENCE:
                raise
        else:
            troubles = 0
            _tell(report, on_poll, surprises)
            if report.final:
                return report
        remaining = math.inf if deadline is None else deadline - time.now()
        if remaining <= 0 or (trouble and pause > remaining):
            break
        time.pause(min(pause, remaining))
    raise WaitTimedOut(_timed_out(name, timeout, report, trouble), report)


def _tell(
    report: JobStatusReport, on_poll: Callable[[JobStatusReport], None] | None, surprises: set[str]
) -> None:
    """Hand the report on, and warn of a word that nobody documents, once for each."""
    if on_poll:
        on_poll(report)
    if not report.known and report.word not in surprises:
        surprises.add(report.word)
        warnings.warn(
            f"job {report.id} has the unknown status {report.status!r}; taken for still running",
            UnknownStatus,
            stacklevel=4,
        )


def _timed_out(
    name: str, timeout: float | None, report: JobStatusReport | None, trouble: BulkClientError | None
) -> str:
    seen = f"still {report.status}" if report else "without a status"
    last = f"; the last call failed: {trouble}" if trouble else ""
    return f"job {name} is {seen} after {timeout:g} s{last}"
