"""Exchanges as people read them: one line each, forms decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from .emulator.clock import spell
from .emulator.journal import EXCERPT, Exchange

SHOWN_LINES = 3
"""Lines shown of a file or of another body."""
SHOWN_WIDTH = 120
"""Characters shown of a line; longer ones end in an ellipsis."""


class Part(NamedTuple):
    """One part of a form, as far as the journal kept it; `whole` tells whether that is all of it."""

    name: str
    file_name: str
    content_type: str
    content: bytes
    whole: bool


def parts(exchange: Exchange) -> list[Part]:
    """The parts of the form that was sent; none if it was no form."""
    from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

    kind, options = parse_options_header(exchange.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        return []
    parser = PushMultipartParser(options["boundary"], max_segment_count=100)
    found: list[Part] = []
    try:
        for event in parser.parse(exchange.body):
            if isinstance(event, MultipartSegment):
                found.append(
                    Part(event.name, event.filename or "", event.content_type or "", b"", whole=False)
                )
            elif found:
                last = found[-1]
                found[-1] = Part(
                    last.name,
                    last.file_name,
                    last.content_type,
                    last.content + bytes(event or b""),
                    whole=event is None,
                )
    except (MultipartError, UnicodeDecodeError):
        pass  # what was readable is what is shown
    return found


def sent_file(exchange: Exchange) -> Part | None:
    """The uploaded file, as far as the journal kept it."""
    return next((part for part in parts(exchange) if part.name == "file"), None)


def metadata(exchange: Exchange) -> str | None:
    """The text of the metaData part, None if there was none."""
    part = next((part for part in parts(exchange) if part.name == "metaData"), None)
    return None if part is None else part.content.decode(errors="replace")


def target(exchange: Exchange) -> str:
    """Path and query as they were sent, the query readable."""
    query = urlencode(dict(exchange.query), safe="/*, '=<>@:()") if exchange.query else ""
    return f"{exchange.path}?{query}" if query else exchange.path


def one_line(exchange: Exchange, began: float) -> str:
    """`+2s  GET /elements/api-v2/bulk/1234/status -> 200`; `began` is the instant that times are counted from."""
    answer = str(exchange.status) if exchange.status else "connection reset"
    fault = f"  ({exchange.fault})" if exchange.fault else ""
    return f"+{spell(exchange.at - began)}  {exchange.method} {target(exchange)} -> {answer}{fault}"


def sent(exchange: Exchange) -> Iterator[str]:
    """What was sent, in a few lines: each part of a form, or the beginning of another body."""
    form = parts(exchange)
    for part in form:
        if part.name == "file":
            yield f"file {part.file_name!r} ({part.content_type or 'no content type'}):"
            yield from (f"  {line}" for line in _beginning(part.content, more=not part.whole))
        else:
            yield f"{part.name}: {_shortened(part.content.decode(errors='replace'))}"
    if not form and exchange.body:
        yield from _beginning(exchange.body, more=exchange.size > EXCERPT)


def answered(exchange: Exchange) -> Iterator[str]:
    """The beginning of the answer's body."""
    yield from _beginning(exchange.answer, more=False)


def counted(number: int, thing: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _beginning(content: bytes, *, more: bool) -> Iterator[str]:
    lines = content.decode(errors="replace").splitlines()
    yield from (_shortened(line) for line in lines[:SHOWN_LINES])
    rest = len(lines) - SHOWN_LINES
    if rest > 0 or more:
        yield "... and more" if more else f"... and {counted(rest, 'more line')}"


def _shortened(text: str) -> str:
    visible = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    return visible if len(visible) <= SHOWN_WIDTH else visible[: SHOWN_WIDTH - 3] + "..."
