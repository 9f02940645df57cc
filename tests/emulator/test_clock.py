"""Durations as text, and a clock that moves only when it is told to."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.clock import EPOCH, ManualClock, iso, seconds, spell
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.faults.kinds import callback_late, latency, rate_limit, stall
from pytest_ocbulk.emulator.plans import Visibility
from pytest_ocbulk.receiver import Receiver
from pytest_ocbulk.sleeping import DrivenClock

from ..patience import PATIENCE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250ms", 0.25),
        ("2s", 2.0),
        ("1.5s", 1.5),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("2d", 172_800.0),
        ("1m30s500ms", 90.5),
        (3, 3.0),
        (0.5, 0.5),
        (0, 0.0),
    ],
)
def test_a_duration_is_read(text: float | str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "-2s", "2x", "2s!", "two seconds", "1.s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(OcBulkError) as refusal:
        seconds(text)
    assert str(refusal.value) == (
        f"{text!r} is not a duration; write it like '250ms', '2s', '10m' or '1h30m'"
    )


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(OcBulkError) as refusal:
        seconds(-1)
    assert str(refusal.value) == "a duration cannot be negative, got -1"


@pytest.mark.parametrize("value", [None, True, [], b"2s"])
def test_what_is_neither_a_number_nor_text_is_refused(value: float) -> None:
    with pytest.raises(OcBulkError) as refusal:
        seconds(value)
    assert str(refusal.value) == (
        f"a duration is a number of seconds or a text like '2s' or '10m', got {value!r}"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 10**400, "36526d", "9" * 400 + "s"])
def test_a_duration_that_never_ends_is_refused(value: float | str) -> None:
    with pytest.raises(OcBulkError) as refusal:
        seconds(value)
    assert str(refusal.value) == f"a duration is a number of seconds up to 36525d, got {value!r}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
@pytest.mark.parametrize(
    "take",
    [
        lambda value: DrivenClock(ManualClock()).advance(value),
        lambda value: Visibility().set(lag=value),
        lambda value: rate_limit(value),
        lambda value: latency(between=(0, value), seed=1),
        lambda value: callback_late(value),
        lambda value: stall(seconds=value),
        lambda value: Receiver().wait_for(timeout=value),
        lambda value: DrivenClock(ManualClock()).drives_sleep(at_most=value),
    ],
    ids=[
        "advance",
        "visibility",
        "rate_limit",
        "latency",
        "callback_late",
        "stall",
        "wait_for",
        "drives_sleep",
    ],
)
def test_everybody_who_takes_a_duration_refuses_these(take: Callable[[Any], object], value: object) -> None:
    with pytest.raises(OcBulkError, match=f"a duration is a number of seconds .*, got {value!r}$"):
        take(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (2, "2s"),
        (600, "10m"),
        (5400, "1h30m"),
        (90061, "1d1h1m1s"),
    ],
)
def test_seconds_are_spelled_as_a_timeline_writes_them(value: float, text: str) -> None:
    assert spell(value) == text


@given(st.integers(0, 10**8))
def test_what_is_spelled_reads_back(value: int) -> None:
    assert seconds(spell(value)) == value


@given(st.integers(1, 999))
def test_milliseconds_that_are_spelled_read_back(value: int) -> None:
    assert seconds(spell(value / 1000)) == pytest.approx(value / 1000)


def test_the_clock_starts_at_a_fixed_instant_and_stands_still() -> None:
    clock = ManualClock()
    assert clock.now() == clock.now() == EPOCH == 1704067200.0
    assert clock.elapsed == 0


def test_the_clock_moves_when_it_is_told_to() -> None:
    clock = ManualClock(100.0)
    clock.advance("2s")
    clock.advance(0.5)
    assert (clock.now(), clock.elapsed) == (102.5, 2.5)


def test_no_time_is_lost_when_two_threads_move_the_clock() -> None:
    clock = ManualClock()

    def move() -> None:
        for _ in range(5000):
            clock.advance("1s")

    threads = [threading.Thread(target=move, daemon=True) for _ in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # they take turns as often as they can
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    finally:
        sys.setswitchinterval(before)
    assert clock.elapsed == 10_000


def test_time_does_not_run_backwards() -> None:
    clock = ManualClock()
    with pytest.raises(OcBulkError):
        clock.advance(-0.001)
    assert clock.now() == EPOCH


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (EPOCH, "2024-01-01T00:00:00.000Z"),
        (EPOCH + 0.25, "2024-01-01T00:00:00.250Z"),
    ],
)
def test_instants_are_printed_as_the_service_prints_them(instant: float, text: str) -> None:
    assert iso(instant) == text
