"""Golden exchanges as values, read from `fixtures/wire/*.toml`; `fixtures/README.md` describes the format."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent.parent / "fixtures"
WIRE = FIXTURES / "wire"
CSV = FIXTURES / "csv"
BASE = "/elements/api-v2"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_FINAL_WORD = re.compile(r"\bCOMPLETE\b")


class WrongStory(Exception):
    """A file in `fixtures/wire/` that cannot be run as it stands."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A notification that is to be due: where to, with which headers and which JSON."""

    url: str
    json: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expectation:
    """The answer: status, headers beside `EVERY_ANSWER` (empty: absent), and the body in one of four ways.

    `live`: the JSON of `GET /objects` by connector where the live dialect lists something else.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: str | None = None
    has: str | None = None
    message: str | None = None
    text: str | None = None
    live: Mapping[str, str] = field(default_factory=dict)
    callbacks: tuple[Callback, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """The request beside its first line: headers, and the body as a form, as JSON text or as it is."""

    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: str | None = None
    body: str | None = None
    base: str = BASE


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; before it the clock may move and a course may be planned for the next job."""

    call: str
    expect: Expectation
    send: Sending = Sending()
    source: str = ""
    advance: str = ""
    next_job: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""

    @property
    def method(self) -> str:
        """The method of the call."""
        return self.call.partition(" ")[0]

    @property
    def target(self) -> str:
        """The target of the call, below the base unless `send.base` says otherwise."""
        return self.call.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Actor:
    """An instance of the story: its connector, its configuration and its quirks."""

    connector: str
    configuration: Mapping[str, str] = field(default_factory=dict)
    quirks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """A run of exchanges on fresh instances; the first actor, named `""`, asks unless an exchange says who."""

    name: str
    title: str
    source: str
    actors: Mapping[str, Actor]
    exchanges: tuple[Exchange, ...]


# -- reading ------------------------------------------------------------------------------------------------


def stories(dialect: str, folder: Path = WIRE) -> list[Story]:
    """All stories as they are told in a dialect, once for each connector they name."""
    return [
        story
        for path in sorted(folder.glob("*.toml"))
        for story in read(path.stem, path.read_text(), dialect)
    ]


def read(name: str, text: str, dialect: str) -> list[Story]:
    """The stories of one file; raises `WrongStory` naming what is wrong."""
    document = tomllib.loads(text)
    try:
        exchanges = [_exchange(table, document) for table in document.pop("exchange", [])]
        connectors = document.pop("connectors")
        others = {key: Actor(**table) for key, table in document.pop("others", {}).items()}
        shared = {key: document.pop(key, {}) for key in ("configuration", "quirks")}
        head = {key: document.pop(key) for key in ("title", "source")}
        document.pop("headers", None)
    except (KeyError, TypeError) as error:
        raise WrongStory(f"{name}: {error}") from None
    if document or not exchanges:
        raise WrongStory(f"{name}: {f'unknown keys {list(document)}' if document else 'no exchanges'}")
    return [
        Story(
            f"{name}[{connector}]" if len(connectors) > 1 else name,
            **head,
            actors={"": Actor(connector, **shared), **others},
            exchanges=tuple(in_dialect(each, dialect, connector) for each in exchanges),
        )
        for connector in connectors
    ]


def _exchange(table: dict[str, Any], document: Mapping[str, Any]) -> Exchange:
    expect, send = dict(table.pop("expect")), table.pop("send", {})
    expect["headers"] = {**document.get("headers", {}), **expect.get("headers", {})}
    if "callbacks" in expect:
        expect["callbacks"] = tuple(Callback(**each) for each in expect["callbacks"])
    exchange = Exchange(expect=Expectation(**expect), send=Sending(**send), **table)
    if exchange.method not in METHODS or not exchange.target.startswith("/"):
        raise WrongStory(f"not a call: {exchange.call!r}")
    bodies = (exchange.expect.json, exchange.expect.has, exchange.expect.message, exchange.expect.text)
    if sum(body is not None for body in bodies) != 1:
        raise WrongStory(f"{exchange.call}: expect one of json, has, message and text")
    if not (exchange.source or document.get("source")):
        raise WrongStory(f"{exchange.call}: no source")
    if exchange.expect.live and not exchange.target.endswith("/objects"):
        raise WrongStory(f"{exchange.call}: only what GET /objects lists may differ in the live dialect")
    return exchange


def in_dialect(exchange: Exchange, dialect: str, connector: str) -> Exchange:
    """The exchange as it is in a dialect. Files are written in `documented`; `live` ends a job with another word
    and lists other objects: those are the only two differences there are, and here they are made.
    """
    if dialect == "documented":
        return exchange
    told: Exchange = _reworded(exchange)
    listed = exchange.expect.live.get(connector)
    return told if listed is None else replace(told, expect=replace(told.expect, json=listed, has=None))


def _reworded(value: Any) -> Any:
    if isinstance(value, str):
        return _FINAL_WORD.sub("COMPLETED", value)
    if isinstance(value, tuple):
        return tuple(map(_reworded, value))
    if isinstance(value, Mapping):
        return {key: _reworded(each) for key, each in value.items()}
    if isinstance(value, Exchange | Expectation | Sending | Callback):
        return type(value)(**{each.name: _reworded(getattr(value, each.name)) for each in fields(value)})
    return value
