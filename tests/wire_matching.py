"""A golden exchange is asked, and its answer held against what was written. Nothing here knows the fake.

`{name}` stands for a value: given by the run, or captured where it is met first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from .doors import Received, Sent
from .wire_stories import CSV, Callback, Exchange, WrongStory

BOUNDARY = "golden-exchange"

TRANSPORT = frozenset({"content-length", "connection", "keep-alive", "transfer-encoding", "date", "server"})
"""Headers that belong to the way an answer travels; all others are compared exactly."""

EVERY_ANSWER = {
    "content-type": "application/json;charset=UTF-8",
    "elements-request-id": "{request}",
    "elements-element-instance-id": "{instance}",
}
"""What an exchange expects unless it says otherwise (protocol.md 2.3, 2.4)."""

PATTERNS = {"job": r"[0-9]+", "request": r"[0-9a-f]{24}", "id": r"[0-9]+"}
"""What a captured value must look like, by its name without a number behind it; others are any text."""

_NAME = re.compile(r"\{([a-z][a-z0-9_]*)(:number)?\}")


class Mismatch(AssertionError):
    """An answer that is not the one that was written down."""


Names = dict[str, str]
"""What `{name}` stands for: given by the run, or captured from an answer."""


def sent(exchange: Exchange, names: Names) -> Sent:
    """The request of an exchange, with its names filled in."""
    send = exchange.send
    who = f"{exchange.by}_" if exchange.by else ""
    headers = {"Authorization": "Element {%stoken}, User {%suser}" % (who, who)}  # noqa: UP031  # braces stay
    body = b""
    if send.form is not None:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = b"".join(_parts(send.form, names)) + f"--{BOUNDARY}--\r\n".encode()
    elif send.json is not None:
        headers["Content-Type"] = "application/json"
        body = filled(send.json, names).encode()
    elif send.body is not None:
        body = filled(send.body, names).encode("utf-8", "surrogateescape")
    headers |= (
        {"Content-Length": str(len(body))} if body or exchange.method in ("POST", "PUT", "PATCH") else {}
    )
    headers |= send.headers
    target = quote(filled(send.base + exchange.target, names), safe="/?&=%'(),*:;@!$+~-._")
    return Sent(
        exchange.method,
        target,
        {name: filled(value, names) for name, value in headers.items() if value},
        body,
    )


def _parts(form: Mapping[str, str], names: Names) -> Iterator[bytes]:
    """The parts in the order written; `@name` is a file of `fixtures/csv/`, as in curl."""
    for name, value in form.items():
        disposition, content = f'form-data; name="{name}"', filled(value, names).encode()
        if value.startswith("@"):
            disposition += f'; filename="{value[1:]}"'
            content = (CSV / value[1:]).read_bytes()
        yield f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"


def filled(text: str, names: Names) -> str:
    """The text with each `{name}` replaced; a name that stands for nothing yet stops the story."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in names:
            raise WrongStory(f"{{{found[1]}}} stands for nothing yet in {text!r}")
        return names[found[1]]

    return _NAME.sub(value, text)


# -- comparing ----------------------------------------------------------------------------------------------


def compare(exchange: Exchange, received: Received, names: Names) -> None:
    """Hold an answer against its expectation, capturing new names; raises `Mismatch` saying what differs."""
    expect = exchange.expect
    if received.status != expect.status:
        raise Mismatch(
            f"{exchange.call}: expected status {expect.status}, got {received.status} {received.body[:300]!r}"
        )
    names["request"] = received.headers.get("elements-request-id", "")
    _compare_headers(exchange, received, names)
    if exchange.method == "HEAD":
        _same(exchange.call, "body", b"", received.body)
    elif expect.text is not None:
        _same(exchange.call, "body", filled(expect.text, names), received.body.decode())
    else:
        _compare_json(exchange, received, names)


