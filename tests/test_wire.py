"""Every golden exchange of `fixtures/wire/`, through every door, in both dialects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import DIALECTS, Quirks
from pytest_ocbulk.emulator.routes import ROUTES, match, strip

from .doors import DOORS, Received
from .wire_stage import Stage, play, staged
from .wire_stories import CSV, FIXTURES, WIRE, Exchange, Story, stories

TOLD = {dialect: stories(dialect) for dialect in DIALECTS}


@pytest.fixture(scope="module", params=[f"{door}-{dialect}" for door in DOORS for dialect in DIALECTS])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    door, _, dialect = request.param.partition("-")
    with staged(door, dialect) as found:
        yield found


@pytest.mark.parametrize("at", range(len(TOLD["documented"])), ids=[s.name for s in TOLD["documented"]])
def test_the_fake_answers_as_it_is_written(stage: Stage, at: int) -> None:
    assert play(stage, TOLD[stage.dialect][at])


# -- the two dialects ---------------------------------------------------------------------------------------


def test_dialects_differ_in_the_final_word_and_in_what_objects_lists_and_in_nothing_else() -> None:
    differing = 0
    for documented, live in zip(TOLD["documented"], TOLD["live"], strict=True):
        with staged("core", "documented") as one, staged("core", "live") as other:
            pairs = zip(documented.exchanges, play(one, documented), play(other, live), strict=True)
            for exchange, said, said_live in pairs:
                assert b"COMPLETED" not in said.body, exchange.call
                if not exchange.expect.live:
                    assert said_live.status == said.status
                    assert said_live.body.replace(b"COMPLETED", b"COMPLETE") == said.body, exchange.call
                    assert _headers(said_live) == _headers(said), exchange.call
                    differing += said_live.body != said.body
                else:
                    assert exchange.target.endswith("/objects")
    assert differing > 10


def _headers(answer: Received) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "content-length"}


# -- what is covered ----------------------------------------------------------------------------------------


def test_every_route_has_a_golden_exchange_that_succeeds() -> None:
    met = {
        match(exchange.method, found)[0].template + " " + match(exchange.method, found)[0].method
        for story in TOLD["documented"]
        for exchange in story.exchanges
        if exchange.expect.status == 200 and exchange.method != "OPTIONS"
        for found in [_segments(story, exchange)]
    }
    assert met == {f"{route.template} {route.method}" for route in ROUTES}


def _segments(story: Story, exchange: Exchange) -> tuple[str, ...]:
    path = (exchange.send.base + exchange.target).partition("?")[0]
    segments = tuple(part for part in path.split("/") if part)
    return built_in(story.actors[exchange.by].connector).fold(strip(segments)[1])


def test_every_quirk_has_a_story_in_which_it_is_not_as_usual() -> None:
    usual = asdict(Quirks())
    told = {
        name
        for story in TOLD["documented"]
        for actor in story.actors.values()
        for name, value in actor.quirks.items()
        if value != usual[name]
    }
    assert told == set(usual)


def test_every_surprise_of_section_13_has_a_golden_exchange() -> None:
    sources = {source for story in TOLD["documented"] for source in (story.source, *_sources(story))}
    named = {
        int(number)
        for source in sources
        for numbers in re.findall(r"surprises? (\d+(?:(?:, | and )\d+)*)", source)
        for number in re.findall(r"\d+", numbers)
    }
    assert named == set(range(1, 22))


def _sources(story: Story) -> list[str]:
    return [exchange.source for exchange in story.exchanges]


def test_the_csv_fixtures_are_all_used_and_all_described() -> None:
    readme = (FIXTURES / "README.md").read_text()
    wire = "".join(path.read_text() for path in WIRE.glob("*.toml"))
    for path in CSV.iterdir():
        assert f'"@{path.name}"' in wire, f"no golden exchange uploads {path.name}"
        assert f"`{path.name}`" in readme, f"fixtures/README.md does not say where {path.name} is from"
