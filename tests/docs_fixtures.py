"""The lists of docs/fixtures.md, from the code: fixtures, marker, options, what a handle can do, what is allowed.

python -m tests.docs_fixtures         write them anew
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_ocbulk import OcBulk, OcBulkJob, plugin
from pytest_ocbulk.emulator.callbacks import Attempt
from pytest_ocbulk.emulator.journal import Exchange
from pytest_ocbulk.settings import ALLOWANCES, MARKER_KEYS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "fixtures.md"
PROJECT = Path(__file__).parent / "examples" / "downstream"

MEANT = {
    "connector": "`marketing` (default), `sage200`, `sqlserver`, or a TOML file beside the test",
    "dialect": "`documented` (default; the end is `COMPLETE`), `live` (`COMPLETED`), or `both`: two runs",
    "job": "the timeline of every job that is not planned by itself",
    "quirks": "oddities of the service, such as `{'id_type': 'number'}`",
    "seed": "other contacts than those that follow from the test's id",
    "allow": "what the test may leave behind, a word or a list of them: `allow=['unused_job', 'unfired_fault']`",
}
LEFT = {
    "client_warning": "what the code under test certainly did wrong (see below)",
    "stray_call": "a call that the API does not have, or that is outside of it",
    "undelivered_callback": "a callback that nobody took",
    "unfinished_job": "a job on a timeline of the test's own that has not ended, and was to",
    "unfired_fault": "a fault that struck less often than planned",
    "unused_job": "a `next_job` that no job used, `fail_rows` that no file had",
}


EXCHANGE = {
    "at": "when, in seconds since 1970 by the fake's clock",
    "operation": "the name that faults use (`upload`, `status` ...), empty for a call that the API does not have",
    "method": "`GET`, `POST` ...",
    "path": "the decoded path, without the query",
    "query": "the query by name",
    "headers": "the request's headers, names in lower case, secrets and all",
    "body": "the first 16 KiB of what was sent",
    "size": "how many bytes were sent",
    "status": "the status of the answer; 0: the connection was reset",
    "answer_headers": "the answer's headers",
    "answer": "the first 16 KiB of the answer, empty for a file",
    "job": "the id of the job that it is about, or empty",
    "fault": "the injected fault, such as `upload:reset:after`, or empty",
}
ATTEMPT = {
    "at": "when, in seconds since 1970 by the fake's clock",
    "job": "the id of the job whose end it tells",
    "url": "where to",
    "body": "what was posted",
    "headers": "with which headers, the signature among them",
    "number": "the how manieth try, from 1",
    "outcome": "`delivered`, `failed`, `refused` (host not allowed), `internal` (a path), `dropped` (a fault)",
    "status": "what the receiver answered; 0: nothing",
    "failure": "why it failed, in words",
    "next_try": "when it is tried again, None: no more",
    "fault": "the injected fault that it carries, or empty",
}


def lists() -> dict[str, Callable[[], Iterator[str]]]:
    """All lists by name."""
    return {
        "fixtures": fixtures,
        "marker": marker,
        "options": options,
        "handle": lambda: members(OcBulk),
        "job": lambda: members(OcBulkJob),
        "allowances": allowances,
        "exchange": lambda: members_of_entries(Exchange, EXCHANGE),
        "attempt": lambda: members_of_entries(Attempt, ATTEMPT),
    }


def fixtures() -> Iterator[str]:
    yield from ("| fixture | gives |", "|---|---|")
    for name, value in vars(plugin).items():
        function = getattr(value, "__wrapped__", None) or getattr(value, "_fixture_function", None)
        if function is not None and not name.startswith("_"):
            yield f"| `{name}` | {first(function)} |"


def marker() -> Iterator[str]:
    yield from ("| keyword | means |", "|---|---|")
    yield from (f"| `{name}` | {MEANT[name]} |" for name in MARKER_KEYS)


def options() -> Iterator[str]:
    yield from ("| setting | command line | environment | ini file |", "|---|---|---|---|")
    for name in ("dialect", "connector", "base_url", "seed"):
        told = f"`--ocbulk-{name}`" if name in plugin.OPTIONS else ""
        ini = f"`ocbulk_{name}`" if name in plugin.INI else ""
        text = {**plugin.OPTIONS, **plugin.INI}[name]
        yield f"| {text} | {told} | `OCBULK_{name.upper()}` | {ini} |"


def allowances() -> Iterator[str]:
    yield from ("| word | allows |", "|---|---|")
    yield from (f"| `{name}` | {LEFT[name]} |" for name in ALLOWANCES)


def members_of_entries(of: type[Exchange] | type[Attempt], meant: dict[str, str]) -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    yield from (f"| `{name}` | {meant[name]} |" for name in of.__match_args__)


def members(of: type) -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    for owner in reversed(of.__mro__):
        for name, value in vars(owner).items():
            if name.startswith("_") or not (callable(value) or isinstance(value, property)):
                continue
            doc = first(value.fget if isinstance(value, property) else value)
            call = "" if isinstance(value, property) else f"({', '.join(parameters(value))})"
            yield f"| `{name}{call}` | {doc} |"


def parameters(function: Callable[..., object]) -> Iterator[str]:
    for each in list(inspect.signature(function).parameters.values())[1:]:
        yield each.name if each.default is inspect.Parameter.empty else f"{each.name}="


def first(function: object) -> str:
    """The first sentence of a docstring, for a cell of a table."""
    text = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    return text.replace("|", "\\|")


def block(name: str, page: str) -> re.Match[str]:
    found = re.search(
        rf"<!-- {name}: python -m tests.docs_fixtures -->\n(.*?)<!-- end -->\n", page, re.DOTALL
    )
    assert found, f"docs/fixtures.md has no list {name!r}"
    return found


def written() -> str:
    """The page with its lists as they should be."""
    page = PAGE.read_text(encoding="utf-8")
    for name, lines in lists().items():
        found = block(name, page)
        page = page[: found.start(1)] + "\n".join(lines()) + "\n" + page[found.end(1) :]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
