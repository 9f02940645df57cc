"""The requests of a recording, made again to a fresh fake: at the recorded instants, under its own ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import Connector, find
from pytest_ocbulk.emulator.dialect import Dialect, dialect_named
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.instances import Credentials, Instance
from pytest_ocbulk.emulator.jobs import FAILED
from pytest_ocbulk.emulator.messages import BASE_PATH, Disconnect, Request
from pytest_ocbulk.emulator.plans import JobPlan
from pytest_ocbulk.emulator.timeline import Timeline

from .comparing import Bindings, Difference, Played, compare
from .courses import RecordedJob, recorded_jobs
from .exchange import RecordedExchange, Recording

UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it: how many exchanges were played, which could not be, and what the fake did otherwise."""

    played: int
    not_played: tuple[int, ...]
    differences: tuple[Difference, ...]

    def grouped(self) -> list[tuple[str, str, str, str, int]]:
        """Call, field, recorded, fake and how often: the same difference is told once."""
        counted = Counter(
            (_generic(each.call), each.field, each.recorded, each.fake) for each in self.differences
        )
        return [(*key, count) for key, count in counted.items()]


def replay(
    recording: Recording | Path | str, dialect: str = "documented", connector: str = "marketing"
) -> Replay:
    """Play a recording against a fresh fake; raises `OcBulkError` for one that cannot be read."""
    if not isinstance(recording, Recording):
        recording = Recording.read(Path(recording))
    player = _Player(recording, dialect_named(dialect), find(connector))
    try:
        return player.play()
    finally:
        player.close()


class _Player:
    """A fake with an instance for each element token of the recording, under one clock."""

    def __init__(self, recording: Recording, dialect: Dialect, connector: Connector) -> None:
        self._recording = recording
        self._clock = ManualClock()
        self._emulator = Emulator()
        self._bindings = Bindings()
        self._jobs = {job.created: job for job in recorded_jobs(recording)}
        self._instances = {
            found.element: self._emulator.create_instance(
                connector,
                token=found.element,
                user_secret=found.user,
                organization_secret=found.organization or None,
                clock=self._clock,
                dialect=dialect,
            )
            for found in _accounts(recording)
        }

    def close(self) -> None:
        self._emulator.close()

    def play(self) -> Replay:
        differences: list[Difference] = []
        kept = [exchange for exchange in self._recording.exchanges if not exchange.cut]
        for exchange in kept:
            self._clock.advance(max(0.0, exchange.at - self._clock.elapsed))
            if job := self._jobs.get(exchange.number):
                self._plan(exchange, job)
            differences += compare(exchange, self._ask(exchange), self._bindings)
        cut = tuple(exchange.number for exchange in self._recording.exchanges if exchange.cut)
        return Replay(len(kept), cut, tuple(differences))

    def _plan(self, exchange: RecordedExchange, job: RecordedJob) -> None:
        """The job takes the recorded course: what is compared is not how long things took."""
        instance = self._instance(exchange)
        if instance is not None:
            timeline = Timeline.parse(job.timeline)
            error = job.error if timeline.end in FAILED else None
            instance.plans.queued.append(JobPlan(timeline, error=error))

    def _instance(self, exchange: RecordedExchange) -> Instance | None:
        return self._instances.get(Credentials.parse(exchange.headers.get("authorization", "")).element)

    def _ask(self, exchange: RecordedExchange) -> Played:
        headers = {**exchange.headers, "content-length": str(len(exchange.body))}
        request = Request.of(
            exchange.method, BASE_PATH + self._target(exchange.target), headers, exchange.body
        )
        answer = self._emulator.handle(request)
        if isinstance(answer, Disconnect):
            return Played(0, {}, b"")
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        return Played(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)

    def _target(self, target: str) -> str:
        """The target with the fake's ids in the place of the recorded ones."""
        path, _, query = target.partition("?")
        parts = (quote(self._bindings.fake(unquote(part)), safe="") for part in path.split("/"))
        pairs = [
            (name, self._bindings.fake(value)) for name, value in parse_qsl(query, keep_blank_values=True)
        ]
        return "/".join(parts) + (f"?{urlencode(pairs)}" if pairs else "")


def _accounts(recording: Recording) -> Iterator[Credentials]:
    """The secrets that the service let in, each element token once."""
    met: dict[str, Credentials] = {}
    for exchange in recording.exchanges:
        found = Credentials.parse(exchange.headers.get("authorization", ""))
        if found.element and exchange.status != UNAUTHORIZED:
            known = met.setdefault(found.element, found)
            if found.organization and not known.organization:
                met[found.element] = replace(known, organization=found.organization)
    yield from met.values()


def _generic(call: str) -> str:
    """A call with numbers for ids, so that polls of two jobs are one line."""
    return "/".join("{id}" if part.isdigit() else part for part in call.split("/"))
