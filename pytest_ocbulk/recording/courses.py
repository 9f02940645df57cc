"""What the jobs of a recording did, as timelines: the line of text that `next_job` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pytest_ocbulk.emulator.clock import spell
from pytest_ocbulk.emulator.jobs import KNOWN, TERMINAL, canonical

from .exchange import RecordedExchange, Recording

_STEPS = (
    86400,
    43200,
    21600,
    3600,
    1800,
    600,
    300,
    60,
    30,
    10,
    5,
    2,
    1,
    0.5,
    0.2,
    0.1,
    0.05,
    0.02,
    0.01,
    0.005,
    0.002,
    0.001,
)
"""Seconds: what a change between two looks is rounded to, the roundest that fits."""

SHORTEST = 0.1
"""Seconds. A status that was over sooner than this after its creation is passed through: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class RecordedJob:
    """One job: what it was about, and its course as far as the recording saw it.

    `created` is the number of the exchange that made it.
    """

    id: str
    object_name: str
    direction: str
    timeline: str
    created: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A status seen at an instant, in seconds since the recording began."""

    at: float
    status: str


def recorded_jobs(recording: Recording | Path | str) -> list[RecordedJob]:
    """The jobs that a recording made and looked at, in their order; raises `OcBulkError` for a folder without one."""
    if not isinstance(recording, Recording):
        recording = Recording.read(Path(recording))
    made = [exchange for exchange in recording.exchanges if _makes_a_job(exchange)]
    return [_job(exchange, recording.exchanges) for exchange in made]


def _makes_a_job(exchange: RecordedExchange) -> bool:
    body = exchange.json()
    is_stub = isinstance(body, dict) and "id" in body and isinstance(body.get("status"), str)
    return exchange.method == "POST" and "/bulk/" in exchange.target and exchange.status == 200 and is_stub


def _job(made: RecordedExchange, exchanges: Sequence[RecordedExchange]) -> RecordedJob:
    stub = made.json()
    number = str(stub["id"])
    looks, last = [Look(made.at + made.took, stub["status"])], dict[str, Any]()
    for exchange in exchanges:
        body = exchange.json()
        path = exchange.target.partition("?")[0]
        if (
            exchange.number > made.number
            and path.endswith(f"/bulk/{number}/status")
            and isinstance(body, dict)
        ):
            last = body
            looks.append(Look(exchange.at, str(body.get("status"))))
    object_name, direction = _asked_for(made)
    return RecordedJob(
        id=number,
        object_name=str(last.get("object_name", object_name)),
        direction=str(last.get("job_direction", direction)),
        timeline=timeline_of(looks),
        created=made.number,
        error=last.get("error"),
    )


def _asked_for(made: RecordedExchange) -> tuple[str, str]:
    """Object and direction as far as the creating call tells them."""
    word = unquote(made.target.partition("?")[0].rpartition("/")[2])
    return ("", "DOWNLOAD") if word in ("query", "download") else (word, "UPLOAD")


def timeline_of(looks: Sequence[Look]) -> str:
    """The course that shows these statuses at these looks, in round durations where they allow it."""
    words, began = [_word(looks[0].status)], looks[0].at
    for before, after in pairwise(looks):
        if before.status != after.status:
            began = _change(words, began, before.at, after.at, first=len(words) == 1)
            words.append(_word(after.status))
    if canonical(looks[-1].status) not in TERMINAL:
        words.append("forever")
    return " ".join(words)


def _change(words: list[str], began: float, last: float, seen: float, *, first: bool) -> float:
    """Hold the present status until a round instant behind the `last` look at it; that instant."""
    if first and last == began and seen - began < SHORTEST:
        return seen  # passed through
    hold = rounded(last - began, seen - began)
    words.append(spell(hold))
    return began + hold


def rounded(after: float, until: float) -> float:
    """The roundest duration that is longer than `after` and at most `until`, both in seconds."""
    for step in _STEPS:
        found = int(until / step + 1e-9) * step
        if found > after:
            return round(found, 3)
    return round(max(until, 0.001), 3)


def _word(status: str) -> str:
    return status if canonical(status) in KNOWN else f"'{status}'"