def _compare_headers(exchange: Exchange, received: Received, names: Names) -> None:
    instance = EVERY_ANSWER | (
        {"elements-element-instance-id": f"{{{exchange.by}_instance}}"} if exchange.by else {}
    )
    wanted = instance | {name.lower(): value for name, value in exchange.expect.headers.items()}
    found = {name: value for name, value in received.headers.items() if name not in TRANSPORT}
    _same(exchange.call, "header names", sorted(name for name in wanted if wanted[name]), sorted(found))
    for name, value in found.items():
        _match(f"{exchange.call}: header {name}", wanted[name], value, names)
    length = received.headers.get("content-length", str(len(received.body)))
    if exchange.method != "HEAD":
        _same(exchange.call, "content-length", length, str(len(received.body)))


def _compare_json(exchange: Exchange, received: Received, names: Names) -> None:
    expect = exchange.expect
    try:
        found = json.loads(received.body)
    except ValueError:
        raise Mismatch(f"{exchange.call}: expected JSON, got {received.body[:300]!r}") from None
    if expect.message is not None:
        wanted: Any = {"requestId": "{request}", "message": expect.message}
    else:
        wanted = json.loads(expect.json if expect.json is not None else expect.has or "")
    if expect.has is not None:
        found = _members(wanted, found)
    match_json(f"{exchange.call}: body", wanted, found, names)


def _members(wanted: Any, found: Any) -> Any:
    """What is found with only those members of objects that are wanted, in a list item by item."""
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [_members(*pair) for pair in zip(wanted, found, strict=True)]
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: value for key, value in found.items() if key in wanted}
    return found


def match_json(place: str, wanted: Any, found: Any, names: Names) -> None:
    """Compare JSON values, types included; texts may hold `{name}` and `{name:number}`."""
    number = _NAME.fullmatch(wanted) if isinstance(wanted, str) else None
    if number and number[2]:
        wanted, found = f"{{{number[1]}}}", str(found) if type(found) is int else found
    if type(wanted) is not type(found):
        raise Mismatch(f"{place}: expected {wanted!r}, got {found!r}")
    if isinstance(wanted, dict):
        _same(place, "keys", sorted(wanted), sorted(found))
        for key, value in wanted.items():
            match_json(f"{place}.{key}", value, found[key], names)
    elif isinstance(wanted, list):
        _same(place, "items", len(wanted), len(found))
        for at, value in enumerate(wanted):
            match_json(f"{place}[{at}]", value, found[at], names)
    elif isinstance(wanted, str):
        _match(place, wanted, found, names)
    elif wanted != found:
        raise Mismatch(f"{place}: expected {wanted!r}, got {found!r}")


def _match(place: str, wanted: str, found: str, names: Names) -> None:
    """Compare texts; a name met for the first time captures what stands in its place."""
    pattern, new = "", []
    at = 0
    for name in _NAME.finditer(wanted):
        pattern += re.escape(wanted[at : name.start()])
        if name[1] in names and name[1] != "request":
            pattern += re.escape(names[name[1]])
        elif name[1] in new:
            pattern += f"(?P={name[1]})"
        else:
            new.append(name[1])
            pattern += f"(?P<{name[1]}>{PATTERNS.get(name[1].rstrip('0123456789'), '.+')})"
        at = name.end()
    match = re.fullmatch(pattern + re.escape(wanted[at:]), found, re.DOTALL)
    if match is None or match.groupdict().get("request", names.get("request")) != names.get("request"):
        raise Mismatch(f"{place}: expected {wanted!r}, got {found!r}")
    names.update(match.groupdict())


def _same(place: str, what: str, wanted: object, found: object) -> None:
    if wanted != found:
        raise Mismatch(f"{place}: expected {what} {wanted!r}, got {found!r}")


def compare_callbacks(exchange: Exchange, due: list[Callback], names: Names) -> None:
    """Hold the notifications that became due since they were last asked for against those written down."""
    wanted = exchange.expect.callbacks or ()
    _same(exchange.call, "callbacks to", [each.url for each in wanted], [each.url for each in due])
    for want, found in zip(wanted, due, strict=True):
        match_json(f"callback to {want.url}", json.loads(want.json), json.loads(found.json), names)
        _same(exchange.call, "callback header names", sorted(want.headers), sorted(found.headers))
        for name, value in want.headers.items():
            _match(f"callback header {name}", value, found.headers[name], names)
