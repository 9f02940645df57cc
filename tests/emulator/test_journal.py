"""What the journal keeps, and what it forgets."""

from __future__ import annotations

import io

import pytest

from pytest_ocbulk.emulator import journal
from pytest_ocbulk.emulator.journal import Journal
from pytest_ocbulk.emulator.messages import Disconnect, Request, Response


def add(kept: Journal, number: int, body: bytes = b"") -> None:
    request = Request.of("POST", f"/{number}", {"Authorization": "Element T", "Accept": "x"}, body)
    kept.add(float(number), "upload", request, Response(200, {"A": "b"}, b"{}"), job=str(number))


def test_exchanges_are_kept_in_their_order() -> None:
    kept = Journal()
    for number in range(3):
        add(kept, number)
    assert [(each.at, each.path, each.job, each.answer) for each in kept] == [
        (0.0, "/0", "0", b"{}"),
        (1.0, "/1", "1", b"{}"),
        (2.0, "/2", "2", b"{}"),
    ]
    assert (len(kept), kept.total, kept.forgotten) == (3, 3, 0)


def test_the_oldest_exchanges_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "CAPACITY", 2)
    kept = Journal()
    for number in range(5):
        add(kept, number)
    assert [each.path for each in kept] == ["/3", "/4"]
    assert (kept.total, kept.forgotten) == (5, 3)


def test_the_bodies_of_all_exchanges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "EXCERPTS", 100)
    kept = Journal()
    for number in range(5):
        add(kept, number, b"x" * 40)
    assert [each.path for each in kept] == ["/3", "/4"]


def test_a_long_body_is_kept_as_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "EXCERPT", 4)
    kept = Journal()
    add(kept, 1, b"123456")
    (exchange,) = kept
    assert (exchange.body, exchange.size) == (b"1234", 6)


def test_secrets_are_masked_when_they_are_shown() -> None:
    kept = Journal()
    add(kept, 1)
    (exchange,) = kept
    assert exchange.shown_headers() == {"authorization": "***", "accept": "x"}
    assert exchange.headers["authorization"] == "Element T"


@pytest.mark.parametrize(
    "name", ["Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "Client-Secret"]
)
def test_headers_that_speak_of_secrets_are_masked(name: str) -> None:
    kept = Journal()
    kept.add(0.0, "ping", Request.of("GET", "/", {name: "hidden", "User-Agent": "x"}), Disconnect())
    (exchange,) = kept
    assert exchange.shown_headers() == {name.lower(): "***", "user-agent": "x"}


def test_a_broken_connection_has_no_status() -> None:
    kept = Journal()
    closed = io.BytesIO(b"gone")
    request = Request.of("POST", "/", {}, closed)
    closed.close()
    kept.add(0.0, "upload", request, Disconnect(), fault="upload:reset")
    (exchange,) = kept
    assert (exchange.status, exchange.body, exchange.fault) == (0, b"", "upload:reset")


def test_what_is_forgotten_counts_no_more() -> None:
    kept = Journal()
    add(kept, 1)
    kept.clear()
    assert (list(kept), kept.total, kept.forgotten) == ([], 0, 0)
