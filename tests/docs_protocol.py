"""The calls in docs/protocol.md, from the routes and the golden exchanges, and docs/quirks.md, from the quirks.

python -m tests.docs_protocol         write both anew
"""

from __future__ import annotations

import inspect
import re
from dataclasses import Field, fields
from pathlib import Path
from typing import get_args, get_type_hints

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import MOST_DAYS, Quirks
from pytest_ocbulk.emulator.errors import MethodNotAllowed, NotFound
from pytest_ocbulk.emulator.routes import ROUTES, Route, match, strip

from .wire_stories import Exchange, Story, stories

DOCS = Path(__file__).parent.parent / "docs"
PROTOCOL, QUIRKS = DOCS / "protocol.md", DOCS / "quirks.md"
BEGIN, END = "<!-- calls: python -m tests.docs_protocol -->\n", "<!-- end of calls -->\n"
SCOPES = {
    "instance": "Needs Element and User.",
    "platform": "Needs User and Organization.",
    "public": "Needs no credentials.",
}


def protocol() -> str:
    """docs/protocol.md with its calls as they are now."""
    text = PROTOCOL.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + calls() + END + rest.partition(END)[2]


def calls() -> str:
    """Every route: what it does, who may call it, what it has been seen to answer, and why."""
    met: dict[Route, list[tuple[Story, Exchange]]] = {route: [] for route in ROUTES}
    for story in stories("documented"):
        for exchange in story.exchanges:
            if route := _route(story, exchange):
                met[route].append((story, exchange))
    return "".join(_call(route, exchanges) for route, exchanges in met.items())


def _route(story: Story, exchange: Exchange) -> Route | None:
    path = (exchange.send.base + exchange.target).partition("?")[0]
    segments = tuple(part for part in path.split("/") if part)
    try:
        below = built_in(story.actors[exchange.by].connector).fold(strip(segments)[1])
        return match(exchange.method, below)[0]
    except (NotFound, MethodNotAllowed):
        return None  # an exchange about that very answer


def _call(route: Route, exchanges: list[tuple[Story, Exchange]]) -> str:
    told = " ".join(inspect.cleandoc(route.endpoint.__doc__ or "").split())
    told = re.sub(r"^`[A-Z]+ [^`]*`(?:[:;,] |\.$)", "", told)  # the heading has said it
    told = told[:1].upper() + told[1:] + " " if told else ""
    shown: list[str] = []
    for status in sorted({exchange.expect.status for _, exchange in exchanges}):
        answered = [(story, each) for story, each in exchanges if each.expect.status == status]
        own = [each.source for _, each in answered if each.source]
        shown += [
            f"- {status}: {source.replace('protocol.md ', '')}"
            for source in dict.fromkeys(own or [story.source for story, _ in answered])
        ]
    head = (
        f"### `{route.method} {route.template}`\n\n{told}{SCOPES[route.scope]} Faults: `{route.operation}`."
    )
    return "\n".join([head, "", *shown, "", ""])


def quirks() -> str:
    """docs/quirks.md: every switch of the dialect."""
    rows = "\n".join(_quirk(each) for each in fields(Quirks))
    return f"""# Quirks

In these points elements or releases of the service differ from each other, so each is a switch. The default is
what the evidence favours; the numbers are sections of [protocol.md](protocol.md). A switch is set

- for a connector: `[quirks]` in its TOML file
- for a server: `ocbulk-server --quirk NAME=VALUE`
- for a test: `@pytest.mark.ocbulk(quirks={{"json_shape": "array"}})`

and the later of these wins. What each changes on the wire is written down in `fixtures/wire/`, in the stories 21 and
32 to 37.

| switch | values | default | what it changes |
| --- | --- | --- | --- |
{rows}

This page is written by `python -m tests.docs_protocol`.
"""


def _quirk(quirk: Field[object]) -> str:
    found = get_args(get_type_hints(Quirks)[quirk.name])
    kind = type(quirk.default).__name__
    values = ", ".join(f"`{each}`" for each in found) if found else KINDS[kind]
    default = str(quirk.default).lower() if kind == "bool" else str(quirk.default)
    return f"| `{quirk.name}` | {values} | `{default}` | {quirk.metadata['doc']} |"


KINDS = {
    "bool": "`true`, `false`",
    "int": f"a whole number, 0 to {MOST_DAYS}",
    "float": "seconds, or `2s`, `10m`",
}


if __name__ == "__main__":
    PROTOCOL.write_text(protocol(), encoding="utf-8")
    QUIRKS.write_text(quirks(), encoding="utf-8")
