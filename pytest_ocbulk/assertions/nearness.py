"""Calls that were almost the one a test looked for, nearest first, with what kept each from being it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..emulator.errors import OcBulkError, nearest
from ..emulator.journal import Exchange
from ..emulator.routes import ROUTES
from ..evidence import Evidence
from ..showing import metadata, one_line, sent, sent_file

SHOWN = 3
OPERATIONS = frozenset(route.operation for route in ROUTES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that a test looks for; what is None or empty does not matter. Raises `OcBulkError` for a misname."""

    operation: str
    object_name: str | None = None
    job: str | None = None
    status: int | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    file_name: str | None = None
    metadata: str | Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise OcBulkError(f"unknown operation {self.operation!r}{nearest(self.operation, OPERATIONS)}")

    def __str__(self) -> str:
        given = [(name, value) for name, value in self._singles() if value is not None]
        given += [(f"query {name}", value) for name, value in self.query.items()]
        given += [(f"header {name}", value) for name, value in self.headers.items()]
        described = " and ".join(f"{name} {value!r}" for name, value in given)
        return f"{self.operation!r}" + (f" with {described}" if described else "")

    def _singles(self) -> list[tuple[str, object]]:
        return [
            ("object", self.object_name),
            ("job", self.job),
            ("status", self.status),
            ("file name", self.file_name),
            ("metadata", self.metadata),
        ]

    def mismatches(self, evidence: Evidence, exchange: Exchange) -> list[str]:
        """What is not as wanted, a line each; none when it is the call."""
        return [
            f"{name}: expected {expected!r}, got {found!r}"
            for name, expected, found in self._compared(evidence, exchange)
            if expected is not None and expected != found
        ]

    def _compared(self, evidence: Evidence, exchange: Exchange) -> Iterator[tuple[str, object, object]]:
        yield "operation", self.operation, exchange.operation or "an unknown path"
        if self.object_name is not None:
            yield "object", self.object_name, _object(evidence, exchange)
        yield "job", self.job, exchange.job or None
        yield "status", self.status, exchange.status
        for name, value in self.query.items():
            yield f"query {name}", value, exchange.query.get(name)
        for name, value in self.headers.items():
            yield f"header {name}", value, exchange.headers.get(name.lower())
        if self.file_name is not None:
            file = sent_file(exchange)
            yield "file name", self.file_name, file.file_name if file else None
        if self.metadata is not None:
            yield "metadata", _value(self.metadata), _value(metadata(exchange))


def _value(given: str | Mapping[str, object] | None) -> object:
    """The `metaData` by its meaning, whatever its blanks and order; text that is no JSON as it is."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        return given


def _object(evidence: Evidence, exchange: Exchange) -> str | None:
    """The object that a call is about: named in the path, or that of its job."""
    named = evidence.about(exchange).get("object")
    job = evidence.instance.jobs.get(exchange.job)
    return named or (job.object_name if job else None)


def nearest_calls(evidence: Evidence, wanted: Wanted, exchanges: Sequence[Exchange]) -> list[str]:
    """The calls that fit best, at most three, each with what does not fit."""
    missed = [(wanted.mismatches(evidence, each), each) for each in exchanges]
    ranked = sorted((each for each in missed if each[0]), key=lambda each: len(each[0]))
    lines = []
    for place, (reasons, exchange) in enumerate(ranked[:SHOWN], 1):
        lines.append(f"nearest call {place}: {one_line(exchange, evidence.began)}")
        lines += [f"  {reason}" for reason in reasons]
        lines += [f"  {line}" for line in sent(exchange)]
    return lines
