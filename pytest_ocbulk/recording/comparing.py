"""A recorded answer beside the fake's: what differs, apart from what must.

Ids, page tokens and request numbers are never the same twice. The first time one is met it is bound to what the fake
has in its place, and from then on the two stand for each other: a fake that mixes them up is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .exchange import RecordedExchange

BOUND_FIELDS = frozenset({
    "id", "job_id", "instanceId", "instance_id", "bulkLoaderId", "parentBulkLoaderId", "groupName", "sourceJobId",
    "targetJobId", "urn", "token", "requestId",
})  # fmt: skip
BOUND_HEADERS = frozenset(
    {
        "elements-request-id",
        "elements-element-instance-id",
        "elements-next-page-token",
    }
)
MOVING_FIELDS = frozenset({
    "bulk_start_time", "bulk_finish_time", "createdDate", "completion_time", "completionTime", "dateTime",
    "date_time_updated", "fileSize",
})  # fmt: skip
"""Times, and the size of a file that was redacted: only that they are there is compared."""
COMPARED_HEADERS = (
    "content-type",
    "elements-returned-count",
    "elements-total-count",
    "elements-next-page-token",
    "elements-element-instance-id",
    "elements-request-id",
)
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the fake does otherwise; `recorded` and `fake` are JSON texts, or `nothing`."""

    number: int
    call: str
    field: str
    recorded: str
    fake: str


@dataclass(slots=True)
class Bindings:
    """What stands for what."""

    _fake_of: dict[str, Any] = field(default_factory=dict)
    _recorded_of: dict[str, str] = field(default_factory=dict)

    def bind(self, recorded: Any, fake: Any) -> bool:
        """Whether the two can stand for each other; from now on they do."""
        if isinstance(recorded, bool) or isinstance(fake, bool) or type(recorded) is not type(fake):
            return False
        one, other = str(recorded), str(fake)
        known = self._fake_of.setdefault(one, fake)
        back = self._recorded_of.setdefault(other, one)
        return str(known) == other and back == one

    def fake(self, text: str) -> str:
        """What the fake has in the place of a recorded id; any other text as it is."""
        return str(self._fake_of.get(text, text))


@dataclass(frozen=True, slots=True)
class Played:
    """The fake's answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def compare(exchange: RecordedExchange, played: Played, bindings: Bindings) -> Iterator[Difference]:
    """What differs in one answer: the status alone if that does, else headers and body, field by field."""
    if exchange.status != played.status:
        yield Difference(
            exchange.number, exchange.call, "status code", str(exchange.status), str(played.status)
        )
        return
    for name in COMPARED_HEADERS:
        one, other = exchange.answer_headers.get(name), played.headers.get(name)
        if name in BOUND_HEADERS and one is not None and other is not None:
            bindings.bind(one, other)
        elif one != other:
            yield Difference(
                exchange.number, exchange.call, f"header {name}", one or NOTHING, other or NOTHING
            )
    for place, one, other in _bodies(exchange, played, bindings):
        yield Difference(exchange.number, exchange.call, place, one, other)


def _bodies(exchange: RecordedExchange, played: Played, bindings: Bindings) -> Iterator[tuple[str, str, str]]:
    one, other = _json(exchange.answer), _json(played.body)
    if one is not None and other is not None:
        yield from _values("", one, other, bindings)
    elif exchange.answer != played.body:
        recorded, fake = exchange.answer.decode().splitlines(), played.body.decode().splitlines()
        for number in range(max(len(recorded), len(fake))):
            left, right = (lines[number] if number < len(lines) else NOTHING for lines in (recorded, fake))
            if left != right:
                yield f"line {number + 1}", left, right


def _values(place: str, one: Any, other: Any, bindings: Bindings) -> Iterator[tuple[str, str, str]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            inner = f"{place}.{name}".lstrip(".")
            if name not in one or name not in other:
                yield inner, _at(one, name), _at(other, name)
            else:
                yield from _field(inner, name, one[name], other[name], bindings)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _values(f"{place}[{index}]", left, right, bindings)
    elif isinstance(one, list) and isinstance(other, list):
        yield f"{place}: items".lstrip(": "), str(len(one)), str(len(other))
    elif one != other or type(one) is not type(other):
        yield place or "body", _shown(one), _shown(other)


def _field(place: str, name: str, one: Any, other: Any, bindings: Bindings) -> Iterator[tuple[str, str, str]]:
    if name in BOUND_FIELDS and isinstance(one, (str, int)) and isinstance(other, (str, int)):
        if not bindings.bind(one, other):
            yield place, _shown(one), _shown(other)
    elif name in MOVING_FIELDS:
        if type(one) is not type(other):
            yield place, _shown(one), _shown(other)
    else:
        yield from _values(place, one, other, bindings)


def _at(body: dict[str, Any], name: str) -> str:
    return _shown(body[name]) if name in body else NOTHING


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
