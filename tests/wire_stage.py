"""The stage on which golden exchanges are played: an emulator behind a door, and the instances of a story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import DIALECTS
from pytest_ocbulk.emulator.emulator import Defaults, Emulator
from pytest_ocbulk.emulator.instances import Credentials, Instance

from .doors import DOORS, Ask, Received
from .wire_matching import Names, compare, compare_callbacks, sent
from .wire_stories import Callback, Story


@dataclass(frozen=True, slots=True)
class Stage:
    """An emulator behind a door."""

    emulator: Emulator
    ask: Ask
    dialect: str


@contextmanager
def staged(door: str, dialect: str) -> Iterator[Stage]:
    """An emulator behind a door, for as long as it is entered."""
    emulator = Emulator(
        defaults=Defaults(dialect=DIALECTS[dialect]),
        background=door != "core",
        known_user=Credentials(user="new user", organization="new organization"),
    )
    with DOORS[door](emulator) as ask:
        yield Stage(emulator, ask, dialect)
    emulator.close()


def play(stage: Stage, story: Story) -> list[Received]:
    """Run a story on fresh instances; raises `Mismatch` at the first answer that differs."""
    clock, names = ManualClock(), Names()
    actors = {name: _enter(stage, story, name, clock, names) for name in story.actors}
    answers: list[Received] = []
    due: list[Callback] = []
    try:
        for exchange in story.exchanges:
            instance = actors[exchange.by]
            if exchange.advance:
                clock.advance(exchange.advance)
            if exchange.next_job:
                _plan(instance, exchange.next_job)
            answer = stage.ask(sent(exchange, names))
            compare(exchange, answer, names)
            due += [Callback(c.url, c.body.decode(), c.headers) for c in stage.emulator.take_callbacks()]
            if exchange.expect.callbacks is not None:
                compare_callbacks(exchange, due, names)
                due.clear()
            answers.append(answer)
    finally:
        for instance in actors.values():
            stage.emulator.close_instance(instance)
    return answers


def _enter(stage: Stage, story: Story, name: str, clock: ManualClock, names: Names) -> Instance:
    """An instance of the story; all of them belong to one user."""
    actor = story.actors[name]
    instance = stage.emulator.create_instance(
        built_in(actor.connector),
        user_secret=names.get("user"),
        organization_secret=names.get("organization"),
        clock=clock,
        dialect=DIALECTS[stage.dialect],
        quirks=actor.quirks,
        configuration=dict(actor.configuration),
    )
    own = {
        "token": instance.token,
        "user": instance.user_secret,
        "organization": instance.organization_secret,
        "instance": str(instance.id),
    }
    names |= {f"{name}_{key}" if name else key: value for key, value in own.items()}
    return instance


def _plan(instance: Instance, table: Mapping[str, Any]) -> None:
    rows = {int(row): text for row, text in table.get("fail_rows", {}).items()}
    instance.plans.next_job(table.get("timeline"), fail_rows=rows, error=table.get("error"))
