"""Bytes that were a call before are not parsed again; nobody can tell by what comes out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.messages import Request
from pytest_ocbulk.http1.limits import Limits
from pytest_ocbulk.http1.reader import Reader, Refused

POLL = b"GET /bulk/1/status?x=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Element t\r\n\r\n"
OTHER = POLL.replace(b"/1/", b"/2/")
CLOSING = POLL.replace(b"Host: h\r\n", b"Host: h\r\nConnection: close\r\n")
OLD = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
FORM = b"POST /bulk HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
CHUNKS = b"POST /bulk HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
UPGRADE = POLL.replace(b"Host: h\r\n", b"Host: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n")
WRONG = b"GET / HTTP/1.1\r\n\r\n"
PIECES = [POLL, POLL[:20], POLL[20:], POLL + POLL, POLL + POLL[:9], POLL[9:], b"\r\n", POLL + b"\r\n"]
PIECES += [OTHER, CLOSING, OLD, FORM, FORM[:-1], b"b", CHUNKS, UPGRADE, WRONG]


def heard(pieces: list[bytes], *, forgetful: bool = False) -> list[Any]:
    """What a reader has understood; one that is `forgetful` parses everything."""
    reader = Reader(Limits())
    for piece in pieces:
        if forgetful:
            reader._repeated = None
        try:
            reader.feed(piece)
        except Refused as refused:
            return [*understood(reader), refused.answer.status]
    return [*understood(reader), reader.in_head, reader.heads, reader.finished]


def shown(request: Request) -> list[Any]:
    return [request.method, request.path, request.query, request.headers, request.body.read()]


def understood(reader: Reader) -> list[Any]:
    return [
        (shown(request), each.complete, each.http10, each.keep_alive)
        for each in reader.queue
        for request in [each.request()]
    ]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_a_reader_that_remembers_hears_the_same(pieces: list[bytes]) -> None:
    assert heard(pieces) == heard(pieces, forgetful=True)


class Parsed(Exception):
    """The parser was given something."""


def parses(reader: Reader, data: bytes, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the reader needs its parser for these bytes."""

    class Parser:
        def feed_data(self, _data: bytes) -> None:
            raise Parsed

    with monkeypatch.context() as patch:
        patch.setattr(reader, "_parser", Parser())
        try:
            reader.feed(data)
        except Parsed:
            return True
    return False


@pytest.mark.parametrize(
    ("before", "data", "needed"),
    [
        ([POLL], POLL, False),
        ([POLL[:20], POLL[20:], POLL], POLL, False),
        ([OLD], OLD, False),
        ([POLL], OTHER, True),
        ([POLL, OTHER], POLL, True),
        ([POLL, POLL[:20]], POLL, True),
        ([POLL + POLL], POLL + POLL, True),
        ([FORM], FORM, True),
        ([CHUNKS], CHUNKS, True),
    ],
)
def test_only_whole_calls_without_a_body_are_remembered(
    before: list[bytes], data: bytes, needed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(Limits())
    for piece in before:
        reader.feed(piece)
    assert parses(reader, data, monkeypatch) == needed


def test_every_call_has_a_request_of_its_own() -> None:
    reader = Reader(Limits())
    for _ in range(3):
        reader.feed(POLL)
    requests = [each.request() for each in reader.queue]
    first, *others = map(shown, requests)
    assert others == [first, first]
    assert len({id(each) for each in requests}) == len({id(each.passage) for each in requests}) == 3


def test_the_parser_goes_on_after_a_repeated_call() -> None:
    reader = Reader(Limits())
    for piece in (POLL, POLL, FORM, POLL, POLL[:20], POLL[20:]):
        reader.feed(piece)
    assert [each.head.method for each in reader.queue] == ["GET", "GET", "POST", "GET", "GET"]
    assert reader.queue[2].request().body.read() == b"ab"
